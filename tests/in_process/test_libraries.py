"""A member with a role in one library finds nothing of another one: by no route, no id, no count, no event."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from sqlalchemy import insert, select, text

from agent.domain import reference_path
from agent.domain.edits import NameFacesEdit
from agent.domain.errors import Forbidden
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.schema import face, image, person, place, redaction, redaction_item
from agent.infrastructure.store.server_database import secured
from agent.interfaces.web.access import Role
from agent.interfaces.web.scoped_route import declared
from tests.in_process.test_roles import Asked, TeamServer, filled
from tests.support.in_process_agent import NOW
from tests.support.postgres_server import ON_SERVER, clear
from tests.support.team_accounts import ORIGIN
from tests.unit.interfaces.web.conftest import Served, served, shared_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agent.infrastructure.store.database import Database
    from tests.support.team_accounts import SignedInMember

__all__ = ["served", "shared_api"]  # fixtures

SPORTS, CLINIC = "Sports", "Clinic"
# Whatever is answered to a member of Sports holds none of these.
SECRETS = ("secretroom", "Ben Secret", CLINIC)
ROLES = (Role.CURATOR, Role.EDITOR, Role.VIEWER)


@pytest.fixture(params=ON_SERVER)
def library(on_server: Database) -> Iterator[RedactionQueries]:
    secured(on_server)
    yield RedactionQueries(on_server)
    clear(on_server)


class TwoLibraries:
    """Two photos in each; Ann is on those of Sports alone, Ben on those of Clinic, and Cleo on one of each."""

    def __init__(self, server: TeamServer, served: Served) -> None:
        self.server, self.world = server, served.world
        self.ids: dict[str, int] = {}
        self.uid = ""

    async def fill(self) -> None:
        roots = {name: self.world.folder / folder for name, folder in ((SPORTS, "open"), (CLINIC, "secretroom"))}
        for root in roots.values():
            root.mkdir()
        folders = [{"path": str(root)} for root in roots.values()]
        await self.world.app.apply(
            Settings.model_validate({"folders": folders, "recognition": {"enabled": True}, "consent": {"required": "never"}})
        )
        libraries = self.server.libraries
        await asyncio.to_thread(libraries.begin, "Photos")
        await libraries.remove(libraries.all[0].id)
        for name, root in roots.items():
            await libraries.add(name, for_all=False, sources=[str(root)], roles={})
        await self.world.index("open/a1.jpg", "open/c1.jpg", "secretroom/b1.jpg", "secretroom/c2.jpg")
        for name, face_ids in {"Ann": (1,), "Ben Secret": (3,), "Cleo": (2, 4)}.items():
            await self.world.app.people.edit(NameFacesEdit(face_ids=face_ids, name=name))
        with self.world.real.database.read() as tx:
            people = {row.name: row.id for row in tx.execute(select(person.c.name, person.c.id))}
            rows = tx.execute(
                select(place.c.path, place.c.id.label("place"), face.c.id.label("face"), image.c.id)
                .join_from(place, image, image.c.id == place.c.image_id)
                .join(face, face.c.image_id == image.c.id)
            )
            for row in rows:
                stem = row.path.rpartition("/")[2].partition(".")[0]
                self.ids |= {f"{stem} image": row.id, f"{stem} face": row.face, f"{stem} place": row.place}
        album = self.world.real.make_album("Ben Secret’s album", images=[self.ids["b1 image"]], library_id=self.library_of(CLINIC), now=NOW)
        self.ids["album"] = album.id
        self.ids |= people
        self.ids |= {each.name: each.id for each in libraries.all}

    def library_of(self, name: str) -> int:
        return next(each.id for each in self.server.libraries.all if each.name == name)

    def of(self, name: str) -> int:
        return self.ids[name]

    async def member(self, name: str, **roles: Role) -> SignedInMember:
        """A member with these roles, by library."""
        made = await self.server.team.member(name, Role.VIEWER)
        for library_name, role in roles.items():
            await self.server.libraries.grant(self.of(library_name), made.member.id, role)
        return made

    def client(self, member: SignedInMember) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.server.api, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=member.headers)


@pytest_asyncio.fixture
async def two(served: Served) -> AsyncIterator[TwoLibraries]:
    server = TeamServer(served)
    server.team.placed = server.libraries.placed
    made = TwoLibraries(server, served)
    async with served.world.running():
        await made.fill()
        yield made
        await server.team.settle()


async def copies_of_clinic(two: TwoLibraries, served: Served) -> tuple[str, int]:
    """The administrator has a photo of Clinic covered: the batch and its item."""
    administrator = await two.server.team.member("ada", Role.ADMINISTRATOR)
    async with two.client(administrator) as client:
        answer = await client.post("/api/redactions", json={"images": [two.of("b1 image")], "out": "secretroom copies"})
    assert answer.status_code == 200
    uid = answer.json()["uid"]
    await served.world.until(lambda: served.world.real.redaction_items(uid, limit=1).items[0].state != "planned")
    with served.world.real.database.read() as tx:
        item_id = tx.scalar(select(redaction_item.c.id).join(redaction).where(redaction.c.uid == uid))
    assert item_id is not None
    return uid, item_id


def asked_of_clinic(two: TwoLibraries, uid: str, item_id: int) -> dict[str, tuple[Any, ...]]:
    """Requests about Clinic's photos and people by routes whose ids are in the body or in the query, by method and path."""
    ben, cleo, b1, c2 = two.of("Ben Secret"), two.of("Cleo"), two.of("b1 face"), two.of("c2 face")
    a1, photo = two.of("a1 face"), two.of("b1 image")
    edits: tuple[Any, ...] = (
        {"kind": "name", "face_ids": [b1], "name": "Zed"},
        {"kind": "name", "face_ids": [a1, b1], "name": "Zed"},
        {"kind": "name", "face_ids": [a1], "person_id": ben},
        {"kind": "name_many", "people": [{"name": "Zed", "face_ids": [c2]}]},
        {"kind": "reject", "face_ids": [b1], "person_id": ben},
        {"kind": "unname", "face_ids": [b1]},
        {"kind": "ignore", "face_ids": [b1]},
        {"kind": "merge", "person_ids": [ben], "into": cleo},
        {"kind": "merge", "person_ids": [cleo], "into": two.of("Ann")},
        {"kind": "describe", "person_id": ben, "name": "Zed"},
        {"kind": "describe", "person_id": cleo, "name": "Zed"},
    )
    return {
        "POST /api/people/edits": edits,
        "POST /api/people": ({"face_id": b1, "name": "Zed"},),
        "POST /api/albums": ({"name": "x", "people": [ben]}, {"name": "x", "library": two.of(CLINIC)}),
        "PATCH /api/albums/{album_id}": ({"name": "x"},),
        **{f"POST /api/albums/{{album_id}}/images{end}": ({"ids": [two.of("a1 image")]},) for end in ("", "/remove", "/move")},
        "POST /api/redactions": ({"images": [photo], "out": "x"},),
        "POST /api/redactions/{uid}/accept": ({},),
        "PUT /api/redaction-items/{item_id}/marks": ({"marks": []},),
        "PUT /api/people/{person_id}/consents": ({"purposes": ["publish"]},),
        "POST /api/people/{person_id}/consents/{purpose}/withdraw": ({},),
    }


