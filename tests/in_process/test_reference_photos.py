"""A class list with portraits on a team server: read, entered, its photos sent one by one, and what recognition makes of them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from agent.domain.errors import ImageCorrupt
from agent.domain.face import Quality
from agent.features.consent.routes import consent_routes
from agent.features.library.records import Shown
from agent.features.people.routes import editing_routes
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.store.audit_log import AuditQueries
from agent.interfaces.web.access import Role
from agent.server.accounts.sign_in_throttle import SignInAttempts
from agent.server.libraries.library_choice import LibraryChoice
from agent.server.reference_photos.queries import ReferenceQueries
from agent.server.reference_photos.routes import MOST_OF_LIST, reference_routes
from agent.server.reference_photos.service import ReferencePhotos
from agent.server.subject_access.queries import ConsentLinkQueries
from agent.server.subject_access.service import ConsentLinks
from tests.in_process.test_people import face_of, identities, recognising
from tests.support.team_accounts import Team

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from agent.domain.face import Analysis
    from agent.inference.engine.analyser import Analyse
    from tests.support.in_process_agent import World
    from tests.support.team_accounts import SignedInMember

ROWS = [
    "姓名,出生日期,用途,监护人,照片",
    "王小明,2016-03-01,识别 公开,王明,小明.jpg",
    "李梅,2016-04-02,“识别”，-公开,李军,梅1.jpg;梅2.jpg".replace("“识别”，", "识别 "),
    "赵雷,2016-05-03,公开,赵强,雷.jpg",
]
MING, MEI, LEI = "王小明", "李梅", "赵雷"


class Class:
    """A server's routes of consent, asked by a curator."""

    def __init__(self, world: World, client: httpx.AsyncClient, curator: SignedInMember, team: Team) -> None:
        self.world, self.client, self.curator, self.team = world, client, curator, team
        self.libraries: list[tuple[int, str]] = []

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        answer = await self.client.request(method, path, headers=self.curator.headers, **more)
        return answer.json()

    async def read(self, rows: list[str], encoding: str = "utf-8") -> Any:
        return await self.ask("POST", "/api/consents/list", content="\n".join(rows).encode(encoding))

    async def enter(self) -> dict[str, int]:
        """Enter the list's people; return their ids."""
        read, ids = await self.read(ROWS), {}
        for each in read["people"]:
            person = {name: value for name, value in each.items() if name not in ("line", "new", "photos")}
            ids[each["name"]] = (await self.ask("POST", "/api/consents/people", json=person))["person_id"]
        return ids

    async def send(self, person: int, content: bytes, library: str = "") -> Any:
        return await self.ask("POST", f"/api/people/{person}/references?into={library}", content=content)

    async def references(self, person: int) -> Any:
        return await self.ask("GET", f"/api/people/{person}/references")

    async def undo(self, step: str) -> Any:
        return await self.ask("POST", "/api/undo", json={"undo": step})

    def who(self) -> dict[int, str | None]:
        return {face: name for face, (name, _) in identities(self.world).items()}


def held() -> set[str]:
    """Files of photos that were sent."""
    return {each.name for each in Path(tempfile.gettempdir()).glob("ai-popup-*.photo")}


@pytest_asyncio.fixture
async def school(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Class]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where no other test’s photos are on their way
    async with recognising(world):
        app, database = world.app, world.real.database
        team = Team(database)
        curator = await team.member("mei", Role.CURATOR)
        async with team.client() as client:
            made = Class(world, client, curator, team)
            choice = LibraryChoice(lambda: made.libraries)
            photos = ReferencePhotos(ReferenceQueries(database), app.people, app.identification, app.analyser, choice, app.environment)
            consent_routes(team.api, app.consents)
            editing_routes(team.api, app.people, world.real, world.real)
            reference_routes(team.api, photos, app.consents, lambda: app.settings, lambda: Texts("zh-CN"))
            yield made
        await team.settle()


async def test_a_list_is_read_and_nothing_is_entered(school: Class) -> None:
    read = await school.read([*ROWS, "孙悦,2016-05-03,识别,,", "王小明,,,,", "周,2016-13-01,,,"], "gb18030")
    assert [(each["name"], each["line"], each["new"], each["photos"]) for each in read["people"]] == [
        (MING, 2, True, ["小明.jpg"]),
        (MEI, 3, True, ["梅1.jpg", "梅2.jpg"]),
        (LEI, 4, True, ["雷.jpg"]),
        ("孙悦", 5, True, []),
    ]
    assert [(each["params"]["line"], each["params"]["column"]) for each in read["wrong"]] == [
        (5, "guardian"),
        (6, "name"),
        (7, "birth_date"),
    ]
    assert read["ignored"] == []
    misspelt = await school.read(["name,purpose,Valid until ,photos,", "Ming,recognise,,ming.jpg,"])
    assert (misspelt["ignored"], misspelt["people"][0]["purposes"]) == (["purpose", "photos"], [])
    assert "第 5 行" in read["wrong"][0]["cause"] and read["libraries"] == []
    assert school.world.real.people() == []
    await school.enter()
    assert [each["new"] for each in (await school.read(ROWS))["people"]] == [False] * 3
    assert (await school.read(["nickname", "Ming"]))["code"] == "people.list_unreadable"
    large = await school.ask("POST", "/api/consents/list", content=b"x" * (MOST_OF_LIST + 1))
    assert large["code"] == "people.list_too_large"


