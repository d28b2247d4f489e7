"""The wheel carries all that the program reads, and runs away from the checkout."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent import __version__
from scripts.setup import uv
from scripts.setup.venv import TOOLS

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.timeout(300)


def run(command: Sequence[str | Path], cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / "ui" / "dist" / "index.html").is_file():
        pytest.skip("the UI is not built: python3 scripts/test.py builds it")
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], ROOT)
    return next(folder.glob("my_ai_popup-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of a new environment: the wheel in it, its dependencies borrowed from this one."""
    folder = tmp_path_factory.mktemp("away") / "venv"
    venv.create(folder, with_pip=False)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / Path(sys.executable).name
    run([sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel], folder)
    own = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip())
    # A folder named in a .pth file does not bring its own .pth files along: the checkout is not found through it.
    (own / "borrowed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return scripts


def newer_python() -> Path | None:
    """The newest Python that the program is for, where this machine has it and the tests run in another."""
    found = [*map(Path, filter(None, [shutil.which("python3.13")])), *Path.home().glob(".pyenv/versions/3.13*/bin/python3.13")]
    return next((path for path in found if sys.version_info[:2] != (3, 13)), None)


@pytest.fixture(scope="module")
def installed_newer(wheel: Path) -> Path:
    """The scripts folder of an environment of the newer Python: what the lock file names, and the wheel. Kept until the lock changes."""
    python = newer_python()
    assert python is not None
    lock = ROOT / "installers/locks/requirements.lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = ROOT / "build" / "cache" / f"python3.13-{digest}"
    tool, own = Path(sys.executable).with_name("uv"), folder / "bin" / "python"
    if not (folder / "whole").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        run([python, "-m", "venv", "--without-pip", folder], ROOT)
        # What builds the one package that comes as source.
        for each in (ROOT / TOOLS, lock):
            run(uv.command(tool, own, each), uv.folder(), **uv.settings(Path(sys.executable)))
        (folder / "whole").touch()
    run([tool, "pip", "install", "--quiet", "--python", own, "--no-deps", "--no-index", "--reinstall", wheel], uv.folder())
    return folder / "bin"


def test_it_carries_ui_texts_profiles_icons_and_the_models_manifest(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "ui/index.html",
        "ui/popup.html",
        "locales/en.json",
        "locales/zh-CN.json",
        "config/prod.toml",
        "icons/tray-idle.png",
        "help/en/guide.json",
    ):
        assert f"agent/_data/{wanted}" in names
    assert any(name.startswith("agent/_data/models/") for name in names)


def test_it_carries_the_migrations_which_are_files_that_nothing_imports(wheel: Path) -> None:
    own = {path.relative_to(ROOT).as_posix() for path in (ROOT / "agent" / "infrastructure" / "store" / "migrations").rglob("*.py")}
    assert len(own) > 3 and own <= set(zipfile.ZipFile(wheel).namelist())


def test_it_carries_no_tests_scripts_or_caches(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"agent", f"my_ai_popup-{__version__}.dist-info"}


def test_the_installed_program_runs_away_from_the_checkout_in_an_empty_home(installed: Path, tmp_path: Path) -> None:
    runs_away_from_the_checkout(installed, Path(sys.executable).name, tmp_path)


if newer_python() is not None:

    @pytest.mark.timeout(600)
    def test_it_runs_on_the_newest_python_with_what_the_lock_file_names(installed_newer: Path, tmp_path: Path) -> None:
        runs_away_from_the_checkout(installed_newer, "python", tmp_path)
        # What is compiled for each Python by itself loads too.
        run([installed_newer / "python", "-c", "import cv2, numpy, openvino, sqlcipher3, PIL.Image, PySide6.QtCore, dbus_fast"], tmp_path)


def runs_away_from_the_checkout(scripts: Path, python: str, tmp_path: Path) -> None:
    home = {name: str(tmp_path) for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")}
    home |= {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
    where = run([scripts / python, "-c", "import agent; print(agent.__file__)"], tmp_path, PYTHONPATH="", **home)
    assert Path(where.strip()).is_relative_to(scripts.parent)
    command = scripts / ("ai-popup.exe" if sys.platform == "win32" else "ai-popup")
    assert __version__ in run([command, "--version"], tmp_path, PYTHONPATH="", **home)
    assert "recognition" in run([command, "config", "show"], tmp_path, PYTHONPATH="", **home)
