"""The virtual environment is made once, and made again only when it is not whole."""

import importlib.util
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scripts.setup import uv
from scripts.setup import venv as module
from scripts.setup.console import Console, SetupFailed
from scripts.setup.venv import TOOLS, Venv

LOCK = "installers/locks/requirements.lock"


class Tools:
    """Stands for `python -m venv`, pip and uv: remembers what was asked, makes what a venv would hold."""

    def __init__(self, venv: Venv) -> None:
        self.venv = venv
        self.calls: list[list[str]] = []
        self.download_fails = False

    def run(self, console: Console, command: Sequence[str], *, on_line: Callable[[str], None] | None = None, **_: object) -> None:
        self.calls.append(list(command))
        if "venv" in command:
            stand(self.venv)
        elif self.download_fails:
            raise SetupFailed("command_failed", tool="python")
        elif on_line is not None:
            on_line("Collecting one==1")

    def installs(self) -> int:
        return sum("install" in call for call in self.calls)

    def makes(self) -> int:
        return sum("venv" in call for call in self.calls)


def stand(venv: Venv) -> None:
    site_packages = venv.folder / ("Lib" if sys.platform == "win32" else "lib/python3.11") / "site-packages"
    (site_packages / "pip-26.dist-info").mkdir(parents=True)
    venv.bin.mkdir(exist_ok=True)
    venv.python.touch()


@pytest.fixture
def venv(checkout: Path) -> Venv:
    return Venv(checkout)


@pytest.fixture
def tools(venv: Venv, monkeypatch: pytest.MonkeyPatch) -> Tools:
    tools = Tools(venv)
    monkeypatch.setattr(module, "run_logged", tools.run)
    monkeypatch.setattr(module, "answers", lambda *_, **__: "pip 26")
    monkeypatch.setattr(uv, "answers", lambda *_, **__: "")
    return tools


def test_a_fresh_checkout_gets_an_environment_that_finds_it(venv: Venv, tools: Tools, console: Console) -> None:
    venv.ensure(console)
    assert tools.makes() == 1
    pointer = next(venv.folder.rglob("ai_popup_checkout.pth"))
    assert pointer.read_text().strip() == str(venv.checkout)


def test_what_stands_is_left_alone(venv: Venv, tools: Tools, console: Console) -> None:
    for _ in range(2):
        venv.ensure(console)
        venv.install(console, LOCK)
    assert (tools.makes(), tools.installs()) == (1, 1)
    assert venv.has(LOCK)


def test_a_changed_lock_is_installed_again_with_hashes_required(venv: Venv, tools: Tools, console: Console) -> None:
    venv.ensure(console)
    venv.install(console, LOCK)
    (venv.checkout / LOCK).write_text("one==2 \\\n    --hash=sha256:00\n")
    assert not venv.has(LOCK)
    venv.install(console, LOCK)
    assert tools.installs() == 2
    assert {"--require-hashes", "--no-deps", "--no-build-isolation"} <= set(tools.calls[-1])


def test_the_tools_come_with_pip_and_everything_else_with_uv(venv: Venv, tools: Tools, console: Console) -> None:
    venv.ensure(console)
    venv.install(console, TOOLS)
    assert tools.calls[-1][1:4] == ["-m", "pip", "install"]
    assert "--require-hashes" in tools.calls[-1]
    venv.install(console, LOCK)
    assert Path(tools.calls[-1][0]).stem == "uv"


def test_an_environment_that_a_killed_set_up_was_changing_is_made_again(venv: Venv, tools: Tools, console: Console) -> None:
    venv.ensure(console)
    venv.write_notes({**venv.notes(), "busy": LOCK})
    (venv.folder / "half-unpacked").touch()
    venv.ensure(console)
    assert tools.makes() == 2
    assert not (venv.folder / "half-unpacked").exists()


def test_a_failed_download_keeps_the_environment(venv: Venv, tools: Tools, console: Console) -> None:
    venv.ensure(console)
    tools.download_fails = True
    with pytest.raises(SetupFailed):
        venv.install(console, LOCK)
    assert not venv.has(LOCK)
    venv.ensure(console)
    assert tools.makes() == 1


def test_an_environment_whose_python_is_gone_is_made_again(venv: Venv, tools: Tools, console: Console) -> None:
    venv.ensure(console)
    venv.python.unlink()
    assert not venv.has(LOCK)
    venv.ensure(console)
    assert tools.makes() == 2


def test_an_environment_somebody_else_made_is_taken_over_and_never_thrown_away(venv: Venv, tools: Tools, console: Console) -> None:
    stand(venv)
    venv.ensure(console)
    venv.write_notes({"busy": LOCK})
    venv.ensure(console)
    assert tools.makes() == 0


def test_without_pip_and_apt_it_says_what_to_install(
    venv: Venv, tools: Tools, console: Console, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "answers", lambda *_, **__: None)
    monkeypatch.setattr(module, "can_apt", lambda: False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with console.failures_shown():
        venv.ensure(console)
    assert f"apt install python{sys.version_info.major}.{sys.version_info.minor}-venv" in screen.getvalue()


def test_notes_that_are_not_json_count_as_none(venv: Venv, tools: Tools, console: Console) -> None:
    venv.ensure(console)
    (venv.folder / "ai-popup-setup.json").write_text("{")
    assert venv.notes() == {}
    assert not venv.has(LOCK)
