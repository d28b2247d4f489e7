"""The operations port of a worker that runs by itself."""

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import httpx

from agent.app.server.worker_port import worker_port
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.memory_guard import FACE_BYTES, MB
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.schema import create

TOKEN = "a token of a file"


async def test_it_tells_its_state_and_ends_with_the_worker(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "token").write_text(TOKEN)
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}).create()
    environ = {"AI_POPUP__WORKER__OPERATIONS_PORT": str(port), "AI_POPUP__SERVER__METRICS_TOKEN_FILE": str(tmp_path / "token")}
    file = SettingsFile(paths.settings, environ)
    file.load()
    stop = asyncio.Event()
    with closing(Database.in_file(tmp_path / "library.db", bytes(32))) as database:
        with database.write() as tx:
            create(tx)
        async with (
            asyncio.timeout(60),
            worker_port(file, paths, database, stop, lambda: 100),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            assert (await client.get("/live")).status_code == 200
            checks = (await client.get("/ready")).json()["checks"]
            assert (checks["database"], checks["models"], checks["draining"]) == ("ok", "model.missing", False)
            stop.set()
            assert (await client.get("/ready")).json()["checks"]["draining"] is True
            assert (await client.get("/metrics")).status_code == 401
            told = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
            assert 'ai_popup_memory_bytes{process="worker"}' in told.text
            figures = dict(line.rsplit(" ", 1) for line in told.text.splitlines() if not line.startswith("#"))
            limit = {kind: float(figures[f'ai_popup_memory_threshold_bytes{{process="{kind}"}}']) for kind in ("worker", "matcher")}
            assert limit == {"worker": 1_000 * MB, "matcher": 500 * MB + 100 * FACE_BYTES}


async def test_without_a_port_there_is_none(tmp_path: Path) -> None:
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}).create()
    file = SettingsFile(paths.settings, {})
    file.load()
    with closing(Database.in_file(tmp_path / "library.db", bytes(32))) as database:
        async with worker_port(file, paths, database, asyncio.Event(), lambda: 0):
            assert file.snapshot.worker.operations_port == 0