async def test_what_the_curator_can_correct_is_no_failure_of_the_server(school: Class) -> None:
    """A status of the server’s own would end an import, and count as an error of the server."""
    ask = school.client.request
    for content, status in ((b"nickname", 422), (b"x" * (MOST_OF_LIST + 1), 413)):
        assert (await ask("POST", "/api/consents/list", headers=school.curator.headers, content=content)).status_code == status
    child = {"name": MING, "birth_date": "2016-03-01", "purposes": ["recognise"], "basis": "own_consent"}
    answer = await ask("POST", "/api/consents/people", headers=school.curator.headers, json=child)
    assert (answer.status_code, answer.json()["code"]) == (422, "people.guardian_needed")


async def test_a_child_is_recognised_by_the_portrait_until_consent_is_withdrawn(school: Class) -> None:
    ids = await school.enter()
    before = held()
    for person, portrait in ((MING, b"a portrait"), (MEI, b"m portrait")):
        assert (await school.send(ids[person], portrait))["added"] is True
    for _ in range(2):
        assert await school.send(ids[MING], b"a portrait") == {"added": False, "undo": None, "resembles": None}
    assert held() == before, "no photo is kept"

    trip = await face_of(school.world, "trip.jpg", b"a on the trip")
    await school.world.until(lambda: school.who()[trip] == MING)
    assert len(school.world.real.index(Shown()).ids) == 1, "the portraits are no photos of the library"

    database = school.world.real.database
    links = ConsentLinks(
        ConsentLinkQueries(database),
        school.world.real,
        school.world.app.consents,
        SignInAttempts(school.team.queries, lambda: school.team.time),
        lambda: school.team.time,
    )
    own = await links.own_data((await links.make(ids[MING], 1)).secret, "10.0.0.1")
    assert (own.facts.person.references, own.embeddings, own.facts.photos) == (1, 2, 1)

    receipt = await school.ask("POST", f"/api/people/{ids[MING]}/consents/recognise/withdraw", json={})
    assert (receipt["embeddings"], receipt["chips"]) == (2, 2)
    assert school.who()[trip] is None
    again = await face_of(school.world, "again.jpg", b"a once more")
    assert school.who()[again] is None
    assert (await school.send(ids[MING], b"a portrait"))["code"] == "people.reference_without_consent"
    said = [each.action for each in AuditQueries(database).audit_entries(limit=100)]
    assert said.count("reference_added") == 2


async def test_one_reference_is_added_and_removed_on_a_persons_page_and_both_are_undone(school: Class) -> None:
    ids, world = await school.enter(), school.world
    assert await school.references(ids[MING]) == {"items": [], "libraries": [], "refusal": None}
    added = await school.send(ids[MING], b"a portrait")
    [shown] = (await school.references(ids[MING]))["items"]
    trip = await face_of(world, "trip.jpg", b"a on the trip")
    await world.until(lambda: school.who()[trip] == MING)

    removed = await school.ask("DELETE", f"/api/people/{ids[MING]}/references/{shown['id']}")
    assert (removed["count"], removed["person_id"]) == (1, ids[MING])
    assert school.who()[trip] is None and (await school.references(ids[MING]))["items"] == []
    again = await face_of(world, "again.jpg", b"a once more")
    assert school.who()[again] is None
    assert await school.undo(removed["undo"]) == {"action": "reference_removed", "count": 1, "partly": False}
    await world.until(lambda: school.who() == {trip: MING, again: MING})
    assert [each["id"] for each in (await school.references(ids[MING]))["items"]] == [shown["id"]]

    assert (await school.undo(added["undo"]))["action"] == "reference_added"
    assert school.who() == {trip: None, again: None} and (await school.references(ids[MING]))["items"] == []
    assert (await school.send(ids[MING], b"a portrait"))["added"] is True
    await world.until(lambda: school.who() == {trip: MING, again: MING})


