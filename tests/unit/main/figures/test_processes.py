"""What each process of the family is, and what it took."""

import subprocess
import sys

import psutil
import pytest

from agent.core.child import own_command
from agent.main.figures.processes import Processes, kind_of


@pytest.mark.parametrize(
    ("name", "words", "kind"),
    [
        ("python", own_command("engine-worker"), "engine"),
        ("python", own_command("match-worker"), "matcher"),
        ("python", own_command("screen-worker"), "screen"),
        ("python", own_command("worker", "--name", "worker-1", "--with-parent"), "worker"),
        ("postgres", ["postgres: checkpointer"], "postgres"),
        ("sh", ["sh"], "other"),
    ],
)
def test_its_command_says_what_a_process_is(name: str, words: list[str], kind: str) -> None:
    assert kind_of(name, words) == kind


def test_a_family_is_added_up_and_its_time_never_falls() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()", "engine-worker"], stdin=subprocess.PIPE)
    try:
        processes = Processes("server")
        first = processes.read()
        assert first.count["server"] == 1 and first.count["engine"] == 1
        assert first.memory["server"] > 1_000_000 and first.memory["engine"] > 0 and first.cpu["server"] > 0
    finally:
        child.communicate(b"\n")
    second = processes.read()
    assert second.count["engine"] == 0
    assert second.cpu["engine"] >= first.cpu["engine"] and second.cpu["server"] >= first.cpu["server"]


def test_a_process_that_is_gone_is_nothing() -> None:
    def gone() -> psutil.Process:
        raise psutil.NoSuchProcess(1)

    assert not Processes("server", gone).read().memory
