"""A killed agent comes back on Windows, and one that ended by itself doesn't."""

import sys
from collections.abc import Sequence

import pytest

from agent.desktop.system.watchdog import MOST, OWN_DECISION, PAUSE_S, WATCHED, WITHIN_S, is_to_watch, keep, marked, unwatched, watch

KILLED_ON_WINDOWS = (1, 0xFFFFFFFF, 0xC0000005)  # by the Task Manager, by Stop-Process, a crash


class Stage:
    """An agent that ends with these codes, one after the other, each after `lived` seconds."""

    def __init__(self, codes: Sequence[int], lived: float = 3600) -> None:
        self.codes = list(codes)
        self.lived = lived
        self.now = 0.0
        self.pauses: list[float] = []

    def run(self) -> int:
        self.now += self.lived
        return self.codes.pop(0)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def keep(self) -> int:
        return keep(self.run, self.pause, lambda: self.now)


@pytest.mark.parametrize("code", KILLED_ON_WINDOWS)
def test_a_killed_agent_is_started_again_after_a_moment(code: int) -> None:
    stage = Stage([code, 0])
    assert stage.keep() == 0 and stage.codes == [] and stage.pauses == [PAUSE_S]


@pytest.mark.parametrize("code", [0, 1, 2])
def test_one_that_ended_by_its_own_decision_is_not(code: int) -> None:
    stage = Stage([marked(code, {WATCHED: "1"}), 0])
    assert stage.keep() == code and stage.codes == [0]


def test_one_that_crashes_at_each_start_is_given_up() -> None:
    stage = Stage([1] * 100, lived=1)
    assert stage.keep() == 1 and len(stage.pauses) == MOST


def test_one_that_is_killed_now_and_then_is_not_given_up() -> None:
    stage = Stage([*[1] * 20, 0], lived=WITHIN_S)
    assert stage.keep() == 0


def test_without_a_watchdog_exit_codes_are_as_ever() -> None:
    assert [marked(code, {}) for code in (0, 1, 2)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("program", "platform", "words", "environment", "watches"),
    [
        (r"C:\Programs\AI Popup\ai-popup-window.exe", "win32", ["run"], {}, True),
        (r"C:\Python\pythonw.exe", "win32", ["run", "--no-tray"], {}, True),
        (r"C:\Programs\AI Popup\ai-popup.exe", "win32", ["run"], {}, False),
        (r"C:\Programs\AI Popup\ai-popup-window.exe", "win32", ["run"], {WATCHED: "1"}, False),
        (r"C:\Programs\AI Popup\ai-popup-window.exe", "win32", ["run", "--trial"], {}, False),
        (r"C:\Programs\AI Popup\ai-popup-window.exe", "win32", ["hand-over", "find", "a.jpg"], {}, False),
        ("/usr/bin/ai-popup", "linux", ["run"], {}, False),
    ],
)
def test_only_an_agent_without_a_console_on_windows_is_watched(
    monkeypatch: pytest.MonkeyPatch, program: str, platform: str, words: list[str], environment: dict[str, str], watches: bool
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    assert is_to_watch(words, platform, environment) is watches


def test_what_takes_over_gets_a_watchdog_of_its_own() -> None:
    assert unwatched({WATCHED: "1", "LANG": "C"}) == {"LANG": "C"}


# Notes its start in a file. The first two are killed in different ways, the third ends as an agent that can't start.
AGENT = f"""
import os, pathlib, signal, sys
log = pathlib.Path(sys.argv[1])
with log.open("a") as file:
    file.write(os.environ[{WATCHED!r}])
match log.read_text():
    case "1": os.kill(os.getpid(), signal.SIGTERM)
    case "11": os._exit(1)
    case _: sys.exit({OWN_DECISION} + 2)
"""


def test_real_processes_are_started_again(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    log = tmp_path_factory.mktemp("watched") / "starts"
    monkeypatch.setattr("agent.infrastructure.core.json_child.own_command", lambda *_: [sys.executable, "-S", "-c", AGENT, str(log)])
    pauses = list[float]()
    assert watch(["run"], pauses.append) == 2
    assert pauses == [PAUSE_S] * 2
    assert log.read_text() == "111"
