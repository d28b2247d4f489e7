"""The packages of this checkout and a bare system to install them in; both are made once and kept under build/."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.packages.bare_system import bare_system, kept_archive

if TYPE_CHECKING:
    from tests.packages.bare_system import BareSystem

ROOT = Path(__file__).parents[2]
OLDER = "0.0.1"


@pytest.fixture(scope="session")
def program() -> Path:
    """The folder that PyInstaller makes: minutes, unless nothing of it has changed.

    With the OpenCV of the packages if this checkout has built it, else with the package index's: building it takes longer than the tests.
    """
    from installers.frozen import frozen
    from installers.slim_opencv import kept

    return frozen(ROOT, kept(ROOT))


@pytest.fixture(scope="session")
def shared(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the .deb of this version and one that says it is older."""
    return both_versions(program, "deb", tmp_path_factory)


def both_versions(program: Path, kind: str, folders: pytest.TempPathFactory) -> Path:
    """A folder with the package of this version and one that says it is older, `ai-popup-VERSION.KIND`."""
    from agent import __version__
    from installers.make import package

    folder = folders.mktemp("packages")
    for version in (OLDER, __version__):
        package(program, kind, folder, version=version, quick=True).rename(folder / f"ai-popup-{version}.{kind}")
    return folder


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X server outside with a window manager and a tray; programs inside find it by its abstract socket."""
    with x_server(tray=True) as name:
        yield name


@pytest.fixture
def display_without_tray() -> Iterator[str]:
    """Another one, whose desktop has no place for icons."""
    with x_server(tray=False) as name:
        yield name


@contextlib.contextmanager
def x_server(*, tray: bool) -> Iterator[str]:
    with contextlib.ExitStack() as ended:

        def start(*words: str, output: int = subprocess.DEVNULL, **more: str) -> subprocess.Popen[bytes]:
            none = subprocess.DEVNULL
            process = subprocess.Popen(words, stdin=none, stderr=none, stdout=output, env=more or None)
            ended.callback(process.wait)
            ended.callback(process.kill)
            return process

        server = start("Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-ac", output=subprocess.PIPE)
        assert server.stdout is not None
        with server.stdout as said:
            name = f":{said.readline().decode().strip()}"
        start("openbox", DISPLAY=name, PATH="/usr/bin:/bin", HOME="/nonexistent")
        if tray:
            start("stalonetray", "--geometry", "4x1+900+0", DISPLAY=name, PATH="/usr/bin:/bin", HOME="/nonexistent")
        yield name


@pytest.fixture(scope="module")
def system(shared: Path, display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareSystem]:
    with bare_system(kept_archive(ROOT), tmp_path_factory.mktemp("bare"), shared, {"DISPLAY": display}) as made:
        made.apt("update")
        yield made
