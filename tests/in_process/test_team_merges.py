"""A merge at one desk beside a name that another desk gives at the same time, and its undo: all end alike, and no one is there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from agent.domain.edits import DescribePersonEdit, MergePeopleEdit
from tests.support.joined_desktops import Office, named_faces, office_in, shared

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

A, B = b"anna at the lake", b"ben at the lake"


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as made:
        yield made


@pytest.mark.parametrize("notes", ["", "plays chess"])
@pytest.mark.parametrize("in_order", [False, True])
async def test_undoing_a_merge_beside_a_name_given_elsewhere_leaves_no_empty_person(office: Office, in_order: bool, notes: str) -> None:
    server, one, other = office.server, office.one, office.other
    people = one.world.app.people
    for content, name in ((A, "Obama 3"), (B, "Obama")):
        await people.name_face(await shared(one, content), name)
    elsewhere = await shared(other, A)
    ids = {name: each for each, name in one.world.real.person_names().items()}
    if notes:
        await people.edit(DescribePersonEdit(person_id=ids["Obama 3"], notes=notes))
    await one.until(lambda: named_faces(server) == ["Obama", "Obama 3"] and not one.library.outbox())
    other.cut = True
    await other.world.app.people.name_face(elsewhere, "Obama 3")
    merged = await people.edit(MergePeopleEdit(person_ids=(ids["Obama 3"],), into=ids["Obama"]))
    await one.until(lambda: named_faces(server) == ["Obama", "Obama"])
    other.cut = False
    await other.until(lambda: bool(other.library.conflicts()))
    await other.membership.names.settle(other.library.conflicts()[0].uid, "mine")
    await one.until(lambda: named_faces(one) == named_faces(server) == ["Obama", "Obama 3"])

    if in_order:
        await people.undo()
        await other.until(lambda: named_faces(other) == ["Obama"])
        await people.undo()
    else:
        await people.undo(merged.token)

    def rested() -> bool:
        at_rest = not any(each.library.outbox() or each.library.conflicts() for each in (one, other))
        return at_rest and named_faces(server) == named_faces(one) == ["Obama", "Obama 3"] and named_faces(other) == ["Obama 3"]

    await one.until(rested)
    kept = {"Obama 3 (2)"} if notes and not in_order else set()
    assert set(one.world.real.person_names().values()) == {"Obama", "Obama 3"} | kept, "only one with notes of their own stays"
    assert server.named() == {"Obama", "Obama 3"}
