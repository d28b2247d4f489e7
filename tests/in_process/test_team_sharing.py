"""What goes from a desk to its team: of shared folders what was found in the photos, and what is said of their faces. Nothing of others."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from agent.desktop.team_client.connection import TeamConnection
from agent.domain.consent import ConsentState
from agent.domain.edits import MergePeopleEdit, NameFacesEdit, RejectFaces
from agent.infrastructure.core.settings import Settings, Share
from agent.infrastructure.store.schema import chip, embedding, face, image, place, rejection
from tests.support.joined_desktops import SETTINGS, Desk, Office, Server, office_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ANNA, BERTA = "Anna", "Berta"
PHOTO, SECOND, OWN = b"anna at the lake", b"anna in town", b"private"


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as made:
        yield made


async def share(desk: Desk, how: Share) -> Settings:
    root = desk.world.folder / "shared"
    folders = [{"path": str(root), "share": how.value}, {"path": str(desk.world.folder / "own")}]
    settings = Settings.model_validate({"recognition": {"enabled": True}, "folders": folders})
    await desk.world.app.apply(settings)
    return settings


async def put(desk: Desk, name: str, content: bytes) -> int:
    """A photo with one face, which is returned."""
    async with desk.world.app.indexer.at_rest():  # otherwise it may take the job
        desk.world.put(name, content=content)
    desk.membership.sharing.begin_anew()
    [found] = desk.world.real.faces_of(hashlib.sha256(content).hexdigest())
    return found


def count(server: Server, table: object) -> int:
    with server.world.real.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def named(server: Server) -> dict[str, int]:
    """Confirmed faces by name."""
    return {each.name: each.faces for each in server.world.real.people()}


async def test_what_is_said_of_faces_at_desks_goes_up_and_nothing_else(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    for desk in (one, other):
        await share(desk, Share.RESULTS)
    own = await put(one, "own/x", OWN)
    await one.world.app.people.name_face(own, "Xaver")
    here, there = await put(one, "shared/a", PHOTO), await put(other, "shared/b", PHOTO)
    await one.until(lambda: count(server, image) == 1 and count(server, place) == 2)
    await one.world.app.people.name_face(here, ANNA)
    await one.until(lambda: named(server) == {ANNA: 1})
    assert count(server, embedding) == count(server, chip) == 0, "she has not agreed"

    other.cut = True
    await other.world.app.people.name_face(there, BERTA)
    other.cut = False
    await other.until(lambda: bool(other.library.conflicts()) and not other.library.outbox())
    [conflict] = other.library.conflicts()
    assert (conflict.mine, conflict.theirs, conflict.by, conflict.reason) == (BERTA, ANNA, "Mei", "face")
    assert conflict.face_id == there and other.people()[BERTA] == 1 and named(server) == {ANNA: 1}
    await other.membership.names.settle(conflict.uid, "mine")
    await other.until(lambda: named(server).get(BERTA) == 1)
    assert named(server).get(ANNA, 0) == 0 and not other.library.conflicts()
    await other.world.app.people.edit(NameFacesEdit(face_ids=(there,), name=ANNA))
    await other.until(lambda: named(server).get(ANNA) == 1)

    [anna] = [each for each, name in server.world.real.person_names().items() if name == ANNA]
    await server.says(anna, ConsentState.GIVEN)
    await other.until(lambda: count(server, embedding) == 1)
    for desk in (one, other):
        await desk.until(lambda: desk.prints() == 1)  # noqa: B023
    everything = "\n".join(repr(row) for row in _rows(server))
    assert "Xaver" not in everything and hashlib.sha256(OWN).hexdigest() not in everything and "shared" not in everything


def _rows(server: Server) -> list[object]:
    with server.world.real.database.read() as tx:
        return [row for table in (image, place, face) for row in tx.execute(select(table))] + list(server.named())


async def test_rejections_and_merges_reach_the_others_and_are_taken_back(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    for desk in (one, other):
        await share(desk, Share.RESULTS)
    await server.person(ANNA, "a at the server")
    await one.until(lambda: one.prints() == 1)
    await other.until(lambda: other.prints() == 1)
    here, there = await put(one, "shared/a", PHOTO), await put(other, "shared/b", PHOTO)
    await one.world.app.people.edit(NameFacesEdit(face_ids=(await put(one, "shared/c", SECOND),), name="Ann"))
    await one.until(lambda: named(server) == {ANNA: 1, "Ann": 1})
    await other.until(lambda: not other.library.outbox())

    [anna] = [each for each, name in other.world.real.person_names().items() if name == ANNA]
    await other.world.app.people.edit(RejectFaces(face_ids=(there,), person_id=anna))
    await one.until(lambda: here in _rejected(one))
    await other.world.app.people.undo()
    await one.until(lambda: here not in _rejected(one))

    ids = {name: each for each, name in one.world.real.person_names().items()}
    await one.world.app.people.edit(MergePeopleEdit(person_ids=(ids["Ann"],), into=ids[ANNA]))
    await one.until(lambda: named(server) == {ANNA: 2})
    await one.world.app.people.undo()
    await one.until(lambda: named(server) == {ANNA: 1, "Ann": 1})
    await one.until(lambda: not one.library.outbox() and not one.library.conflicts())


def _rejected(desk: Desk) -> set[int]:
    with desk.world.real.database.read() as tx:
        return set(tx.scalars(select(rejection.c.face_id)))


async def test_what_a_folder_shared_stays_until_it_is_taken_back(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    for desk in (one, other):
        await share(desk, Share.RESULTS)
    await put(other, "shared/b", PHOTO)
    await put(one, "shared/a", PHOTO)
    await one.world.app.people.name_face(await put(one, "shared/c", SECOND), ANNA)
    await one.until(lambda: named(server) == {ANNA: 1} and count(server, image) == 2 and count(server, place) == 3)
    one.cut = True
    await share(one, Share.KEEP)
    state = await one.membership.sharing.state()
    assert (state.sent, state.stays, state.waiting) == (2, 2, 0)
    assert await one.membership.sharing.take_back() == 2
    await one.world.app.apply(SETTINGS)
    one.cut = False
    await one.until(lambda: count(server, image) == 1 and count(server, place) == 1)
    assert count(server, face) == 1, "the other desk's"
    await one.until(lambda: not one.membership.sharing.library.to_take_back())
    assert (await one.membership.sharing.state()).sent == 0


async def test_older_photos_of_a_folder_that_is_shared_while_others_are_sent_go_up_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, one = office.server, office.one
    await put(one, "own/x", OWN)
    await put(one, "shared/a", PHOTO)
    sent, roots = TeamConnection.photos, [str(one.world.folder / name) for name in ("shared", "own")]
    both = {"recognition": {"enabled": True}, "folders": [{"path": root, "share": "results"} for root in roots]}

    async def slowly(self: TeamConnection, *asked: Any) -> Any:
        if count(server, image) == 0:
            await one.world.app.apply(Settings.model_validate(both))
        return await sent(self, *asked)

    monkeypatch.setattr(TeamConnection, "photos", slowly)
    await share(one, Share.RESULTS)
    await one.until(lambda: count(server, image) == 2)
