"""Desktops that joined a team: who agreed is recognised there, names go both ways, and nothing stays after leaving."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from sqlalchemy import select

from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.team_tokens import Leaving
from agent.domain.consent import ConsentState
from agent.domain.edits import DescribePersonEdit, MergePeopleEdit, NameFacesEdit
from agent.domain.errors import TeamEnded, TeamNotJoined
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.schema import desk_operation, team_person
from agent.interfaces.web.access import Role
from agent.interfaces.web.desk_exchange import DeskOperation, DeskResults
from agent.server.devices import service
from agent.server.devices.queries import begin_anew
from tests.support.joined_desktops import SETTINGS, Office, office_in, shared
from tests.support.team_accounts import ORIGIN, PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MEI, BEN = "Méi 美", "Ben Carter"


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as made:
        yield made


async def test_those_who_agreed_are_recognised_at_the_desks_and_names_go_both_ways(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    one.world.put("m at a desk", "b at a desk", "x at a desk")
    mei = await server.person(MEI, "m")
    await server.person("Refuses", "x", agrees=False)
    await one.until(lambda: one.people() == {MEI: 1})
    await other.until(lambda: other.people() == {MEI: 0})
    assert one.prints() == 1 and "Refuses" not in one.everything()

    await server.person(BEN, "b")
    await one.until(lambda: one.people() == {MEI: 1, BEN: 1})

    await one.rename(MEI, "Li Mei")
    await other.until(lambda: "Li Mei" in other.people())
    assert server.named() == {"Li Mei", "Refuses", BEN}
    assert server.world.real.audit_entries(limit=1)[0].actor == office.member.member.id

    await server.world.app.people.edit(DescribePersonEdit(person_id=mei, name=MEI))
    await one.until(lambda: MEI in one.people())
    await other.until(lambda: MEI in other.people())
    await one.until(lambda: not one.library.outbox() and not one.library.conflicts())
    await one.rename(MEI, "M")
    await other.until(lambda: "M" in other.people())
    await one.world.app.people.undo()
    await other.until(lambda: MEI in other.people())


async def test_two_who_renamed_the_same_person_apart_settle_it(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    await server.person(MEI, "m")
    for desk in (one, other):
        await desk.until(lambda: MEI in desk.people())  # noqa: B023
    one.cut = True
    await one.rename(MEI, "Mei Li")
    await one.rename("Mei Li", "Mei Li Wang")
    await other.rename(MEI, "Li Mei")
    await other.until(lambda: server.named() == {"Li Mei"})
    assert [each.name for each in one.library.outbox()] == ["Mei Li", "Mei Li Wang"]

    one.cut = False
    await one.until(lambda: bool(one.library.conflicts()) and not one.library.outbox())
    [conflict] = one.library.conflicts()
    assert (conflict.mine, conflict.theirs, conflict.by) == ("Mei Li Wang", "Li Mei", "Mei")
    assert set(one.people()) == {"Mei Li Wang"} and server.named() == {"Li Mei"}, "nothing is lost before it is settled"

    await one.membership.names.settle(conflict.uid, "mine")
    await other.until(lambda: set(other.people()) == {"Mei Li Wang"})
    assert server.named() == {"Mei Li Wang"} and not one.library.conflicts()

    one.cut = True
    await one.rename("Mei Li Wang", "M")
    await other.rename("Mei Li Wang", MEI)
    await other.until(lambda: server.named() == {MEI})
    one.cut = False
    await one.until(lambda: bool(one.library.conflicts()))
    await one.membership.names.settle(one.library.conflicts()[0].uid, "theirs")
    assert set(one.people()) == {MEI} and not one.library.conflicts() and not one.library.outbox()


async def test_what_is_sent_twice_is_done_once(office: Office) -> None:
    server = office.server
    await server.person(MEI, "m")
    uid = "0" * 32
    [person] = [each for each in (await server.desks.people(0, 0)).people]
    async with server.team.client(**office.member.headers) as desk:
        asked = DeskOperation(uid=uid, kind="rename", person_uid=person.uid, base=MEI, name="Li Mei").model_dump()
        for _ in range(2):
            [answer] = (await desk.post("/api/desk/operations", json={"items": [asked]})).json()["items"]
            assert (answer["state"], answer["name"]) == ("done", "Li Mei")
        again = asked | {"uid": "1" * 32}
        [answer] = (await desk.post("/api/desk/operations", json={"items": [again]})).json()["items"]
        assert answer["state"] == "done", "it has that name already"
        other = again | {"uid": "2" * 32, "name": "Mei"}
        [answer] = (await desk.post("/api/desk/operations", json={"items": [other]})).json()["items"]
        assert (answer["state"], answer["name"]) == ("conflict", "Li Mei")
    assert len([each for each in server.world.real.audit_entries(limit=50) if each.action == "desk_renamed"]) == 1


async def test_a_withdrawal_reaches_the_desks_with_a_receipt(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    one.world.put("m at a desk")
    other.world.put("m at another desk")
    mei = await server.person(MEI, "m")
    await one.until(lambda: one.people() == {MEI: 1})
    await other.until(lambda: other.prints() == 1)
    [face] = one.world.real.faces_of_image(1)
    await one.world.app.people.edit(NameFacesEdit(face_ids=(face,), name=MEI))  # by their own hand

    await server.says(mei, ConsentState.WITHDRAWN)
    for desk in (one, other):
        await desk.until(lambda: desk.prints() == 0)  # noqa: B023
    await other.until(lambda: other.people() == {})

    def receipts() -> list[int]:
        return sorted(each.number for each in server.world.real.audit_entries(limit=50, action="desk_deleted"))

    await one.until(lambda: len(receipts()) == 2)
    assert receipts() == [1, 2], "the team's print at each desk, and the one of the photo that was confirmed"
    assert one.people() == {MEI: 1}, "who was named by hand keeps the name"
    assert not one.world.real.prints_of([face], "mobilefacenet-2") and one.world.replaced
    await one.world.index("m once more")
    assert one.people() == {MEI: 1}

    await server.says(mei, ConsentState.GIVEN)
    await server.person(MEI, "m anew", agrees=False)
    await other.until(lambda: other.people() == {MEI: 1})


async def test_leaving_wipes_what_came_from_the_team(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    one.world.put("m at a desk", "b at a desk")
    [face] = one.world.real.faces_of_image(2)
    await one.world.app.people.name_face(face, BEN)
    await server.person(MEI, "m")
    ben = await server.person(BEN, "b")
    await one.until(lambda: one.people() == {MEI: 1, BEN: 1} and one.prints() == 2)
    await server.world.app.people.edit(DescribePersonEdit(person_id=ben, name="Benjamin"))
    await one.until(lambda: "Benjamin" in one.people())

    receipt = await one.membership.leave()
    assert (receipt.server, receipt.people, receipt.prints, receipt.names, receipt.revoked) == ("photos", 2, 2, 1, True)
    assert one.people() == {BEN: 1}, "named here before the team did"
    left = one.everything()
    assert not any(said in left for said in (MEI, "Benjamin", ORIGIN, "photos.example", "AB:CD"))
    with pytest.raises(TeamNotJoined):
        await one.membership.leave()
    assert one.tokens.read("ab" * 16) is None and one.membership.problem is None

    other.cut = True
    assert not (await other.membership.leave()).revoked, "out of reach"
    assert other.people() == {} and MEI not in other.everything()
    assert len(await server.team.accounts.tokens.of(office.member.member.id)) == 1
    other.cut = False
    assert await other.membership.line.notify_left()
    assert not await server.team.accounts.tokens.of(office.member.member.id) and other.tokens.leaving() is None


async def test_leaving_that_a_kill_broke_off_is_ended_at_the_next_start_though_the_server_is_away(office: Office) -> None:
    server, one = office.server, office.one
    await server.person(MEI, "m")
    await one.until(lambda: one.people() == {MEI: 0})
    link = one.library.link()
    assert link is not None
    one.cut = True
    one.membership.line.tokens.note_leaving(Leaving(link.uid, link.address, link.authority))
    one.membership._link_changed.set()  # as at a start
    await one.until(lambda: one.library.link() is None)
    assert one.people() == {} and one.prints() == 0
    one.cut = False
    one.membership._link_changed.set()
    await one.until(lambda: one.membership.line.tokens.leaving() is None)


async def test_a_member_who_is_no_longer_admitted_keeps_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WAIT_S", 3_600)  # an open question is answered at once
    server, one = office.server, office.one
    await server.person(MEI, "m")
    await one.until(lambda: one.prints() == 1 and one.asked[-1] == one.library.link().cursor)  # type: ignore[union-attr]
    await server.team.accounts.members.add("root", "Root", Role.ADMINISTRATOR)
    asked = len(one.asked)
    await server.team.accounts.members.change(office.member.member.id, role=Role.EDITOR)
    await one.until(lambda: len(one.asked) > asked)
    assert one.prints() == 1 and one.membership.problem is None, "another role that may, too"
    await server.team.accounts.members.change(office.member.member.id, role=Role.VIEWER)
    await one.until(lambda: isinstance(one.membership.problem, TeamEnded))
    assert one.library.link() is None and one.people() == {} and MEI not in one.everything()


async def test_a_membership_that_ends_says_how_much_was_not_sent_and_a_new_one_sends_what_is_still_here(office: Office) -> None:
    server, one = office.server, office.one
    await server.person(BEN, "b")
    await one.until(lambda: BEN in one.people())
    face = await shared(one)
    one.cut = True
    await one.world.app.people.name_face(face, MEI)
    await one.rename(BEN, "Benjamin")
    await server.team.accounts.members.add("root", "Root", Role.ADMINISTRATOR)
    await server.team.accounts.members.change(office.member.member.id, role=Role.VIEWER)
    one.cut = False
    await one.until(lambda: isinstance(one.membership.problem, TeamEnded))
    assert one.membership.problem is not None and one.membership.problem.params == {"unsent": 2}
    assert Texts("en").cause(one.membership.problem).endswith("were deleted, too: 2.")
    [entry] = one.world.real.audit_entries(limit=10, action="team_ended")
    assert entry.number == 2 and one.people() == {MEI: 1}

    one.membership.problem = None
    one.membership._link_changed.set()  # as at the next start
    await one.until(lambda: isinstance(one.membership.problem, TeamEnded) and one.membership.problem.params == {"unsent": 2})

    await server.team.accounts.members.change(office.member.member.id, role=Role.CURATOR)
    await one.join(office.member)
    await one.until(lambda: server.named() == {MEI, BEN} and one.membership.problem is None)


async def test_what_leaving_loses_is_what_was_said_here_with_what_waits_to_be_settled(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    await server.person(MEI, "m")
    for desk in (one, other):
        await desk.until(lambda: desk.prints() == 1)  # noqa: B023
    one.cut = True
    await one.rename(MEI, "M")
    await other.rename(MEI, "Li Mei")
    await other.until(lambda: "Li Mei" in server.named())
    one.cut = False
    await one.until(lambda: bool(one.library.conflicts()))
    assert (one.library.figures().waiting, one.library.figures().unsent) == (0, 1)
    one.cut = True
    assert (await one.membership.leave()).unsent == 1


async def test_merging_here_and_undoing_it_keeps_people_of_the_team_apart(office: Office) -> None:
    server, one = office.server, office.one
    one.world.put("m at a desk", "b at a desk")
    await server.person(MEI, "m")
    await server.person(BEN, "b")
    await one.until(lambda: one.people() == {MEI: 1, BEN: 1})
    ids = {name: each for each, name in one.world.real.person_names().items()}
    await one.world.app.people.edit(MergePeopleEdit(person_ids=(ids[BEN],), into=ids[MEI]))
    await one.until(lambda: one.people() == {MEI: 2})
    await one.world.app.people.undo()
    await one.until(lambda: one.people() == {MEI: 1, BEN: 1})


async def test_forgetting_a_person_here_keeps_them_away(office: Office) -> None:
    server, one = office.server, office.one
    mei = await server.person(MEI, "m")
    await one.until(lambda: one.prints() == 1)
    [person_id] = one.world.real.person_names()
    await one.world.app.people.forget(person_id)
    await server.world.app.people.edit(DescribePersonEdit(person_id=mei, name="Li Mei"))
    await office.other.until(lambda: "Li Mei" in office.other.people())
    await one.until(lambda: one.library.link().cursor == office.other.library.link().cursor)  # type: ignore[union-attr]
    assert one.people() == {} and one.prints() == 0 and MEI not in one.everything() and "Li Mei" not in one.everything()


async def test_what_desks_were_answered_names_nobody_who_was_forgotten(office: Office) -> None:
    server, one = office.server, office.one
    mei = await server.person(MEI, "m")
    await server.person(BEN, "b")
    await one.until(lambda: one.people() == {MEI: 0, BEN: 0})
    await one.rename(MEI, "Li Mei")
    await one.rename(BEN, "Ben Okri")
    await one.until(lambda: not one.library.outbox() and server.named() == {"Li Mei", "Ben Okri"})
    await server.world.app.people.forget(mei)
    with server.world.real.database.read() as tx:
        answered = repr(tx.scalars(select(desk_operation.c.answer)).all())
    assert "Li Mei" not in answered and "Ben Okri" in answered


async def test_without_recognition_nothing_is_taken(office: Office) -> None:
    server, one = office.server, office.one
    await server.person(MEI, "m")
    await one.until(lambda: one.prints() == 1)
    await one.world.app.apply(Settings())
    assert one.prints() == 0
    await one.world.app.apply(SETTINGS)
    await one.until(lambda: one.prints() == 1)


async def test_a_restored_server_tells_everything_again_and_a_name_that_is_not_sent_yet_stays(office: Office) -> None:
    server, one = office.server, office.one
    await server.person(MEI, "m")
    await server.person(BEN, "b")
    await one.until(lambda: set(one.people()) == {MEI, BEN} and one.prints() == 2)
    one.cut = True
    await one.rename(MEI, "Li Mei")
    before, told = one.library.link(), await server.desks.people(0, 0)
    assert before is not None
    with server.world.real.database.write() as tx:
        begin_anew(tx)  # the numbers of an earlier moment come again, for something else
    server.desks._renewed = None  # a restored server was just started
    page = await server.desks.people(before.generation, before.cursor)
    assert page.reset and page.generation != told.generation and {each.name for each in page.people} == {MEI, BEN}
    for _ in range(2):  # a kill in between
        one.library.take(page, {}, now=one.world.app.now())
        assert set(one.people()) == {"Li Mei", BEN} and one.prints() == 2
    assert [each.name for each in one.library.outbox()] == ["Li Mei"]
    one.cut = False
    await one.until(lambda: server.named() == {"Li Mei", BEN} and not one.library.outbox())
    assert set(one.people()) == {"Li Mei", BEN}


async def test_a_name_that_was_taken_back_while_it_was_sent_is_taken_back_at_the_desk_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, one = office.server, office.one
    mei = await server.person(MEI, "m")
    await one.until(lambda: one.people() == {MEI: 0})
    sent = TeamConnection.operate

    def told() -> str | None:
        with one.world.real.database.read() as tx:
            return tx.scalar(select(team_person.c.name))

    async def slowly(self: TeamConnection, waiting: list[DeskOperation]) -> DeskResults:
        """The answer arrives after the page that tells the name of before."""
        link = one.library.link()
        results = await sent(self, waiting)
        await server.world.app.people.edit(DescribePersonEdit(person_id=mei, name=MEI))
        await one.until(lambda: one.library.link() != link and told() == MEI)
        return results

    monkeypatch.setattr(TeamConnection, "operate", slowly)
    await one.rename(MEI, "Li Mei")
    await one.until(lambda: not one.library.outbox() and one.people() == {MEI: 0})
    assert server.named() == {MEI} and one.library.conflicts() == []


async def test_a_stolen_session_alone_lets_no_computer_in(office: Office) -> None:
    eve, api = await office.server.team.member("eve", Role.CURATOR), office.server.team
    async with api.client() as stranger, api.client(**eve.headers) as browser:
        asked = (await stranger.post("/api/join", json={"computer": "desk"})).json()
        place, question = f"/api/join/requests/{asked['user_code']}", {"device_code": asked["device_code"]}
        for wish in ({"allow": True}, {"allow": True, "password": "guessed guessed guessed"}):
            answer = await browser.post(place, json=wish)
            assert (answer.status_code, answer.json()["code"]) == (422, "account.old_password_wrong")
        assert (await stranger.post("/api/join/answer", json=question)).json()["state"] == "pending"
        assert (await browser.get("/api/account/tokens")).json()["items"] == []
        assert (await browser.post(place, json={"allow": False})).status_code == 204, "to refuse gives nothing away"
        assert (await stranger.post("/api/join/answer", json=question)).json()["state"] == "denied"


async def test_a_computer_that_asks_looks_like_no_other(office: Office) -> None:
    ann, api = await office.server.team.member("vera", Role.EDITOR), office.server.team
    async with api.client() as stranger, api.client(**ann.headers) as browser:
        for said, shown in (("of\u200bfice\u202e-1\n", "office-1"), ("李老师的电脑", "李老师的电脑")):
            asked = (await stranger.post("/api/join", json={"computer": said, "system": "Li\u2066nux"})).json()
            known = (await browser.get(f"/api/join/requests/{asked['user_code']}")).json()
            assert (known["computer"], known["system"]) == (shown, "Linux")
        assert (await stranger.post("/api/join", json={"computer": "\u200b"})).status_code == 422


@pytest.mark.parametrize("used", [False, True])
async def test_a_computers_token_that_it_never_uses_ends_after_an_hour(office: Office, used: bool) -> None:
    team = office.server.team
    member = await team.member("kai", Role.CURATOR)
    async with team.client() as desktop, team.client(**member.headers) as browser:
        asked = (await desktop.post("/api/join", json={"computer": "desk", "system": "Linux"})).json()
        wish = {"allow": True, "password": PASSWORD}
        assert (await browser.post(f"/api/join/requests/{asked['user_code']}", json=wish)).status_code == 204
        granted = (await desktop.post("/api/join/answer", json={"device_code": asked["device_code"]})).json()
        desktop.headers["authorization"] = f"Bearer {granted['token']}"
        if used:
            team.later(timedelta(minutes=59))
            assert (await desktop.get("/api/desk/people")).status_code == 200
        team.later(timedelta(minutes=61))
        team.accounts.tokens.reload()  # as after a restart
        assert (await desktop.get("/api/desk/people")).status_code == (200 if used else 401)
        team.later(timedelta(days=364) if used else timedelta())
        assert (await desktop.get("/api/desk/people")).status_code == (200 if used else 401)