NOTHING: tuple[dict[str, Any], ...] = (
    {"count": 0},
    {"items": [], "total": 0},
    {"items": [], "total": 0, "changed_at": None},
    {"items": []},
    {"undo": None, "count": 0},
)


async def test_no_route_gives_or_changes_anything_of_another_library(two: TwoLibraries, served: Served) -> None:
    uid, item_id = await copies_of_clinic(two, served)
    members = [await two.member(role.value, Sports=role) for role in ROLES]
    ids = {
        "image_id": two.of("b1 image"),
        "person_id": two.of("Ben Secret"),
        "place_id": two.of("b1 place"),
        "item_id": item_id,
        "uid": uid,
        "library_id": two.of(CLINIC),
        "album_id": two.of("album"),
        "group_id": 1,
    }
    bodies = asked_of_clinic(two, uid, item_id)
    with served.world.real.database.read() as tx:
        before = contents(tx)
    routes = [each for each in two.server.api.routes if isinstance(each, APIRoute) and each.include_in_schema]
    passed: list[tuple[str, int, str]] = []
    for member in members:
        async with two.client(member) as client:
            for route in routes:
                if not any(f"{{{name}}}" in route.path for name in ids) and not any(
                    f"{each} {route.path}" in bodies for each in route.methods or ()
                ):
                    continue
                path = filled(re.sub(r"\{(\w+)\}", lambda found: str(ids.get(found[1], found[0])), route.path))
                for method in route.methods or ():
                    for body in bodies.get(f"{method} {route.path}", ({} if method in ("POST", "PUT", "PATCH") else None,)):
                        answer = await client.request(method, path, **({} if body is None else {"json": body}))
                        empty = answer.status_code == 200 and answer.json() in NOTHING
                        if not empty and answer.status_code not in (403, 404) and answer.json().get("code") != "libraries.person_elsewhere":
                            passed.append((f"{method} {route.path}", answer.status_code, answer.text))
    assert passed == [], "\n".join(map(str, passed))
    with served.world.real.database.read() as tx:
        assert contents(tx) == before


