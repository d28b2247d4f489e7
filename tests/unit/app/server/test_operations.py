"""What a server answers to probes and scrapers."""

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from agent.app.server import readiness
from agent.app.server.metrics.server import SERVER, ServerFigures
from agent.app.server.operations import Operations, token_in
from agent.app.server.readiness import Readiness
from agent.domain.errors import StoreBusy
from agent.features.models.model_store import ModelState, ModelStore
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.resources import resource
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import migrator
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.schema import create
from agent.interfaces.web.access import Scope
from agent.interfaces.web.probe_server import Asked
from agent.interfaces.web.request_counts import RequestCounts

TOKEN = "a token of a file"


class AllThere(ModelStore):
    """A store whose models are the state that it is told."""

    state = ModelState.PRESENT

    def _state(self, entry: Any) -> ModelState:
        return self.state


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.in_file(tmp_path / "library.db", bytes(32))) as made:
        with made.write() as tx:
            create(tx)
        yield made


class Told:
    """Operations with what their owner can change."""

    def __init__(self, folder: Path) -> None:
        self.draining = False
        self.settings = Settings()
        self.models = AllThere(folder / "models", resource("models") / "manifest.toml")
        paths = AppPaths.find({"AI_POPUP_HOME": str(folder)}).create()
        figures = ServerFigures(SERVER, paths.data, RequestCounts())
        self.operations = Operations(Readiness(paths, self.models, self._settings), self._settings, lambda: self.draining, figures)

    def _settings(self) -> Settings:
        return self.settings

    async def ready(self) -> tuple[int, dict[str, Any]]:
        answer = await self.operations.respond(Asked("/ready", ""))
        told = json.loads(answer.body)
        assert told["ready"] == (answer.status == 200)
        return answer.status, told["checks"]

    async def metrics(self, authorization: str = "") -> int:
        return (await self.operations.respond(Asked("/metrics", authorization))).status


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


@pytest.fixture(autouse=True)
def _each_look_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "KEPT_S", -1.0)


async def test_it_is_live_before_anything_else(told: Told) -> None:
    assert (await told.operations.respond(Asked("/live", ""))).status == 200
    assert (await told.operations.respond(Asked("/", ""))).status == 404


async def test_it_is_ready_once_the_database_is_open(told: Told, database: Database) -> None:
    status, checks = await told.ready()
    assert (status, checks["database"], checks["models"]) == (503, "starting", "ok")
    told.operations.database = database
    assert await told.ready() == (200, {"database": "ok", "schema": "ok", "disk": "ok", "models": "ok", "draining": False})
    told.operations.end()
    assert (await told.ready())[0] == 503


async def test_what_ends_is_not_ready(told: Told, database: Database) -> None:
    told.operations.database = database
    told.draining = True
    assert await told.ready() == (503, {"database": "ok", "schema": "ok", "disk": "ok", "models": "ok", "draining": True})


@pytest.mark.parametrize(("revision", "found"), [("0001", "store.too_old"), ("9999", "server.schema_new")])
async def test_another_schema_is_named(told: Told, database: Database, revision: str, found: str) -> None:
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    told.operations.database = database
    status, checks = await told.ready()
    assert (status, checks["database"], checks["schema"]) == (503, "ok", found)


async def test_a_schema_that_waits_for_its_migration_is_named(told: Told, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrator, "REVISION", "9000")
    monkeypatch.setattr(migrator, "SERVES_FROM", "9000")
    told.operations.database = database
    assert (await told.ready())[1]["schema"] == "server.schema_old"


async def test_a_database_that_fails_is_named_by_its_error(told: Told, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(bytes(8_192))
    with closing(Database.in_file(tmp_path / "broken.db", bytes(32))) as broken:
        told.operations.database = broken
        status, checks = await told.ready()
    assert (status, checks["database"], checks["schema"]) == (503, "store.damaged", "store.damaged")


async def test_a_full_disk_is_named(told: Told, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    told.operations.database = database
    monkeypatch.setattr(readiness, "LEAST_FREE", 2**62)
    assert (await told.ready())[1]["disk"] == "store.disk_full"


@pytest.mark.parametrize(("state", "found"), [("missing", "model.missing"), ("damaged", "model.wrong_hash")])
async def test_models_that_lack_are_named(told: Told, database: Database, state: str, found: str) -> None:
    told.operations.database = database
    told.models.state = ModelState(state)
    assert (await told.ready())[1]["models"] == found


async def test_many_probes_cost_one_look(told: Told, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "KEPT_S", 3_600.0)
    told.operations.database = database
    await told.ready()
    uses = database.uses
    for _ in range(10):
        await told.ready()
    assert database.uses == uses


async def test_figures_need_the_token_of_the_file(told: Told, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    told.settings = told.settings.model_copy(
        update={"server": told.settings.server.model_copy(update={"metrics_token_file": str(tmp_path / "token")})}
    )
    assert [await told.metrics(shown) for shown in ("", "Bearer ", "Bearer another", TOKEN, f"Bearer {TOKEN}")] == [401, 401, 401, 401, 200]


async def test_figures_take_an_api_token_with_the_scope(told: Told) -> None:
    asked = list[tuple[str, Scope]]()

    async def has_scope(secret: str, scope: Scope) -> bool:
        asked.append((secret, scope))
        return secret == "aip_right"

    told.operations.has_scope = has_scope
    assert [await told.metrics(f"Bearer {secret}") for secret in ("aip_wrong", "aip_right")] == [401, 200]
    assert asked == [("aip_wrong", Scope.METRICS_READ), ("aip_right", Scope.METRICS_READ)]


async def test_a_database_that_knows_the_tokens_and_fails_is_no_refusal(told: Told) -> None:
    async def has_scope(secret: str, scope: Scope) -> bool:
        raise StoreBusy

    told.operations.has_scope = has_scope
    assert await told.metrics("Bearer aip_right") == 503


@pytest.mark.parametrize("content", [f"{TOKEN}\r\n".encode(), f"{TOKEN}\n".encode("utf-8-sig")])
def test_a_token_that_an_editor_of_windows_wrote_is_the_same(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    assert token_in(str(tmp_path / "token")) == TOKEN


@pytest.mark.parametrize("content", [b"short", b"", b"\xff" * 40])
def test_a_poor_token_in_the_file_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    assert token_in(str(tmp_path / "token")) is None
    assert token_in(str(tmp_path / "missing")) is None


async def test_figures_come_though_all_threads_of_the_loop_wait_for_the_database(told: Told, tmp_path: Path) -> None:
    told.settings = told.settings.model_copy(
        update={"server": told.settings.server.model_copy(update={"metrics_token_file": str(tmp_path / "token")})}
    )
    (tmp_path / "token").write_text(TOKEN)
    may = threading.Event()
    with ThreadPoolExecutor(1) as few:
        asyncio.get_running_loop().set_default_executor(few)
        hangs = asyncio.ensure_future(asyncio.to_thread(may.wait, 60))
        async with asyncio.timeout(50):
            assert await told.metrics(f"Bearer {TOKEN}") == 200
        may.set()
        await hangs
