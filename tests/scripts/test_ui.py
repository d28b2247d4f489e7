"""The UI is built when what it is made from changed, and only then."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts.setup import ui as module
from scripts.setup.console import Console, SetupFailed
from scripts.setup.ui import Ui, node
from scripts.setup.venv import Venv


class Npm:
    def __init__(self, ui: Ui) -> None:
        self.ui = ui
        self.words: list[str] = []
        self.fails = False

    def run(self, console: Console, command: Sequence[str], **_: object) -> None:
        self.words.append(command[1])
        if self.fails:
            raise SetupFailed("command_failed", tool="npm")
        for made in ["node_modules/x.js"] if command[1] == "ci" else ["dist/index.html", "dist-help/en/guide.json"]:
            (self.ui.folder / made).parent.mkdir(parents=True, exist_ok=True)
            (self.ui.folder / made).touch()


@pytest.fixture
def ui(checkout: Path) -> Ui:
    return Ui(checkout)


@pytest.fixture
def npm(ui: Ui, monkeypatch: pytest.MonkeyPatch) -> Npm:
    npm = Npm(ui)
    monkeypatch.setattr(module, "run_logged", npm.run)
    monkeypatch.setattr(module, "answers", lambda *_, **__: "v24.1.0")
    monkeypatch.setattr(shutil, "which", lambda name: f"/somewhere/{name}")
    return npm


@pytest.fixture
def venv(checkout: Path) -> Venv:
    return Venv(checkout)


def test_it_is_built_once(ui: Ui, npm: Npm, venv: Venv, console: Console) -> None:
    ui.build(console, venv)
    ui.build(console, venv)
    assert npm.words == ["ci", "run"]


@pytest.mark.parametrize("changed", ["ui/src/main.ts", "ui/src/new.ts", "assets/locales/en.json"])
def test_a_changed_source_or_text_builds_it_again_with_the_same_packages(
    ui: Ui, npm: Npm, venv: Venv, console: Console, checkout: Path, changed: str
) -> None:
    ui.build(console, venv)
    (checkout / changed).write_text("{} ")
    ui.build(console, venv)
    assert npm.words == ["ci", "run", "run"]


def test_a_changed_lock_file_installs_the_packages_again(ui: Ui, npm: Npm, venv: Venv, console: Console) -> None:
    ui.build(console, venv)
    (ui.folder / "package-lock.json").write_text('{"a": 1}')
    ui.build(console, venv)
    assert npm.words == ["ci", "run", "ci", "run"]


def test_what_the_tools_leave_behind_is_no_source(ui: Ui, npm: Npm, venv: Venv, console: Console) -> None:
    ui.build(console, venv)
    (ui.folder / "node_modules" / "later.js").touch()
    (ui.folder / "dist" / "later.js").touch()
    assert ui.built()


@pytest.mark.parametrize("lost", ["dist/index.html", "dist-help/en/guide.json"])
def test_what_was_deleted_of_the_build_is_built_again(ui: Ui, npm: Npm, venv: Venv, console: Console, lost: str) -> None:
    ui.build(console, venv)
    (ui.folder / lost).unlink()
    ui.build(console, venv)
    assert npm.words == ["ci", "run", "run"]


def test_a_failed_build_is_tried_again(ui: Ui, npm: Npm, venv: Venv, console: Console) -> None:
    ui.build(console, venv)
    (ui.folder / "src" / "main.ts").write_text("let b = 2")
    npm.fails = True
    with pytest.raises(SetupFailed):
        ui.build(console, venv)
    assert not ui.built()


@pytest.mark.parametrize("version", [None, "v18.20.0", "v20.18.9"])
def test_an_old_or_missing_node_is_replaced_by_the_one_of_the_lock(
    npm: Npm, venv: Venv, console: Console, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    monkeypatch.setattr(module, "answers", lambda *_, **__: version)
    installed: list[str] = []
    monkeypatch.setattr(Venv, "install", lambda self, console, lock: installed.append(lock))
    path, env = node(console, venv)
    assert installed == ["installers/locks/requirements-node.lock"]
    assert Path(path).parent == venv.bin
    assert env["PATH"].startswith(str(venv.bin))