def contents(tx: Any) -> dict[str, list[Any]]:
    """What nobody in Sports may change."""
    tables: tuple[str, ...] = (
        "image",
        "face",
        "identity",
        "person",
        "consent",
        "redaction",
        "redaction_item",
        "rejection",
        "ignored",
        "library_access",
    )
    tables += ("album", "album_image", "album_person")
    return {name: [tuple(row) for row in tx.execute(text(f"SELECT * FROM {name} AS t ORDER BY CAST(t AS TEXT)"))] for name in tables}


QUERIES = {
    "/api/library": (
        *("", "?folder=Clinic", "?text=b1", "?unnamed=true", "?images={b1 image}", "?people={Ben Secret}", "?people={Cleo}"),
        *("?album={album}", "?library={Clinic}"),
    ),
    "/api/images/by-id": ("?ids={b1 image},{c2 image}",),
    "/api/folders/inside": ("?path=Clinic", "?path=Sports", "?path={root}"),
    "/api/doubts": ("", "?person_id={Ben Secret}"),
    "/api/consents": ("?ending_within_days=3650",),
}


async def test_no_answer_holds_a_name_a_path_or_a_photo_of_another_library(two: TwoLibraries, served: Served) -> None:
    await copies_of_clinic(two, served)
    for role in ROLES:
        await find_nothing_of_clinic(two, served, role)


