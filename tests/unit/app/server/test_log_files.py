"""The log of a program that the server runs is rotated before it starts and while it runs."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.app.server.log_files import rotate_or_warn, rotating
from agent.domain.errors import StoreUnwritable
from agent.infrastructure.core.log_rotation import files_of
from agent.infrastructure.core.program_settings import LogSettings

SMALL = LogSettings(max_mb=1)
FULL = b"x" * 2**20 + b"\n"


async def test_it_is_rotated_before_the_program_starts(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    log.write_bytes(FULL)
    async with rotating(log, lambda: SMALL):
        assert log.stat().st_size == 0 and len(files_of(log)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a log is not rotated there while it is written")
async def test_it_is_rotated_while_the_program_runs_by_the_settings_of_then(tmp_path: Path) -> None:
    log, asked, rotated = tmp_path / "postgres.log", list[int](), asyncio.Event()
    log.write_bytes(FULL)

    def settings() -> LogSettings:
        asked.append(len(files_of(log)))
        if len(asked) == 4:
            rotated.set()
        return SMALL if len(asked) > 2 else LogSettings()

    async with rotating(log, settings, every_s=0), asyncio.timeout(60):
        await rotated.wait()
    assert asked[:4] == [1, 1, 1, 2]
    assert [path.stat().st_size for path in files_of(log)] == [0, len(FULL)]


def test_a_log_that_cannot_be_rotated_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "postgres.log"
    log.write_bytes(FULL)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    with capture_logs() as said:
        rotate_or_warn(log, SMALL)
    assert said == [{"event": "log.not_rotated", "code": StoreUnwritable.code, "log_level": "warning"}]
