"""Every route of a team server is asked as every role, and its event streams end with the right to read them."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest_asyncio
from fastapi.routing import APIRoute
from sqlalchemy import insert

from agent.app import http
from agent.app.server.alerts import unstored_alert
from agent.app.server.backups import backups_of_server
from agent.app.server.buckets import buckets_of
from agent.app.server.features import Site, add_routes, rooms_of
from agent.domain.errors import SignInRequired
from agent.features.people.vectors.vector_rows import IndexState
from agent.infrastructure.core.actor import HERE, actor
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.schema import person as person_table
from agent.infrastructure.store.schema import worker as worker_table
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.interfaces.web.access import SCOPES, Role, Scope, needs
from agent.interfaces.web.help_routes import Places
from agent.interfaces.web.scoped_route import MOST_OF_A_MEMBER, MOST_OF_A_STRANGER
from agent.interfaces.web.tls_trust import ServerTrust
from agent.server.workers.queries.worker_rows import WorkerQueries
from scripts.openapi import TARGET
from tests.support.team_accounts import LOCAL_TOKEN, ORIGIN, Team
from tests.unit.interfaces.web.conftest import Served, served, shared_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from fastapi import FastAPI
    from starlette.types import Message

    from tests.support.team_accounts import SignedInMember

__all__ = ["served", "shared_api"]  # fixtures

VALUES = {
    "key": "popup.burst",
    "page": "errors",
    "name": "guide",
    "uid": "a",
    "word": "x",
    "pick": "x",
    "token": "x",
    "purpose": "publish",
    "upload_id": "0" * 32,
    "number": "999",
}


async def nothing_to_find() -> IndexState:
    return IndexState(0, None)


@dataclass
class Asked:
    """One request, by hand: streams have no end, and are left when their answer began."""

    api: FastAPI
    messages: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None
    body: bytes = b""
    address: str = "10.0.0.9"
    seen: list[Message] = field(default_factory=list)

    async def begin(self, method: str, path: str, headers: Mapping[str, str]) -> int:
        """Returns the status."""
        named = {"host": "photos.example:8443", "content-type": "application/json", **headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path.partition("?")[0],
            "raw_path": path.partition("?")[0].encode(),
            "query_string": path.partition("?")[2].encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": (self.address, 1),
            "server": ("photos.example", 8443),
            "root_path": "",
        }
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                await asyncio.Event().wait()
            sent = True
            return {"type": "http.request", "body": self.body, "more_body": False}

        self.task = asyncio.create_task(self.api(scope, receive, self.messages.put))
        start = await self.next()
        assert start["type"] == "http.response.start"
        return int(start["status"])

    async def next(self) -> Message:
        assert self.task is not None
        getting = asyncio.create_task(self.messages.get())
        await asyncio.wait({getting, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if not getting.done():
            getting.cancel()
        self.seen.append(getting.result() if getting.done() and not getting.cancelled() else self.messages.get_nowait())
        return self.seen[-1]

    async def leave(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


class TeamServer:
    """The API of a team server over a whole agent."""

    def __init__(self, served: Served) -> None:
        self.team = Team(served.world.real.database)
        self.seen: list[str] = []
        paths = AppPaths.find({"AI_POPUP_HOME": str(served.world.folder.parent / "home")})
        site = Site(
            paths=paths,
            file=served.settings,
            texts=lambda: Texts("en"),
            name=lambda: "photos",
            address=lambda: ORIGIN,
            pinned=lambda _: ServerTrust("AB:CD", ""),
            expires=lambda: datetime.max.replace(tzinfo=UTC),
            unstored=unstored_alert(served.settings, paths),
        )
        workers = WorkerQueries(served.world.real.database)
        buckets = buckets_of(
            served.world.real.database, FileSecretStore(paths.keys), lambda: served.world.app.settings, served.world.app.now
        )
        self.buckets = buckets.buckets
        backups = backups_of_server(served.world.real.database, None, lambda: served.world.app.settings, paths, served.world.app.now)
        rooms = rooms_of(site, served.world.app, self.team.accounts, workers, nothing_to_find, self.buckets, backups)
        self.libraries = rooms.libraries

        def routes(api: FastAPI) -> None:
            add_routes(api, rooms)

            @api.get("/api/actor", openapi_extra=needs(Scope.STATUS_READ))
            async def whose() -> str:
                return await asyncio.to_thread(actor.get)

        self.data = served.world.folder.parent / "data"
        context = replace(served.context, places=Places(self.data, self.data / "logs"))
        self.api = http.create_app(context, lambda: 8443, http.Team(self.team.access(), routes))

    async def status(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", address: str = "10.0.0.9") -> int:
        asked = Asked(self.api, body=body, address=address)
        try:
            return await asked.begin(method, path, headers)
        finally:
            await asked.leave()

    async def answer(self, path: str, headers: Mapping[str, str], *, status: int = 200) -> Any:
        asked = Asked(self.api, address="127.0.0.1")
        try:
            assert await asked.begin("GET", path, headers) == status
            return json.loads((await asked.next())["body"])
        finally:
            await asked.leave()


@pytest_asyncio.fixture
async def server(served: Served) -> AsyncIterator[TeamServer]:
    made = TeamServer(served)
    async with served.world.running():
        yield made
        await made.team.settle()


def table() -> dict[tuple[str, str], Scope]:
    """The scope of every route, as the API's published description says."""
    paths = json.loads(TARGET.read_text(encoding="utf-8"))["paths"]
    return {(method.upper(), path): Scope(told["x-scope"]) for path, methods in paths.items() for method, told in methods.items()}


def filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: VALUES.get(found[1], "1"), path)


async def test_every_route_answers_every_role_as_the_table_says(server: TeamServer) -> None:
    said, team = table(), server.team
    routes = [each for each in server.api.routes if isinstance(each, APIRoute) and each.include_in_schema and each.path != "/api/actor"]
    asked = {(method, route.path) for route in routes for method in route.methods or ()}
    # the desktop's own
    here = ("/api/session", "/api/team")
    assert {each for each in said if not each[1].startswith(here)} == asked
    assert len(asked) > 130
    members = {role: await team.member(role.value, role) for role in Role}
    wrong = []
    for method, path in sorted(asked):
        scope = said[method, path]
        if path in ("/api/account/sign-out", "/api/account/provider/sign-out", "/api/account/sessions", "/api/account/password"):
            continue  # they end the sessions that ask: below
        if (method, path) == ("DELETE", "/api/desk"):
            continue  # a computer's token ends itself: no member's session can
        for role, member in members.items():
            status = await server.status(method, filled(path), member.headers)
            expected = scope is Scope.OPEN or scope in SCOPES[role]
            if status == 401 or (status != 403) != expected:
                wrong.append((role.value, method, path, scope.value, status))
        nobody = await server.status(method, filled(path), {})
        if (nobody != 401) != (scope is Scope.OPEN):
            wrong.append(("nobody", method, path, scope.value, nobody))
    assert wrong == []
    for role, member in members.items():
        assert await server.status("GET", "/api/account", member.headers) == 200, role
        assert await server.status("POST", "/api/account/sign-out", member.headers) == 204, role
        assert await server.status("GET", "/api/account", member.headers) == 401, role


async def test_a_token_of_one_scope_opens_its_routes_alone(server: TeamServer) -> None:
    said, team = table(), server.team
    editor = await team.member("eva", Role.EDITOR)
    _, secret = await team.accounts.tokens.add(editor.member, "x", [Scope.PHOTOS_READ], 1)
    bearer = {"authorization": f"Bearer {secret}"}
    for (method, path), scope in said.items():
        if method == "GET" and scope is not Scope.OPEN and not path.startswith(("/api/account", "/api/session", "/api/team")):
            status = await server.status(method, filled(path), bearer)
            assert (status != 403) == (scope is Scope.PHOTOS_READ), (path, status)


async def test_what_is_done_is_done_as_the_member_who_asked(server: TeamServer) -> None:
    ben = await server.team.member("ben", Role.VIEWER)
    assert await server.answer("/api/actor", ben.headers) == ben.member.id
    assert await server.answer("/api/actor", {"authorization": f"Bearer {LOCAL_TOKEN}"}) == HERE
    assert actor.get() == HERE