async def find_nothing_of_clinic(two: TwoLibraries, served: Served, role: Role) -> None:
    member = await two.member(role.value, Sports=role)
    values = {**two.ids, "root": str(served.world.folder / "secretroom")}
    told, hidden = [], [two.of("b1 image"), two.of("c2 image")]
    own = {"image_id": two.of("c1 image"), "person_id": two.of("Cleo"), "library_id": two.of(SPORTS)}
    async with two.client(member) as client:
        for route in two.server.api.routes:
            if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()) or route.path == "/api/events":
                continue
            path = filled(re.sub(r"\{(\w+)\}", lambda found: str(own.get(found[1], found[0])), route.path))
            for query in QUERIES.get(route.path, ("",)):
                answer = await client.get(path + query.format_map(values))
                assert answer.status_code != 500, path
                if declared(route) is None or "help" in path:
                    continue
                leaks = [each for each in (*SECRETS, str(served.world.folder)) if each.encode() in answer.content]
                if leaks:
                    told.append((path + query, leaks))
        assert told == [], told
        index = (await client.get("/api/library")).json()
        assert index["total"] == 2 and not set(index["ids"]) & set(hidden)
        status = (await client.get("/api/status")).json()
        assert {name: status[name] for name in ("images", "faces", "people")} == {"images": 2, "faces": 2, "people": 2}
        assert [(each["path"], each["name"]) for each in status["folders"]] == [(SPORTS, SPORTS)]
        people = (await client.get("/api/people")).json()
        assert [(each["name"], each["faces"]) for each in people] == [("Ann", 1), ("Cleo", 1)]
        assert (await client.get(f"/api/people/{two.of('Cleo')}/faces")).json()["total"] == 1
        photo = (await client.get(f"/api/images/{two.of('c1 image')}")).json()
        assert (photo["path"], photo["folder"], photo["places"]) == ("Sports/c1.jpg", SPORTS, 1)
        assert (await client.get("/api/library?folder=Sports")).json()["total"] == 2
        assert (await client.get(f"/api/library?folder={served.world.folder / 'open'}")).status_code == 404
        [mine] = (await client.get("/api/libraries")).json()["items"]
        assert (mine["name"], mine["photos"], mine["role"], mine["sources"], mine["members"]) == (SPORTS, 2, role.value, [], [])


async def test_a_reference_photo_is_none_of_a_librarys_photos(two: TwoLibraries) -> None:
    before = await two.server.libraries.photo_counts()
    reference = {"source": reference_path.SOURCE, "path": reference_path.path_of("key"), "size": 0, "mtime_ns": 0, "noted_at": NOW}
    with two.world.real.database.write() as tx:
        tx.execute(insert(place).values(reference | {"image_id": two.of("b1 image"), "library_id": two.of(SPORTS)}))
    assert await two.server.libraries.photo_counts() == before == {two.of(SPORTS): 2, two.of(CLINIC): 2}


async def test_roles_hold_in_their_library_alone(two: TwoLibraries) -> None:
    member = await two.member("mia", Sports=Role.EDITOR, Clinic=Role.VIEWER)
    async with two.client(member) as client:
        assert (await client.get("/api/library")).json()["total"] == 4
        own = await client.post("/api/redactions", json={"images": [two.of("a1 image"), two.of("b1 image")], "out": "x"})
        assert own.status_code == 200 and own.json()["planned"] + own.json()["done"] + own.json()["needs_review"] == 1
        assert (await client.post("/api/redactions", json={"images": [two.of("b1 image")], "out": "x"})).status_code == 404
        assert (await client.get(f"/api/images/{two.of('b1 image')}/original")).status_code == 404
        assert (await client.get(f"/api/images/{two.of('a1 image')}/original")).status_code == 200
        hidden = await client.post("/api/library/actions", json={"action": "hide", "ids": [two.of("b1 image"), two.of("a1 image")]})
        assert hidden.json()["count"] == 1
        assert (await client.post("/api/library/undo", json={"undo": hidden.json()["undo"]})).status_code == 204
    await two.server.libraries.revoke(two.of(CLINIC), member.member.id)
    async with two.client(member) as client:
        assert (await client.get("/api/library")).json()["total"] == 2, "what was remembered for the other reach is not given again"


