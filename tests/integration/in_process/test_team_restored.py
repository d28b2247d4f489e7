"""A server that was restored to an earlier moment is told again what desks had told it since: nothing is lost, nothing is there twice."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from sqlalchemy import delete

from agent.desks.queries import begin_anew
from agent.store.schema import desk_face, desk_operation, identity, image, person, place
from tests.desks import PHOTO, Office, named_faces, office_in, shared

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as made:
        yield made


@pytest.mark.parametrize("lost", ["the name", "the photo"])
async def test_what_a_restored_server_no_longer_has_is_told_again(office: Office, lost: str) -> None:
    server, one = office.server, office.one
    await one.world.app.people.name_face(await shared(one), "Mei")
    await one.until(lambda: named_faces(server) == ["Mei"] and not one.library.outbox())
    await one.until(lambda: (found := one.library.link()) is not None and found.generation != 0)
    with server.world.real.database.write() as tx:
        for table in (identity, person, desk_face, desk_operation):
            tx.execute(delete(table))
        if lost == "the photo":
            tx.execute(delete(place))
            tx.execute(delete(image))
        begin_anew(tx)
    assert named_faces(server) == []
    server.desks._renewed = None  # a restored server was just started
    one.membership._link_changed.set()

    await one.until(lambda: named_faces(server) == ["Mei"] and not one.library.outbox() and not one.library.conflicts())
    assert server.named() == {"Mei"} and one.people() == {"Mei": 1}
    assert len(server.world.real.faces_of(hashlib.sha256(PHOTO).hexdigest())) == 1
    assert (await one.membership.sharing.state()).sent == 1
