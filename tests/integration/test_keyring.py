"""The library's key in a real keyring: gnome-keyring on a private session bus, in a home of its own, far from the user's."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

TOOLS = ("dbus-run-session", "gnome-keyring-daemon")
Run = Callable[[str], str]


@pytest.fixture
def run_with_keyring(tmp_path: Path) -> Run:
    """Runs Python code with a fresh, unlocked keyring around it; returns what it printed. Skips where the tools are missing."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or sys.platform != "linux":
        pytest.skip(f"needs {', '.join(missing or TOOLS)} on Linux")
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "run").mkdir(mode=0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "LIBRARY": str(tmp_path / "library"),
    }

    def run(code: str) -> str:
        script = tmp_path / "body.py"
        script.write_text(PRELUDE + textwrap.dedent(code))
        unlock = 'printf secret | gnome-keyring-daemon --unlock --components=secrets --foreground >/dev/null 2>&1 & exec "$0" "$1"'
        process = subprocess.Popen(
            ["dbus-run-session", "--", "sh", "-c", unlock, sys.executable, str(script)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=50)
        finally:
            # The bus and the keyring daemon belong to this session and to nobody else.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == 0, errors
        return output.strip()

    return run


PRELUDE = """
import os, time
from pathlib import Path

import secretstorage

from agent.adapters.key_homes import KeyringHome
from agent.adapters.keys import LibraryKeys
from agent.adapters.store import open_library
from agent.domain.errors import AgentError

def wait_for_keyring():
    for _ in range(200):
        try:
            connection = secretstorage.dbus_init()
            collection = secretstorage.get_default_collection(connection)
            if not collection.is_locked():
                return collection
        except Exception:
            pass
        time.sleep(0.05)
    raise SystemExit("the keyring did not come up")

collection = wait_for_keyring()
folder = Path(os.environ["LIBRARY"])
home = KeyringHome(limit_s=10)
keys = LibraryKeys(folder, home)
"""


def test_the_key_lives_in_the_keyring_and_the_code_brings_it_back(run_with_keyring: Run) -> None:
    output = run_with_keyring(
        """
        open_library(folder, home).close()
        [item] = collection.search_items({"service": "AI Popup"})
        key = keys.unlock()
        code = keys.recovery_code(key)
        print("kept", item.get_secret().hex() not in (folder / "library.keys").read_text())
        item.delete()
        try:
            open_library(folder, home)
        except AgentError as error:
            print(error.code)
        print("same key", keys.recover(code) == key)
        open_library(folder, home).close()
        print("opened")
        """
    )
    assert output.splitlines() == ["kept True", "store.key_missing", "same key True", "opened"]


def test_a_locked_keyring_is_named_in_time(run_with_keyring: Run) -> None:
    output = run_with_keyring(
        """
        open_library(folder, home).close()
        collection.lock()
        try:
            open_library(folder, KeyringHome(limit_s=1))
        except AgentError as error:
            print(error.code)
        """
    )
    assert output == "keys.locked"


def test_without_a_keyring_the_machine_is_told_so(run_with_keyring: Run) -> None:
    output = run_with_keyring(
        """
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent"
        try:
            open_library(folder, home)
        except AgentError as error:
            print(error.code, folder.exists() and list(folder.iterdir()))
        """
    )
    assert output == "keys.no_keyring []"