async def test_one_of_several_libraries_is_chosen_for_what_is_read(two: TwoLibraries) -> None:
    member = await two.member("mia", Sports=Role.EDITOR, Clinic=Role.VIEWER)
    administrator = await two.server.team.member("ada", Role.ADMINISTRATOR)
    sports, clinic = two.of(SPORTS), two.of(CLINIC)
    for who in (member, administrator):
        async with two.client(who) as client:

            async def get(path: str, client: httpx.AsyncClient = client) -> Any:
                return (await client.get(path)).json()

            assert (await get("/api/library"))["total"] == 4
            assert set((await get(f"/api/library?library={sports}"))["ids"]) == {two.of("a1 image"), two.of("c1 image")}
            assert [each["name"] for each in await get(f"/api/people?library={sports}")] == ["Ann", "Cleo"]
            assert [each["name"] for each in await get(f"/api/people?library={clinic}")] == ["Ben Secret", "Cleo"]
            assert [(await get(f"/api/status?library={sports}"))[name] for name in ("images", "people")] == [2, 2]
            assert [each["name"] for each in (await get(f"/api/status?library={sports}"))["folders"]] == [SPORTS]
            assert [len((await get(f"/api/albums?library={each}"))["items"]) for each in (sports, clinic)] == [0, 1]
            assert (await client.get(f"/api/images/{two.of('b1 image')}?library={sports}")).status_code == 404
            [alike] = (await client.post(f"/api/search/face?library={sports}", content=b"o photo")).json()["faces"]
            assert {each["image_id"] for each in alike["found"]} == {two.of("a1 image"), two.of("c1 image")}
            for unknown in (str(clinic + 7), "x", "", f"0{sports}"):
                assert (await client.get(f"/api/library?library={unknown}")).status_code in (200, 403)
                assert (await get(f"/api/library?library={unknown}")).get("total", 0) == 0
    outsider = await two.member("oda", Sports=Role.VIEWER)
    async with two.client(outsider) as client:
        assert (await client.get(f"/api/library?library={clinic}")).status_code == 403


async def test_a_curator_names_faces_for_all_libraries_and_changes_people_of_their_own_alone(two: TwoLibraries, served: Served) -> None:
    member = await two.member("cora", Sports=Role.CURATOR)
    async with two.client(member) as client:

        async def edit(**said: Any) -> int:
            return (await client.post("/api/people/edits", json=said)).status_code

        assert await edit(kind="describe", person_id=two.of("Ann"), name="Anna") == 200
        assert await edit(kind="describe", person_id=two.of("Cleo"), name="Zed") == 409
        assert await edit(kind="unname", face_ids=[two.of("c1 face")]) == 200
        # The same name is the same person everywhere, and tells nothing of what is noted about them elsewhere.
        assert await edit(kind="name", face_ids=[two.of("a1 face")], name="Ben Secret") == 200
        ben = (await client.get(f"/api/people/{two.of('Ben Secret')}")).json()
        assert (ben["name"], ben["photos"], ben["notes"]) == ("Ben Secret", 2, "")
        assert (await client.post("/api/undo", json={})).status_code == 200
        assert (await client.get(f"/api/people/{two.of('Ben Secret')}")).status_code == 404
        listed = await client.post("/api/consents/people", json={"name": "Ben Secret", "purposes": ["publish"]})
        assert (listed.status_code, listed.json()["code"]) == (409, "libraries.person_elsewhere")
    assert two.world.real.person_names()[two.of("Ben Secret")] == "Ben Secret"


async def test_a_persons_own_link_and_legal_basis_are_made_by_who_curates_all_their_libraries(two: TwoLibraries) -> None:
    curator, administrator = await two.member("cora", Sports=Role.CURATOR), await two.server.team.member("ada", Role.ADMINISTRATOR)
    cleo, face_id = two.of("Cleo"), two.of("c1 face")
    async with two.client(curator) as client, two.client(administrator) as all_of_it:
        # By the link all is told that any library holds of the person.
        refused = await client.post(f"/api/people/{cleo}/consent-link", json={})
        assert (refused.status_code, refused.json()["code"]) == (409, "libraries.person_elsewhere")
        assert (await client.post(f"/api/people/{two.of('Ann')}/consent-link", json={})).status_code == 200
        assert (await all_of_it.post(f"/api/people/{cleo}/consent-link", json={})).status_code == 200
        for known in ({"person_id": cleo}, {"name": "Cleo"}, {"name": "Ben Secret"}):
            asked = {"kind": "name", "face_ids": [face_id], "basis": "contract", **known}
            refused = await client.post("/api/people/edits", json=asked)
            assert (refused.status_code, refused.json()["code"]) == (409, "libraries.person_elsewhere")
        named = {"kind": "name", "face_ids": [face_id], "basis": "contract", "name": "Somebody new"}
        assert (await client.post("/api/people/edits", json=named)).status_code == 200
    assert two.world.real.person(cleo).basis is None  # type: ignore[union-attr]


