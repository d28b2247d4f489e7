"""A command beside an agent that was stopped (Ctrl+Z): it says what it waits for, and ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.real_program import CHECKOUT, RealProgram

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(os.name != "posix", reason="processes are stopped there")]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[RealProgram]:
    models = tmp_path / "models"
    models.mkdir()
    made = RealProgram(tmp_path, models, {"AI_POPUP__UPDATES__ENABLED": "false"})
    made.start()
    yield made
    made.quit()


def test_redact_says_after_three_seconds_what_it_waits_for_and_ends_after_fifteen(program: RealProgram, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"\xff\xd8\xff")
    assert program.process is not None
    command = [sys.executable, "-m", "agent", "redact", str(photo), "-o", str(tmp_path / "out")]
    os.kill(program.process.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=program.environment, cwd=CHECKOUT) as redact:
            assert redact.stderr is not None
            first = redact.stderr.readline()
            said_at = time.monotonic() - begun
            rest = redact.stderr.read()
            ended_at = time.monotonic() - begun
    finally:
        os.kill(program.process.pid, signal.SIGCONT)
    assert "has not answered for 3 seconds" in first and "[agent.not_answering]" in rest and redact.returncode == 1
    assert 3.0 <= said_at < ended_at - 10 and ended_at >= 15.0, (said_at, ended_at)  # other tests share the cores, so there is no upper one
    program.until(lambda _: True)