async def test_members_who_may_not_add_one_see_them_and_curators_learn_why_none_can_be_added(school: Class) -> None:
    ids = await school.enter()
    assert (await school.send(ids[MING], b"a portrait"))["added"] is True
    [shown] = (await school.references(ids[MING]))["items"]
    assert (await school.references(ids[LEI]))["refusal"]["code"] == "people.reference_without_consent"
    school.libraries = [(1, "School"), (2, "Archive")]
    assert (await school.references(ids[MING]))["libraries"] == ["School", "Archive"]
    wrong = await school.ask("DELETE", f"/api/people/{ids[MEI]}/references/{shown['id']}")
    assert wrong["code"] == "people.no_such_face", "another person's"
    assert (await school.references(999))["code"] == "people.no_such_person"

    school.curator = await school.team.member("li", Role.VIEWER)
    assert await school.references(ids[LEI]) == {"items": [], "libraries": [], "refusal": None}
    assert len((await school.references(ids[MING]))["items"]) == 1
    assert (await school.send(ids[MING], b"b portrait"))["code"] == "access.forbidden"
    refused = await school.ask("DELETE", f"/api/people/{ids[MING]}/references/{shown['id']}")
    assert refused["code"] == "access.forbidden" and len((await school.references(ids[MING]))["items"]) == 1


async def test_a_photo_that_is_no_reference_is_refused_with_its_reason(school: Class) -> None:
    ids = await school.enter()
    analyser = school.world.analyser

    async def code(content: bytes, who: str = MING, library: str = "") -> str:
        return str((await school.send(ids[who], content, library))["code"])

    tasks = len(analyser.tasks)
    assert await code(b"l portrait", LEI) == "people.reference_without_consent"
    assert len(analyser.tasks) == tasks, "no photo of someone who did not agree is analysed"
    assert (await school.send(ids[MING], b"a portrait"))["added"] is True
    assert await code(b"a portrait", MEI) == "people.reference_taken"
    assert await code(b"b portrait", MEI, "nowhere") == "upload.library"
    school.libraries = [(1, "School"), (2, "Archive")]
    assert await code(b"b portrait", MEI) == "upload.library"
    school.libraries = []

    usual = analyser.analyse
    for faces, expected in ((0, "people.reference_no_face"), (2, "people.reference_several")):

        async def so_many(task: Analyse, faces: int = faces) -> Analysis:
            found = await usual(task)
            return replace(found, faces=found.faces * faces)

        analyser.analyse = so_many  # type: ignore[method-assign]
        assert await code(b"c portrait") == expected

    async def blurred(task: Analyse) -> Analysis:
        found = await usual(task)
        return replace(found, faces=tuple(replace(each, quality=Quality(40, 5, 0, 0)) for each in found.faces))

    analyser.analyse = blurred  # type: ignore[method-assign]
    assert await code(b"d portrait") == "people.reference_blurred"
    analyser.analyse = usual  # type: ignore[method-assign]
    analyser.always = ImageCorrupt()
    assert await code(b"e portrait") == "image.corrupt"
    analyser.always = None
    settings = school.world.app.settings
    await school.world.app.apply(settings.model_copy(update={"engine": settings.engine.model_copy(update={"max_megabytes": 1})}))
    assert await code(b"x" * 1_000_001) == "image.too_large"
    assert (await school.send(999, b"f"))["code"] == "people.no_such_person"
    assert [(each.faces, each.references) for each in school.world.real.people() if each.name == MING] == [(0, 1)]


async def test_a_reference_that_shows_another_person_is_taken_and_says_whom_it_shows(school: Class) -> None:
    ids = await school.enter()
    first = await school.send(ids[MING], b"a portrait")
    assert first["resembles"] is None, "no one else is known yet"
    assert (await school.send(ids[MEI], b"m portrait"))["resembles"] is None, "it resembles no one"
    assert (await school.send(ids[MEI], b"m once more"))["resembles"] is None, "it resembles her own"

    wrong = await school.send(ids[MEI], b"a once more")
    assert (wrong["added"], wrong["resembles"]) == (True, {"id": ids[MING], "name": MING})
    assert await school.undo(wrong["undo"]) == {"action": "reference_added", "count": 1, "partly": False}
    assert len((await school.references(ids[MEI]))["items"]) == 2

    await school.send(ids[MEI], b"a once more")
    assert (await school.send(ids[MEI], b"a a third time"))["resembles"] is None, "it is as near to her own now"


async def test_whom_a_reference_resembles_is_said_to_those_who_may_see_that_person(school: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await school.enter()
    await school.send(ids[MING], b"a portrait")
    monkeypatch.setattr(ReferenceQueries, "known_person", lambda *_: None)  # as row security answers for a person beyond reach
    wrong = await school.send(ids[MEI], b"a once more")
    assert (wrong["added"], wrong["resembles"]) == (True, None)


async def test_a_member_is_told_of_the_server_not_of_this_computer(school: Class) -> None:
    ids = await school.enter()
    settings = school.world.app.settings
    await school.world.app.apply(settings.model_copy(update={"recognition": settings.recognition.model_copy(update={"enabled": False})}))
    refused = await school.send(ids[MING], b"a portrait")
    assert refused["code"] == "people.recognition_off" and "The server then keeps" in refused["remedy"]