async def test_a_step_is_undone_only_where_its_member_may_still_take_it(two: TwoLibraries) -> None:
    member = await two.member("cora", Sports=Role.CURATOR, Clinic=Role.CURATOR)
    mine, theirs = two.of("a1 face"), two.of("b1 face")
    async with two.client(member) as client:

        async def named(face_id: int, name: str) -> str:
            said = {"kind": "name", "face_ids": [face_id], "name": name}
            return str((await client.post("/api/people/edits", json=said)).json()["undo"])

        async def undone(path: str, token: str) -> int:
            return (await client.post(path, json={"undo": token})).status_code

        def who(face_id: int) -> str | None:
            known = two.world.real.identity_of(face_id)
            return None if known is None else two.world.real.person_names()[known.person_id]

        in_sports, in_clinic = await named(mine, "Zed"), await named(theirs, "Yan")
        hidden = (await client.post("/api/library/actions", json={"action": "hide", "ids": [two.of("b1 image")]})).json()["undo"]
        await two.server.libraries.grant(two.of(CLINIC), member.member.id, Role.EDITOR)
        for path in ("/api/undo", "/api/library/undo"):
            assert await undone(path, in_clinic) == 404
        assert await undone("/api/library/undo", hidden) == 204, "an editor hides photos"
        hidden = (await client.post("/api/library/actions", json={"action": "hide", "ids": [two.of("b1 image")]})).json()["undo"]
        await two.server.libraries.revoke(two.of(CLINIC), member.member.id)
        assert await undone("/api/library/undo", hidden) == 404 and await undone("/api/library/undo", in_clinic) == 404
        assert (who(mine), who(theirs)) == ("Zed", "Yan")
        assert await undone("/api/library/undo", in_sports) == 204 and who(mine) == "Ann"
        await two.server.libraries.revoke(two.of(SPORTS), member.member.id)
        await two.server.libraries.grant(two.of(CLINIC), member.member.id, Role.CURATOR)
        assert (await client.post("/api/redo", json={})).status_code == 404 and who(mine) == "Ann"
        assert await undone("/api/undo", in_clinic) == 200


async def test_a_name_is_begun_on_faces_within_reach_alone(two: TwoLibraries) -> None:
    library, mine, theirs = two.world.real, two.of("a1 face"), two.of("b1 face")
    sports, clinic = (AccessScope(frozenset({two.of(name)})) for name in (SPORTS, CLINIC))
    with acting_as("a" * 32), reaching(sports):
        for face_id in (mine, theirs):
            library.put_draft(face_id, "Zed", NOW)
        assert library.drafts() == ((mine, "Zed"),)
    with acting_as("a" * 32), reaching(clinic):
        assert library.drafts() == ()
    with acting_as("b" * 32), reaching(sports):
        assert library.drafts() == ()


