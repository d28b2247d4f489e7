"""Two desks that name one face differently end alike, whichever of them came first and whatever was interrupted."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from agent.desktop.team_client.connection import TeamConnection
from agent.domain.edits import NameFacesEdit, RejectFaces
from agent.domain.errors import TeamUnreachable
from agent.infrastructure.store.schema import desk_operation, person, rejection
from tests.support.joined_desktops import PHOTO, Desk, Office, Server, named_faces, office_in, shared

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.desktop.team_client.synced_face_queries import Keep
    from agent.interfaces.web.desk_exchange import DeskOperation, DeskResults

MEI, LIN = "Mei", "Lin"


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as made:
        yield made


def people(at: Desk | Server) -> list[str]:
    return sorted(at.world.real.person_names().values())


async def all_are(office: Office, *wanted: str) -> None:
    """Wait until both desks and the server have these names, and nothing waits to be sent or settled."""

    def alike() -> bool:
        at_rest = not any(each.library.outbox() or each.library.conflicts() for each in (office.one, office.other))
        return at_rest and all(named_faces(each) == list(wanted) for each in (office.server, office.one, office.other))

    await office.one.until(alike)


async def disputed(office: Office, *, first: Desk, second: Desk) -> str:
    """One names the face Mei, the other names it Lin; returns the conflict that the second one has to settle."""
    here, there = await shared(first), await shared(second)
    second.cut = True
    await first.world.app.people.name_face(here, MEI)
    await second.world.app.people.name_face(there, LIN)
    await first.until(lambda: named_faces(office.server) == [MEI])
    second.cut = False
    await second.until(lambda: bool(second.library.conflicts()))
    [conflict] = second.library.conflicts()
    return conflict.uid


@pytest.mark.parametrize("turned", [False, True])
async def test_a_settled_name_reaches_the_desk_that_was_overruled(office: Office, turned: bool) -> None:
    first, second = (office.other, office.one) if turned else (office.one, office.other)
    conflict = await disputed(office, first=first, second=second)
    await second.membership.names.settle(conflict, "mine")
    await all_are(office, LIN)
    [told] = first.library.corrections(now=first.world.app.now())
    assert (told.mine, told.theirs, told.count) == (MEI, LIN, 1)
    assert not second.library.corrections(now=second.world.app.now())
    assert people(first) == [LIN, MEI], "the person stays for whom one undoes it, without a face"


async def test_a_name_that_came_down_is_undone_everywhere_and_sent_up_only_then(office: Office) -> None:
    conflict = await disputed(office, first=office.one, second=office.other)
    await office.other.membership.names.settle(conflict, "mine")
    await all_are(office, LIN)
    sent = _operations(office.server)
    undone = await office.one.world.app.people.undo()
    assert undone is not None
    await all_are(office, MEI)
    assert not office.one.library.corrections(now=office.one.world.app.now())
    assert _operations(office.server) > sent
    await office.one.world.app.people.do_again()
    await all_are(office, LIN)


async def test_taking_the_settled_name_back_leaves_the_face_unnamed_at_both(office: Office) -> None:
    conflict = await disputed(office, first=office.one, second=office.other)
    await office.other.membership.names.settle(conflict, "mine")
    await all_are(office, LIN)
    await office.other.world.app.people.undo()
    await all_are(office)


async def test_a_name_taken_back_at_one_desk_settles_the_conflict_at_the_other(office: Office) -> None:
    await disputed(office, first=office.one, second=office.other)
    await office.one.world.app.people.undo()
    await all_are(office, LIN)


async def test_the_conflict_shows_the_name_that_the_team_has_by_now(office: Office) -> None:
    await disputed(office, first=office.one, second=office.other)
    [face_id] = office.one.world.real.faces_of(hashlib.sha256(PHOTO).hexdigest())
    await office.one.world.app.people.edit(NameFacesEdit(face_ids=(face_id,), name="Hua"))
    await office.other.until(lambda: [each.theirs for each in office.other.library.conflicts()] == ["Hua"])
    [conflict] = office.other.library.conflicts()
    await office.other.membership.names.settle(conflict.uid, "theirs")
    await all_are(office, "Hua")


@pytest.mark.parametrize("keep", ["mine", "theirs"])
async def test_a_rejection_in_conflict_leaves_the_question_about_the_name(office: Office, keep: Keep) -> None:
    await disputed(office, first=office.one, second=office.other)
    await office.other.world.app.people.name_face(await shared(office.other, b"bea"), MEI)
    await office.other.until(lambda: named_faces(office.server) == [MEI, MEI])
    await office.other.until(lambda: not office.other.library.outbox())
    [mei] = [each for each, name in office.other.world.real.person_names().items() if name == MEI]
    [there] = office.other.world.real.faces_of(hashlib.sha256(PHOTO).hexdigest())
    sent = _operations(office.server)
    await office.other.world.app.people.edit(RejectFaces(face_ids=(there,), person_id=mei))
    await office.other.until(lambda: _operations(office.server) > sent and not office.other.library.outbox())
    # The question is the same; asked anew it has another number, if what the team said about Mei came late.
    [question] = office.other.library.conflicts()
    assert (question.mine, question.theirs) == (LIN, MEI)
    await office.other.membership.names.settle(question.uid, keep)
    wanted = [LIN, MEI] if keep == "mine" else [MEI, MEI]
    await office.other.until(
        lambda: named_faces(office.server) == named_faces(office.other) == wanted and not office.other.library.conflicts()
    )
    await office.one.until(lambda: named_faces(office.one) == wanted[:1])
    assert (MEI in _rejected(office.other), MEI in _rejected(office.server)) == (keep == "mine", keep == "mine")


async def test_a_name_given_while_away_is_not_overwritten_but_asked_about(office: Office) -> None:
    conflict = await disputed(office, first=office.one, second=office.other)
    office.one.cut = True
    [face_id] = office.one.world.real.faces_of(hashlib.sha256(PHOTO).hexdigest())
    await office.one.world.app.people.edit(NameFacesEdit(face_ids=(face_id,), name="Hua"))
    await office.other.membership.names.settle(conflict, "mine")
    await office.other.until(lambda: named_faces(office.server) == [LIN])
    office.one.cut = False
    await office.one.until(lambda: bool(office.one.library.conflicts()))
    [asked] = office.one.library.conflicts()
    assert (asked.mine, asked.theirs, named_faces(office.one)) == ("Hua", LIN, ["Hua"])
    await office.one.membership.names.settle(asked.uid, "mine")
    await all_are(office, "Hua")


async def test_a_face_that_a_desk_never_spoke_of_gets_no_name_from_another(office: Office) -> None:
    here = await shared(office.one)
    await shared(office.other)
    await office.one.world.app.people.name_face(here, "Hua")
    await office.one.until(lambda: named_faces(office.server) == ["Hua"])
    asked = len(office.other.sent)
    office.other.membership.sharing.begin_anew()
    await office.other.until(lambda: len(office.other.sent) > asked)
    assert named_faces(office.other) == [] and "Hua" not in office.other.everything()


async def test_a_computer_that_ends_before_it_said_what_it_took_is_told_again_and_changes_nothing_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflict = await disputed(office, first=office.one, second=office.other)
    operate, lost = TeamConnection.operate, list[str]()

    async def loses_the_first(self: TeamConnection, asked: list[DeskOperation]) -> DeskResults:
        if not lost and any(each.kind == "known" and each.base for each in asked):
            lost.append("known")
            raise TeamUnreachable
        return await operate(self, asked)

    monkeypatch.setattr(TeamConnection, "operate", loses_the_first)
    await office.other.membership.names.settle(conflict, "mine")
    await all_are(office, LIN)
    asked = len(office.one.sent)
    await office.one.until(lambda: bool(lost) and ("POST", "/api/desk/operations") in office.one.sent[asked:])
    assert len(office.one.library.corrections(now=office.one.world.app.now())) == 1 and named_faces(office.one) == [LIN]


def _operations(server: Server) -> int:
    with server.world.real.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(desk_operation)) or 0


def _rejected(at: Desk | Server) -> set[str]:
    """Those who a face is not."""
    with at.world.real.database.read() as tx:
        return set(tx.scalars(select(person.c.name).join(rejection, rejection.c.person_id == person.c.id)))
