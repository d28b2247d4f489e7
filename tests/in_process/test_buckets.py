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