async def test_a_token_that_reads_covered_copies_sees_no_original(server: TeamServer) -> None:
    eva = await server.team.member("eva", Role.EDITOR)
    copies, both = [Scope.REDACTION_READ], [Scope.REDACTION_READ, Scope.PHOTOS_READ]
    for scopes, of, status in ((copies, "original", 403), (copies, "copy", 404), (both, "original", 404)):
        _, secret = await server.team.accounts.tokens.add(eva.member, "x", scopes, 1)
        asked = await server.status("GET", f"/api/redaction-items/7/preview?of={of}", {"authorization": f"Bearer {secret}"})
        assert asked == status, (scopes, of)


async def test_the_local_token_is_worth_nothing_elsewhere(server: TeamServer) -> None:
    local = {"authorization": f"Bearer {LOCAL_TOKEN}"}
    for address, status in [
        ("127.0.0.1", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("::ffff:10.0.0.9", 401),
        ("10.0.0.9", 401),
        ("", 401),
    ]:
        assert await server.status("GET", "/api/account", local, address=address) == status


async def test_members_have_copies_written_below_the_servers_folder_alone(server: TeamServer, served: Served) -> None:
    served.world.put("a.jpg")
    editor = await server.team.member("eva", Role.EDITOR)
    for out, status in [("/etc", 403), ("../elsewhere", 403), ("~", 403), (str(served.world.folder), 403), ("party", 200)]:
        body = json.dumps({"images": [1], "out": out}).encode()
        assert await server.status("POST", "/api/redactions", editor.headers, body) == status, out
    [batch] = (await server.answer("/api/redactions", editor.headers))["items"]
    item = await asyncio.to_thread(lambda: served.world.real.redaction_items(batch["uid"], limit=1, offset=0).items[0])
    assert item.target.startswith(str(server.data / "copies" / "party"))


async def test_only_those_who_manage_the_machine_see_where_its_files_are(server: TeamServer) -> None:
    viewer, administrator = await server.team.member("vic", Role.VIEWER), await server.team.member("ada", Role.ADMINISTRATOR)
    seen = await server.answer("/api/about", viewer.headers)
    assert seen["version"] and (seen["data"], seen["settings"], seen["logs"]) == ("", "", "")
    assert (await server.answer("/api/about", administrator.headers))["settings"].endswith("settings.toml")


async def test_only_those_who_manage_the_machine_see_the_hosts_of_workers(server: TeamServer, served: Served) -> None:
    now = datetime.now(UTC)
    facts = {"uid": "w", "name": "worker-1", "host": "attic.internal", "state": "idle", "started_at": now, "seen_at": now, "batches": []}
    with served.world.real.database.write() as tx:
        tx.execute(insert(worker_table).values(facts | {"done": 0, "errors": 0, "rate": 0.0}))
    [worker] = (await server.answer("/api/workers", (await server.team.member("ada", Role.ADMINISTRATOR)).headers))["items"]
    assert worker["host"] == "attic.internal"
    for role in set(Role) - {Role.ADMINISTRATOR}:
        await server.answer("/api/workers", (await server.team.member(role.value, role)).headers, status=403)


async def test_only_those_who_describe_people_read_what_is_noted_about_them(server: TeamServer, served: Served) -> None:
    facts = {"name": "Mei", "notes": "allergic to nuts", "birth_date": date(2016, 3, 1), "created_at": datetime.now(UTC), "uid": "a" * 32}
    with served.world.real.database.write() as tx:
        tx.execute(insert(person_table).values(facts | {"id": 1}))
    viewer, curator = await server.team.member("vic", Role.VIEWER), await server.team.member("cora", Role.CURATOR)
    assert (await server.answer("/api/people/1", curator.headers))["notes"] == "allergic to nuts"
    seen = await server.answer("/api/people/1", viewer.headers)
    assert (seen["name"], seen["notes"], seen["birth_date"], seen["basis"]) == ("Mei", "", None, None)


async def stream(server: TeamServer, headers: Mapping[str, str]) -> Asked:
    """The stream of events, after its first one."""
    asked = Asked(server.api)
    assert await asked.begin("GET", "/api/events", headers) == 200
    assert b"status" in (await asked.next())["body"]
    return asked


async def test_an_auditor_is_told_of_no_photo_and_no_folder(server: TeamServer, served: Served) -> None:
    photos = served.world.folder
    await served.world.app.apply(Settings.model_validate({"folders": [{"path": str(photos)}]}))
    auditor, viewer = await server.team.member("aud", Role.AUDITOR), await server.team.member("vic", Role.VIEWER)
    assert [each["path"] for each in (await server.answer("/api/status", viewer.headers))["folders"]] == [str(photos)]
    assert (await server.answer("/api/status", auditor.headers))["folders"] == []
    streams = [await stream(server, each.headers) for each in (viewer, auditor)]
    await served.world.index("a.jpg")
    seen = b""
    while b"image_indexed" not in seen:
        seen += (await streams[0].next())["body"]
    await server.team.accounts.sessions.end(auditor.member.id)
    assert await ended(streams[1])
    told = b"".join(each.get("body", b"") for each in streams[1].seen)
    assert b"status" in told and b"happened" not in told and str(photos).encode() not in told
    await streams[0].leave()


async def ended(asked: Asked) -> bool:
    """Wait until the stream ends, in order."""
    assert asked.task is not None
    async with asyncio.timeout(30):
        await asked.task
    while not asked.messages.empty():
        asked.seen.append(asked.messages.get_nowait())
    last = asked.seen[-1]
    return bool(last["type"] == "http.response.body" and not last.get("more_body", False))


async def test_a_stream_ends_when_its_member_is_locked_removed_or_signs_out(server: TeamServer) -> None:
    accounts = server.team.accounts
    names = ("ben", "eva", "kim", "lou", "max")
    ben, eva, kim, lou, stays = [await server.team.member(name, Role.VIEWER) for name in names]
    streams = {each.member.name: await stream(server, each.headers) for each in (ben, eva, kim, lou, stays)}
    await accounts.members.change(ben.member.id, locked=True)
    await accounts.members.remove(eva.member.id)
    await accounts.sessions.end(kim.member.id)
    await accounts.members.change(lou.member.id, role=Role.AUDITOR)  # comes again, with other rights
    for member in (ben, eva, kim, lou):
        assert await ended(streams[member.member.name]), member.member.name
    assert await server.status("GET", "/api/status", lou.headers) == 200
    last = streams["max"].task
    assert last is not None and not last.done()
    await streams["max"].leave()


async def test_a_tokens_stream_ends_with_the_token(server: TeamServer) -> None:
    ben = await server.team.member("ben", Role.VIEWER)
    made, secret = await server.team.accounts.tokens.add(ben.member, "x", [Scope.STATUS_READ], 1)
    asked = await stream(server, {"authorization": f"Bearer {secret}"})
    await server.team.accounts.tokens.remove(ben.member.id, made.id)
    assert await ended(asked)


async def test_each_browser_is_answered_in_its_own_language(server: TeamServer, served: Served) -> None:
    served.language = "auto"
    vera = await server.team.member("vera", Role.VIEWER)
    for header, language in [("zh-TW,en;q=0.5", "zh-CN"), ("en-GB", "en")]:
        headers = {"accept-language": header}
        assert (await server.answer("/api/status", {**vera.headers, **headers}))["language"] == language
        refused = await server.answer("/api/status", headers, status=401)
        assert refused["cause"] == Texts(language).cause(SignInRequired())


async def test_bodies_have_a_limit_before_they_are_parsed(server: TeamServer) -> None:
    def body(size: int) -> bytes:
        return json.dumps({"name": "x" * size, "password": "x"}).encode()

    curator = await server.team.member("cleo", Role.CURATOR)
    assert await server.status("POST", "/api/account/sign-in", {}, body(MOST_OF_A_STRANGER - 100)) == 422
    assert await server.status("POST", "/api/account/sign-in", {}, body(MOST_OF_A_STRANGER)) == 400
    assert await server.status("POST", "/api/people/edits", curator.headers, body(MOST_OF_A_MEMBER - 100)) == 422
    assert await server.status("POST", "/api/people/edits", curator.headers, body(MOST_OF_A_MEMBER)) == 400


async def test_a_forbidden_body_is_not_read(server: TeamServer) -> None:
    viewer: SignedInMember = await server.team.member("vic", Role.VIEWER)
    asked = Asked(server.api)
    asked.body = b"x" * (MOST_OF_A_MEMBER + 1)
    assert await asked.begin("POST", "/api/people/edits", viewer.headers) == 403
    await asked.leave()
