"""How a process goes on as another version of the program."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.app.program_swap import become
from agent.features.updates.install_places import NsisPlace


def nothing(_: Sequence[str]) -> None: ...


@pytest.fixture
def place(tmp_path: Path) -> NsisPlace:
    return NsisPlace(tmp_path / "Mei Lin" / "AI Popup", run=nothing, start=nothing, restart=False)


class Started:
    """Stands in for `subprocess.Popen`, which quotes each word for Windows."""

    def __init__(self) -> None:
        self.commands: list[Sequence[str]] = []
        self.environment: Mapping[str, str] = {}

    def __call__(self, command: Sequence[str], *, env: Mapping[str, str], **_: Any) -> None:
        self.commands.append(command)
        self.environment = env


def test_on_windows_the_other_version_is_started_beside_and_this_one_ends(place: NsisPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    started = Started()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(subprocess, "Popen", started)
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("takes a path with a space apart"))
    with pytest.raises(SystemExit) as ended:
        become(place, ["--no-tray"])
    assert ended.value.code == 0
    assert started.commands == [[*place.command, "run", "--no-tray"]]
    assert started.environment["PYINSTALLER_RESET_ENVIRONMENT"] == "1"


@pytest.mark.parametrize("system", ["win32", "linux"])
def test_where_it_can_not_be_started_this_version_goes_on(place: NsisPlace, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    become(place, [])