async def test_who_is_not_to_be_shown_inside_is_named_to_none_but_those_who_know_consents(two: TwoLibraries) -> None:
    viewer, curator = await two.member("vic", Sports=Role.VIEWER), await two.member("cora", Sports=Role.CURATOR)
    ann = two.of("Ann")
    async with two.client(viewer) as client, two.client(curator) as knows:
        assert (await client.get(f"/api/people/{ann}")).status_code == 200
        assert (await knows.put(f"/api/people/{ann}/consents", json={"refused": ["show_inside"]})).status_code == 200
        assert (await client.get(f"/api/people/{ann}")).status_code == 404
        assert [each["name"] for each in (await client.get("/api/people")).json()] == ["Cleo"]
        assert (await client.get(f"/api/library?people={ann}")).json()["total"] == 0
        [shown] = (await client.get(f"/api/images/{two.of('a1 image')}")).json()["faces"]
        assert (shown["person"], shown["person_id"], shown["certainty"]) == (None, None, None)
        [shown] = (await knows.get(f"/api/images/{two.of('a1 image')}")).json()["faces"]
        assert shown["person"] == "Ann"
        assert (await knows.put(f"/api/people/{ann}/consents", json={"purposes": ["show_inside"]})).status_code == 200
        assert (await client.get(f"/api/people/{ann}")).status_code == 200


async def test_the_face_of_who_is_not_to_be_shown_inside_is_covered_until_they_agree(two: TwoLibraries) -> None:
    viewer, curator = await two.member("vic", Sports=Role.VIEWER), await two.member("cora", Sports=Role.CURATOR)
    editor = await two.member("ed", Sports=Role.EDITOR)
    ann, photo, rendered = two.of("Ann"), f"/api/images/{two.of('a1 image')}", two.world.analyser.hidden
    kinds = ("preview", "thumbnail", "preview?side=960")

    async def covered(asking: httpx.AsyncClient) -> list[int]:
        """How many faces were covered in each of the pictures that had to be rendered for it."""
        rendered.clear()
        for kind in kinds:
            assert (await asking.get(f"{photo}/{kind}")).status_code == 200
        return [len(each) for each in rendered]

    async with two.client(viewer) as client, two.client(curator) as knows, two.client(editor) as exports:
        [face] = (await knows.get(photo)).json()["faces"]
        assert 1 not in await covered(client)
        assert (await knows.put(f"/api/people/{ann}/consents", json={"refused": ["show_inside"]})).status_code == 200
        assert 1 not in await covered(knows), "who knows consents sees the face"
        assert set(await covered(client)) == {1}
        [[box]] = {each for each in rendered if each}
        shown = (await client.get(photo)).json()
        left, top, width, height = face["box"]
        assert box.x * shown["width"] < left and box.y * shown["height"] < top, "with a margin"
        assert (box.x + box.w) * shown["width"] > left + width and (box.y + box.h) * shown["height"] > top + height
        assert 1 not in await covered(knows), "what was covered for one is not shown to the other"
        assert (await exports.get(f"{photo}/original")).status_code == 200
        with reaching(AccessScope(frozenset({two.of(SPORTS)}))), pytest.raises(Forbidden):  # as by a token without insight into consents
            await two.world.app.actions.original(two.of("a1 image"))
        assert (await knows.put(f"/api/people/{ann}/consents", json={"purposes": ["show_inside"]})).status_code == 200
        assert 1 not in await covered(client), "at once"


async def test_a_search_by_face_finds_and_names_nobody_of_another_library(two: TwoLibraries) -> None:
    member = await two.member("mia", Sports=Role.EDITOR)
    async with two.client(member) as client:
        for content, found in ((b"s", 0), (b"o", 2)):
            answer = await client.post("/api/search/face", content=content + b" photo")
            [alike] = answer.json()["faces"]
            assert len(alike["found"]) == found
            assert alike["person_id"] in (two.of("Ann"), two.of("Cleo")), "the matcher knows Ben, too"


