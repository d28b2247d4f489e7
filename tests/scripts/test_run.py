"""`scripts/run.py` hands its words on; without any it starts the agent."""

import sys
from pathlib import Path

import pytest

from scripts import run
from scripts.setup import prepare, processes


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], ["-P", "-m", "agent", "run"]),
        (["status"], ["-P", "-m", "agent", "status"]),
        (["demo", "--exit"], ["-P", str(run.ROOT / "scripts" / "demo.py"), "--exit"]),
        (["serve"], ["-P", "-m", "agent", "serve"]),
        (["serve", "--demo", "--exit"], ["-P", str(run.ROOT / "scripts" / "serve_demo.py"), "--exit"]),
    ],
)
def test_its_words_go_on_and_none_means_run(monkeypatch: pytest.MonkeyPatch, words: list[str], told: list[str]) -> None:
    class Ready:
        python = Path("python")

    started: list[list[str]] = []
    installed: list[str] = []

    def ready(*_: object, locks: list[str]) -> Ready:
        installed.extend(locks)
        return Ready()

    monkeypatch.setattr(prepare, "prepare", ready)

    def hand_over(command: list[str]) -> int:
        started.append(command)
        return 0

    monkeypatch.setattr(processes, "hand_over", hand_over)
    monkeypatch.setattr(sys, "argv", ["run.py", *words])
    assert run.main() == 0
    assert started == [["python", *told]]
    assert installed == [prepare.SERVER if words[:1] == ["serve"] else prepare.RUNTIME]
