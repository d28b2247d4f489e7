"""What each process of the family is, and what it took."""

import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from agent.app.metric_families.processes import Processes, kind_of
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.memory_guard import MB


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


class Fake(psutil.Process):  # type: ignore[misc]  # it has no types
    """A process of the kind and size that the test says; it is no process of this computer."""

    def __init__(self, number: int, parent: int, word: str, megabytes: int) -> None:
        self.facts = (number, parent, ["python", word], megabytes)
        self.family: list[Fake] = []

    @property
    def pid(self) -> int:
        return self.facts[0]

    def oneshot(self) -> nullcontext[None]:
        return nullcontext()

    def name(self) -> str:
        return "python"

    def cmdline(self) -> list[str]:
        return self.facts[2]

    def ppid(self) -> int:
        return self.facts[1]

    def create_time(self) -> float:
        return 0.0

    def cpu_times(self) -> Any:
        return SimpleNamespace(user=1.0, system=0.0)

    def memory_info(self) -> Any:
        return SimpleNamespace(rss=self.facts[3] * MB)

    def children(self, recursive: bool = False) -> list[psutil.Process]:
        return list(self.family)


def test_the_largest_of_a_kind_is_what_has_one_threshold() -> None:
    server = Fake(1, 0, "serve", 120)
    server.family = [
        *(Fake(number, 1, "worker", size) for number, size in ((2, 80), (3, 150))),
        *(Fake(number, parent, "engine-worker", 300) for number, parent in ((4, 2), (5, 2), (6, 3))),
    ]
    found = Processes("server", lambda: server).read()
    assert found.memory == {"server": 120 * MB, "worker": 230 * MB, "engine": 900 * MB}
    assert found.largest == {"server": 120 * MB, "worker": 150 * MB, "engine": 600 * MB}


def test_a_popup_has_one_threshold_with_its_web_view() -> None:
    agent = Fake(1, 0, "run", 110)
    agent.family = [Fake(2, 1, "popup-window", 200), Fake(3, 2, "zygote", 30), Fake(4, 3, "renderer", 150), Fake(5, 1, "sh", 1)]
    assert Processes("agent", lambda: agent).read().largest == {"agent": 110 * MB, "popup": 380 * MB, "other": MB}


def test_a_process_that_is_gone_is_nothing() -> None:
    def gone() -> psutil.Process:
        raise psutil.NoSuchProcess(1)

    assert not Processes("server", gone).read().memory