async def test_events_tell_of_ones_own_libraries_alone(two: TwoLibraries) -> None:
    member = await two.member("mia", Sports=Role.VIEWER)
    asked = Asked(two.server.api)
    assert await asked.begin("GET", "/api/events", {**member.headers, "last-event-id": "0"}) == 200
    await two.world.index("secretroom/d1.jpg", "open/d2.jpg")
    with two.world.real.database.read() as tx:
        last = tx.scalar(select(place.c.image_id).where(place.c.path == str(two.world.folder / "open/d2.jpg")))
    told: list[dict[str, Any]] = []
    while not any(each.get("image_id") == last for each in told):
        for line in (await asked.next())["body"].decode().splitlines():
            if line.startswith("data: "):
                told.append(json.loads(line.removeprefix("data: ")))
    await asked.leave()
    seen = {each["image_id"] for each in told if each.get("image_id")}
    assert seen == {two.of("a1 image"), two.of("c1 image"), last}
    assert two.of("Ben Secret") not in {each.get("person_id") for each in told}
    assert max(each["images"] for each in told if "images" in each) <= 3


async def test_the_same_content_in_two_libraries_is_seen_in_each_by_its_own_file(two: TwoLibraries, served: Served) -> None:
    (served.world.folder / "open" / "copy.jpg").write_bytes((served.world.folder / "secretroom" / "b1.jpg").read_bytes())
    seen = served.world.file("open/copy.jpg", b"secretroom/b1.jpg")
    member = await two.member("mia", Sports=Role.VIEWER)
    async with two.client(member) as client:
        assert (await client.get(f"/api/images/{two.of('b1 image')}")).status_code == 404
        await served.world.app.ingest.note(seen, 1)  # type: ignore[arg-type]
        await served.world.until(lambda: len(served.world.real.image(two.of("b1 image")).places) == 2)  # type: ignore[union-attr]
        photo = (await client.get(f"/api/images/{two.of('b1 image')}")).json()
        assert (photo["path"], photo["places"], photo["faces"][0]["person"]) == ("Sports/copy.jpg", 1, "Ben Secret")


async def test_what_is_derived_is_what_the_files_say(two: TwoLibraries) -> None:
    libraries = two.server.libraries
    root = str(two.world.folder / "secretroom")
    await libraries.put_source(two.of(SPORTS), root)
    assert derived(two) == {("image", (two.of(SPORTS),), 4), ("face", (two.of(SPORTS),), 4), ("identity", (two.of(SPORTS),), 4)}
    await libraries.drop_source(two.of(SPORTS), root)
    expected = {(table, libs, 2) for table in ("image", "face", "identity") for libs in ((two.of(SPORTS),), ())}
    assert derived(two) == expected
    await libraries.remove(two.of(SPORTS))
    assert derived(two) == {("image", (), 4), ("face", (), 4), ("identity", (), 4)}
    await asyncio.to_thread(libraries.begin, "Photos")
    assert [each.name for each in libraries.all] == [CLINIC], "removing libraries makes no folder visible to all"


def derived(two: TwoLibraries) -> set[tuple[str, tuple[int, ...], int]]:
    with two.world.real.database.read() as tx:
        return {
            (table, tuple(row[0]), row[1])
            for table in ("image", "face", "identity")
            for row in tx.execute(text(f"SELECT libraries, count(*) FROM {table} GROUP BY libraries"))
        }


async def test_a_first_library_is_everyones_and_ends_being_so_with_the_second(two: TwoLibraries) -> None:
    libraries, world = two.server.libraries, two.world
    with world.real.database.write() as tx:
        tx.execute(text("DELETE FROM library"))
        tx.execute(text("DELETE FROM library_source"))
    await asyncio.to_thread(libraries.begin, "Photos")
    member = await two.server.team.member("vic", Role.VIEWER)
    async with two.client(member) as client:
        assert (await client.get("/api/library")).json()["total"] == 4
        await libraries.add(CLINIC, for_all=False, sources=[str(world.folder / "secretroom")], roles={})
        assert (await client.get("/api/library")).json()["total"] == 2
    assert [(each.name, each.for_all, len(each.sources)) for each in libraries.all] == [(CLINIC, False, 1), ("Photos", True, 1)]
