"""An auditor of one library reads what its record says of that library, and sees nothing else: no photo, no name, no number of another."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from agent.domain.errors import StoreError
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store.schema import audit
from agent.interfaces.web.access import Role
from agent.interfaces.web.scoped_route import declared
from tests.in_process.test_libraries import CLINIC, SPORTS, TwoLibraries, copies_of_clinic, library, two
from tests.in_process.test_roles import filled
from tests.support.in_process_agent import NOW
from tests.unit.interfaces.web.conftest import Served, served, shared_api

if TYPE_CHECKING:
    from tests.support.team_accounts import SignedInMember

__all__ = ["library", "served", "shared_api", "two"]  # fixtures


async def record(two: TwoLibraries, who: SignedInMember, query: str = "") -> list[dict[str, Any]]:
    async with two.client(who) as client:
        answer = await client.get(f"/api/record?limit=500{query}")
        assert answer.status_code == 200
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def said(entries: list[dict[str, Any]], *actions: str) -> list[tuple[str, int]]:
    """Action and number of these entries, oldest first."""
    return [(each["action"], each["number"]) for each in reversed(entries) if not actions or each["action"] in actions]


async def work_in_both(two: TwoLibraries) -> None:
    """A member names, searches, publishes and exports in both libraries at once; an administrator exports of one."""
    cora = await two.member("cora", Sports=Role.CURATOR, Clinic=Role.CURATOR)
    ed = await two.member("ed", Sports=Role.EDITOR, Clinic=Role.EDITOR)
    ada = await two.server.team.member("ada", Role.ADMINISTRATOR)
    faces = {each: two.of(f"{each} face") for each in ("a1", "b1", "c1", "c2")}
    async with two.client(cora) as client:
        edit = {"kind": "name_many", "people": [{"name": "Dora", "face_ids": [faces["a1"], faces["b1"], faces["c2"]]}]}
        assert (await client.post("/api/people/edits", json=edit)).status_code == 200
        assert (await client.post("/api/undo", json={})).status_code == 200
        assert (await client.put(f"/api/people/{two.of('Cleo')}/consents", json={"purposes": ["publish"]})).status_code == 200
        assert (await client.put(f"/api/people/{two.of('Ben Secret')}/consents", json={"purposes": ["publish"]})).status_code == 200
        assert (await client.post("/api/search/face", content=b"o photo")).status_code == 200
        assert (await client.post(f"/api/search/face?library={two.of(CLINIC)}", content=b"s photo")).status_code == 200
    async with two.client(ed) as client:
        for name in ("a1", "b1", "c2"):
            assert (await client.get(f"/api/images/{two.of(f'{name} image')}/original")).status_code == 200
        photos = [two.of(f"{name} image") for name in ("a1", "b1", "c2")]
        wish = {"images": photos, "out": "x", "keep_consented": True}
        assert (await client.post("/api/redactions", json=wish)).status_code == 200
    async with two.client(ada) as client:
        assert (await client.get(f"/api/images/{two.of('c1 image')}/original")).status_code == 200
        assert (await client.post("/api/search/face", content=b"o photo")).status_code == 200
    await two.server.team.accounts.usage_audit.settle()


async def test_each_auditor_reads_of_their_library_alone_and_its_numbers_are_its_own(two: TwoLibraries) -> None:
    await work_in_both(two)
    auditors = {name: await two.member(f"aud {name}", **{name: Role.AUDITOR}) for name in (SPORTS, CLINIC)}
    actions = ("named", "taken_back", "consent_given", "face_searched", "originals_downloaded", "publishing")
    own = {name: await record(two, who) for name, who in auditors.items()}
    first = [("named", 1), ("named", 1)]  # of the people who are on its photos from the beginning
    assert said(own[SPORTS], *actions) == [
        *first,
        *[("named", 1), ("taken_back", 1), ("consent_given", 1), ("face_searched", 1)],
        *[("publishing", 1), ("face_searched", 1), ("originals_downloaded", 1), ("originals_downloaded", 1)],
    ]
    assert said(own[CLINIC], *actions) == [
        *first,
        *[("named", 2), ("taken_back", 2), ("consent_given", 1), ("consent_given", 1), ("face_searched", 1), ("face_searched", 1)],
        *[("publishing", 2), ("face_searched", 1), ("originals_downloaded", 2)],
    ]
    for name, entries in own.items():
        assert {library for each in entries for library in each["libraries"]} == {two.of(name)}
        granted = [each for each in entries if each["action"] in ("access_granted", "library_added")]
        assert granted and all(each["detail"].split()[0] == str(two.of(name)) for each in granted)
        assert not {"member_added", "signed_in", "role_changed", "recognition_on"} & {each["action"] for each in entries}
    whole = await record(two, await two.server.team.member("zoe", Role.AUDITOR))
    assert sum(number for _, number in said(whole, "named")[-2:]) == 3
    assert len(whole) > len({each["id"] for entries in own.values() for each in entries})


async def test_who_reads_the_whole_record_can_read_it_of_one_library(two: TwoLibraries) -> None:
    await work_in_both(two)
    auditor = await two.member("aud", Sports=Role.AUDITOR)
    wanted = await record(two, auditor)
    for who in (await two.server.team.member("zoe", Role.AUDITOR), await two.server.team.member("ada2", Role.ADMINISTRATOR)):
        assert said(await record(two, who, f"&library={two.of(SPORTS)}")) == said(wanted)
        assert await record(two, who, f"&library={two.of(CLINIC)}") != wanted
    assert await record(two, auditor, f"&library={two.of(SPORTS)}") == wanted
    async with two.client(auditor) as client:
        assert (await client.get(f"/api/record?library={two.of(CLINIC)}")).status_code == 403


async def test_entries_of_before_are_the_servers(two: TwoLibraries) -> None:
    await work_in_both(two)
    with two.world.real.database.write() as tx:
        tx.execute(text("UPDATE audit SET libraries = '', version = 2"))
    auditor = await two.member("aud", Sports=Role.AUDITOR)
    assert said(await record(two, auditor)) == [("access_granted", 1)], "the only one since then"


async def test_the_record_is_verified_whole_and_only_names_of_ones_own_entries_are_told(two: TwoLibraries) -> None:
    await work_in_both(two)
    outside = await two.member("oda", Clinic=Role.VIEWER)
    auditor = await two.member("aud", Sports=Role.AUDITOR)
    entries = await record(two, auditor)
    async with two.client(auditor) as client:
        intact: dict[str, object] = {"entries": len(entries), "broken_at": None, "changed": []}
        assert (await client.post("/api/record/verify")).json() == intact
        assert json.loads((await client.post("/api/record/checks")).text.splitlines()[-1])["found"] == intact
        names = {each["name"] for each in (await client.get("/api/members/names")).json()["items"]}
        assert {"cora", "ed", "ada", "aud"} == names and outside.member.name not in names
        with two.world.real.database.write() as tx:
            theirs = tx.scalar(select(audit.c.id).where(audit.c.libraries == str(two.of(CLINIC))).limit(1))
            tx.execute(audit.update().where(audit.c.id == theirs).values(libraries=str(two.of(SPORTS))))
        assert (await client.post("/api/record/verify")).json()["broken_at"] == theirs


async def test_an_auditor_of_a_library_is_given_no_photo_person_path_or_count_of_it(two: TwoLibraries, served: Served) -> None:
    await copies_of_clinic(two, served)
    auditor = await two.member("aud", Sports=Role.AUDITOR)
    own = {"image_id": two.of("c1 image"), "person_id": two.of("Cleo"), "library_id": two.of(SPORTS), "place_id": two.of("c1 place")}
    told, given = [], set[str]()
    async with two.client(auditor) as client:
        for route in two.server.api.routes:
            if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()) or route.path == "/api/events":
                continue
            if declared(route) is None or "help" in route.path:
                continue
            path = filled(re.sub(r"\{(\w+)\}", lambda found: str(own.get(found[1], found[0])), route.path))
            answer = await client.get(path)
            assert answer.status_code != 500, path
            if answer.status_code == 200:
                given.add(route.path)
            if any(each.encode() in answer.content for each in ("secretroom", "Ben Secret", CLINIC, "Ann", "Cleo", "c1.jpg", "open/")):
                told.append(path)
        assert told == []
        assert {"/api/record", "/api/members/names", "/api/libraries", "/api/status"} <= given
        assert not any("images" in each or "people" in each or "incidents" in each or "folders" in each for each in given), given
        status = (await client.get("/api/status")).json()
        assert (status["images"], status["faces"], status["people"], status["folders"]) == (0, 0, 0, [])
        [mine] = (await client.get("/api/libraries")).json()["items"]
        assert (mine["name"], mine["photos"], mine["role"], mine["sources"], mine["members"]) == (SPORTS, 0, "auditor", [], [])


async def test_members_add_to_the_record_and_change_nothing_in_it(two: TwoLibraries) -> None:
    database, sports = two.world.real.database, frozenset({two.of(SPORTS)})
    refused = pytest.raises((StoreError, ProgrammingError))
    for change in ("DELETE FROM audit", "UPDATE audit SET number = 9"):
        with reaching(AccessScope(sports, audited=sports)), refused, database.write() as tx:
            tx.execute(text(change))
    with database.write() as tx:  # as one who hides the end of the log would
        tx.execute(text("DELETE FROM audit_head"))
        last = tx.scalar(text("SELECT max(id) FROM audit"))
    with reaching(AccessScope(sports)):
        two.world.real.audit_add("named", None, 1, NOW)
    assert two.world.real.audit_head().number == last + 1
    assert two.world.real.audit_broken_at() == last + 1
