"""A server that grows beyond its threshold while it serves. It is the program's own, in this process; only the meter is the test's."""

import asyncio
import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from agent.app.library_home import key_in_file
from agent.app.server.addresses import ServerAddresses
from agent.app.server.process import Server
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.sd_notify import START_AGAIN
from agent.interfaces.web.client import Client
from agent.interfaces.web.runtime_file import find
from agent.interfaces.web.schemas import Status
from tests.support.fake_memory_meter import LIMIT_MB, STEP_MB, Meter

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="PostgreSQL's programs are installed on Linux alone")]
SETTINGS = {
    **{"server.host": "127.0.0.1", "server.port": 0, "server.operations_port": 0, "server.workers": 0, "server.announce": False},
    **{"backup.enabled": False, "memory.server_mb": LIMIT_MB, "memory.again_minutes": 0},
}


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Meter]:
    yield Meter(monkeypatch)
    gc.unfreeze()  # the server counted what was there as its own
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):  # where a server ends, its process does
        gc.collect()


def test_a_server_that_grows_drains_and_ends_for_another(tmp_path: Path, meter: Meter) -> None:
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}).create()
    file = SettingsFile(paths.settings, environ={})
    for key, value in SETTINGS.items():
        file.put(key, value)
    file.load()
    key_in_file(file, paths)
    answered = list[asyncio.Task[Status]]()

    def ask() -> Status:
        with closing(Client(find(paths.runtime))) as client:
            return client.status()

    def up(_: ServerAddresses) -> None:
        meter.grows = True
        answered.append(asyncio.get_running_loop().create_task(asyncio.to_thread(ask)))

    with structlog.testing.capture_logs() as logged:
        assert Server(paths, file, up).run() == START_AGAIN
    assert [each.result().images for each in answered] == [0], "what was asked meanwhile"
    [over] = [line for line in logged if line["event"] == "memory.over_limit"]
    assert (over["kind"], over["code"], over["megabytes"], over["limit"]) == ("server", "agent.memory", LIMIT_MB + STEP_MB, LIMIT_MB)
    order = ["memory.recovered", "server.draining", "server.ended"]
    assert [line["event"] for line in logged if line["event"] in order] == order
