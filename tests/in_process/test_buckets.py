"""A bucket in the API of a team server: administrators manage it, members see photos and nothing of where they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from agent.domain.image import FileSeen
from agent.domain.jobs import Priority
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.core.server_settings import ServerSettings
from agent.infrastructure.store.schema import bucket as bucket_table
from agent.infrastructure.store.server_database import secured
from agent.interfaces.web.access import Role
from tests.in_process.test_roles import TeamServer
from tests.support.postgres_server import ON_SERVER, clear
from tests.support.team_accounts import ORIGIN
from tests.unit.interfaces.web.conftest import Served, served, shared_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agent.infrastructure.store.database import Database
    from tests.support.team_accounts import SignedInMember

__all__ = ["served", "shared_api"]  # fixtures

NOWHERE = "http://127.0.0.1:1"
WANTED = {"address": "s3://hidden-bucket/2026", "endpoint": NOWHERE, "keys": {"key_id": "HIDDENKEY", "secret": "hidden secret"}}
HIDDEN = ("hidden-bucket", "hidden secret", "HIDDENKEY", "127.0.0.1:1")


@pytest.fixture(params=ON_SERVER)
def library(on_server: Database) -> Iterator[RedactionQueries]:
    secured(on_server)
    yield RedactionQueries(on_server)
    clear(on_server)


@pytest_asyncio.fixture
async def server(served: Served) -> AsyncIterator[TeamServer]:
    made = TeamServer(served)
    made.team.placed = made.libraries.placed
    async with served.world.running():
        await served.world.app.apply(served.world.app.settings.model_copy(update={"server": ServerSettings(buckets_inside=True)}))
        await asyncio.to_thread(made.libraries.begin, "Photos")
        yield made
        await made.team.settle()


def client_of(server: TeamServer, member: SignedInMember) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(server.api, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=member.headers)


async def test_members_see_keys_below_their_librarys_name_and_nothing_of_the_bucket(server: TeamServer, served: Served) -> None:
    ada = await server.team.member("ada", Role.ADMINISTRATOR)
    [first] = server.libraries.all
    async with client_of(server, ada) as client:
        made = await client.post("/api/buckets", json={**WANTED, "library_id": first.id})
        assert (made.status_code, made.json()["name"], made.json()["has_keys"]) == (200, "bucket-1", True)
        again = await client.post("/api/buckets", json={**WANTED, "name": "bucket-1", "library_id": first.id})
        assert (again.status_code, again.json()["code"]) == (409, "bucket.taken")
        checked = await client.post("/api/buckets/bucket-1/check")
        assert checked.json()["problem"]["code"] == "bucket.not_reached"
        wrong = await client.patch("/api/buckets/bucket-1", json={"endpoint": "gopher://x"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "bucket.invalid")
        changed = await client.patch("/api/buckets/bucket-1", json={"minutes": 60})
        assert (changed.json()["minutes"], changed.json()["endpoint"]) == (60, NOWHERE)
        for answer in (made, again, checked, changed, await client.get("/api/buckets")):
            assert "hidden secret" not in answer.text and "HIDDENKEY" not in answer.text
        record = (await client.get("/api/record")).text
        assert "bucket_added" in record and "bucket_changed" in record and "hidden-bucket" not in record

    # The same content as a file, which then goes.
    world = served.world
    await world.index("a.jpg")
    [file] = world.real.images(limit=9)
    seen = FileSeen("s3://bucket-1/may/a.jpg", file.size, 1, "s3://bucket-1")
    world.real.note_file(seen, world.app.recipe(), priority=Priority.NEW, now=world.app.now(), sha256=world.real.sha256(file.id))
    world.real.files_gone([file.places[0][1]], now=world.app.now())
    for role in (Role.VIEWER, Role.EDITOR, Role.CURATOR):
        member = await server.team.member(role.value, role)
        async with client_of(server, member) as client:
            answers = [await client.get(path) for path in ("/api/images", "/api/libraries", "/api/folders", "/api/status")]
            [image] = answers[0].json()["items"]
            assert image["path"] == "Photos/may/a.jpg"
            assert all(hidden not in answer.text for answer in answers for hidden in HIDDEN)
            for method, path in (("GET", "/api/buckets"), ("POST", "/api/buckets/bucket-1/check"), ("DELETE", "/api/buckets/bucket-1")):
                assert (await client.request(method, path)).status_code == 403

    def rows_of_a_member() -> int:
        with reaching(AccessScope(frozenset({first.id}))), served.world.real.database.read() as tx:
            return tx.scalar(select(func.count()).select_from(bucket_table)) or 0

    assert await asyncio.to_thread(rows_of_a_member) == 0

    async with client_of(server, ada) as client:
        assert (await client.delete("/api/buckets/bucket-1")).status_code == 204
        assert (await client.get("/api/buckets")).json()["items"] == []
    assert world.real.counts().images == 0


async def test_a_kept_key_signs_for_no_other_place_and_the_host_alone_lets_a_bucket_be_inside(server: TeamServer, served: Served) -> None:
    ada = await server.team.member("ada", Role.ADMINISTRATOR)
    [first] = server.libraries.all
    keys = {"key_id": "OTHER", "secret": "other"}
    moves = ({"endpoint": "https://evil.example"}, {"region": "eu-west-1"}, {"address": "s3://another-bucket"})
    async with client_of(server, ada) as client:
        assert (await client.post("/api/buckets", json={**WANTED, "library_id": first.id})).status_code == 200
        for moved in moves:
            refused = await client.patch("/api/buckets/bucket-1", json=moved)
            assert (refused.status_code, refused.json()["code"]) == (422, "bucket.keys_again")
            tried = await client.post("/api/buckets/check", json={**WANTED, "name": "bucket-1", **moved, "keys": None})
            assert tried.json()["problem"]["code"] == "bucket.keys_again"
        assert (await client.patch("/api/buckets/bucket-1", json={"address": "s3://hidden-bucket/2027"})).status_code == 200
        # Nor by a detour over a time without keys.
        assert (await client.patch("/api/buckets/bucket-1", json={"access": "anonymous", **moves[1]})).status_code == 200
        back = await client.patch("/api/buckets/bucket-1", json={"access": "keys"})
        assert (back.status_code, back.json()["has_keys"]) == (200, False)
        changed = await client.patch("/api/buckets/bucket-1", json={**moves[2], "keys": keys})
        assert (changed.status_code, changed.json()["has_keys"]) == (200, True)

        allowed = served.world.app.settings
        await served.world.app.apply(allowed.model_copy(update={"server": ServerSettings()}))
        for endpoint in ("https://127.0.0.1:1", "https://169.254.169.254", "http://public.example"):
            tried = await client.post("/api/buckets/check", json={**WANTED, "endpoint": endpoint})
            assert tried.json()["problem"]["code"] == "bucket.inside"
        assert (await client.post("/api/buckets/bucket-1/check")).json()["problem"]["code"] == "bucket.inside"
        put = await client.put("/api/settings/server.buckets_inside", json={"value": True})
        assert put.status_code == 404 and not served.world.app.settings.server.buckets_inside
