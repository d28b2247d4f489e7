"""A person sees, takes away and withdraws what is stored about them, by a link and without an account."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest_asyncio
from sqlalchemy import func, select

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.schema import consent_link, embedding
from agent.interfaces.web.access import Role
from agent.server.accounts.sign_in_throttle import SignInAttempts
from agent.server.subject_access.queries import ConsentLinkQueries
from agent.server.subject_access.routes import consent_link_routes
from agent.server.subject_access.service import BY_LINK, ConsentLinks
from tests.in_process.test_people import recognising
from tests.support.in_process_agent import NOW
from tests.support.security_headers import keeps_browsers_strict
from tests.support.team_accounts import Team

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.support.in_process_agent import World
    from tests.support.team_accounts import SignedInMember

NAME = "王小明"


class Links:
    """A server's links, one person's link, and a browser that nobody is signed in to."""

    def __init__(self, world: World, team: Team, client: httpx.AsyncClient, curator: SignedInMember, person_id: int) -> None:
        self.world, self.team, self.client, self.curator, self.person_id = world, team, client, curator, person_id

    async def make(self, **wish: int) -> str:
        answer = await self.client.post(f"/api/people/{self.person_id}/consent-link", json=wish, headers=self.curator.headers)
        path = str(answer.json()["path"])
        assert path.startswith("/#my-consent/"), answer.text
        return path.removeprefix("/#my-consent/")

    def own(self, token: str) -> str:
        return f"/api/consent-links/{token}"


@pytest_asyncio.fixture
async def links(world: World) -> AsyncIterator[Links]:
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3") as face:
        person_id = await world.app.people.name_face(face["a"], NAME)
        agreed = [Consent(purpose=each, state=ConsentState.GIVEN, given_on=NOW.date()) for each in (Purpose.RECOGNISE, Purpose.PUBLISH)]
        await world.app.consents.give(person_id, agreed)
        database = world.real.database
        team = Team(database)
        attempts = SignInAttempts(team.queries, lambda: team.time)
        made = ConsentLinks(ConsentLinkQueries(database), world.real, world.app.consents, attempts, lambda: team.time)
        consent_link_routes(team.api, made, world.app.consents, lambda: Texts("zh-CN"))
        curator = await team.member("mei", Role.CURATOR)
        async with team.client() as client:
            yield Links(world, team, client, curator, person_id)
        await team.settle()


async def test_a_person_sees_takes_away_and_withdraws_their_own_data(links: Links) -> None:
    token = await links.make()
    shown = (await links.client.get(links.own(token))).json()
    assert (shown["name"], shown["photos"], shown["suggested"], shown["face_prints"], shown["recognised"]) == (NAME, 1, 1, 2, True)
    assert {each["purpose"]: each["valid"] for each in shown["consents"]} == {"recognise": True, "publish": True}

    export = await links.client.get(f"{links.own(token)}/export")
    person, *faces = map(json.loads, export.text.splitlines())
    assert person["name"] == NAME and len(faces) == 2 and all("paths" not in each and each["face_print"] for each in faces)

    page = await links.client.get(f"{links.own(token)}/page")
    assert page.status_code == 200, page.text
    for answer in (page, await links.client.get(f"{links.own('none')}/page")):
        keeps_browsers_strict(answer)
        assert "no-store" in answer.headers["cache-control"]
    assert page.headers["content-disposition"] == 'attachment; filename="my-data.html"' and NAME in page.text
    assert page.text.count("<tr>") >= 2 + len(faces) and faces[0]["face_print"] not in page.text and "照片中的你" in page.text

    receipt = (await links.client.post(f"{links.own(token)}/recognise/withdraw", json={})).json()
    assert (receipt["purpose"], receipt["embeddings"], receipt["chips"]) == ("recognise", 2, 2) and shown["pictures"] == 2
    with links.world.real.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(embedding)) == 1, "the other person's"
    shown = (await links.client.get(links.own(token))).json()
    assert (shown["face_prints"], shown["recognised"]) == (0, False)
    again = await links.client.post(f"{links.own(token)}/recognise/withdraw", json={})
    assert again.json()["code"] == "people.no_consent"

    log = AuditQueries(links.world.real.database)
    said = {each.action: each.actor for each in log.audit_entries(limit=100)}
    assert said["consent_link_made"] == links.curator.member.id
    assert (said["consent_withdrawn"], said["exported"]) == (BY_LINK, BY_LINK)
    assert log.audit_broken_at() is None


async def test_after_all_is_withdrawn_the_link_says_since_when_and_offers_nothing_else(links: Links) -> None:
    token, shown = await links.make(), dict[str, object]()
    for purpose, withdrawn_on in (("recognise", None), ("publish", NOW.date().isoformat())):
        assert (await links.client.post(f"{links.own(token)}/{purpose}/withdraw", json={})).status_code == 200
        shown = (await links.client.get(links.own(token))).json()
        assert shown["withdrawn_on"] == withdrawn_on, purpose
    assert NAME not in json.dumps(shown, ensure_ascii=False), "nobody needs it there any more"
    assert (shown["face_prints"], shown["pictures"], shown["recognised"], shown["consents"]) == (0, 0, False, [])
    assert shown["photos"] == 1, "the name on a photo stays until the team removes it"
    for what in ("export", "page"):
        refused = await links.client.get(f"{links.own(token)}/{what}")
        assert (refused.status_code, refused.json()["code"]) == (410, "people.consent_withdrawn")
        assert NOW.date().isoformat() in refused.json()["cause"]

    agreed = Consent(purpose=Purpose.PUBLISH, state=ConsentState.GIVEN, given_on=NOW.date())
    await links.world.app.consents.give(links.person_id, [agreed])
    shown = (await links.client.get(links.own(token))).json()
    assert (shown["name"], shown["withdrawn_on"]) == (NAME, None), "what was agreed to again can be withdrawn again"


async def test_a_link_ends_by_time_by_a_newer_one_by_a_member_and_with_the_person(links: Links) -> None:
    async def works(token: str) -> bool:
        answer = await links.client.get(links.own(token))
        assert answer.status_code == 200 or (answer.status_code, answer.json()["code"]) == (404, "people.consent_link_gone")
        return answer.status_code == 200

    assert not await works("never made")
    first = await links.make(days=2)
    links.team.later(timedelta(days=2))
    assert not await works(first)
    second = await links.make()
    third = await links.make()
    assert not await works(second) and await works(third)
    place = f"/api/people/{links.person_id}/consent-link"
    assert (await links.client.get(place, headers=links.curator.headers)).json()["expires_at"] is not None
    assert (await links.client.delete(place, headers=links.curator.headers)).status_code == 204
    assert not await works(third)
    assert (await links.client.get(place, headers=links.curator.headers)).json() == {"expires_at": None}
    fourth = await links.make()
    await links.world.app.people.forget(links.person_id)
    assert not await works(fourth)
    with links.world.real.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(consent_link)) == 0
    assert (await links.client.post(place, json={}, headers=links.curator.headers)).status_code == 404


async def test_only_who_enters_consents_makes_links_and_guesses_are_slowed_down(links: Links) -> None:
    viewer = await links.team.member("ben", Role.VIEWER)
    place = f"/api/people/{links.person_id}/consent-link"
    assert (await links.client.post(place, json={}, headers=viewer.headers)).status_code == 403
    assert (await links.client.post(place, json={})).status_code == 401
    codes = [(await links.client.get(links.own(f"guess-{number}"))).status_code for number in range(40)]
    assert codes[0] == 404 and codes[-1] == 429
