"""The real program headless, and on a screen of its own; and a real keyring, far from the user's."""

import contextlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.infrastructure.core.files import replace_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.interfaces.web.certificates import Certificates
    from tests.support.message_receivers import MailServer, Receiver
    from tests.support.real_program import RealProgram


@pytest.fixture
def program(make_program: "Callable[[Mapping[str, str]], RealProgram]") -> "RealProgram":
    """Headless, not started yet."""
    return make_program({})


@pytest.fixture
def x_display() -> Iterator[str]:
    """An X server of its own; gives the display's name."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    reader, writer = os.pipe()
    none = subprocess.DEVNULL
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writer], stdin=none, stdout=none, stderr=none)
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            number = numbers.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def program_with_display(make_program: "Callable[[Mapping[str, str]], RealProgram]", x_display: str) -> "RealProgram":
    """Not started yet; it shows its popup on a screen of its own."""
    return make_program({"DISPLAY": x_display})


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A session bus of its own, for this process and what it starts."""
    daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1"], stdout=subprocess.PIPE, text=True)
    with daemon:
        assert daemon.stdout is not None
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.stdout.readline().strip())
        yield
        daemon.terminate()


BENT = """
import sys
{}
sys.argv = ["ai-popup", *sys.argv[4:]]
from agent.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def bend() -> Callable[[str], list[str]]:
    """The command that runs the program after some code of the test's, for `RealProgram.start(before=...)`."""
    return lambda code: [sys.executable, "-c", BENT.format(code)]


SHIFTED = """
import datetime, time
from pathlib import Path
from agent.infrastructure.core import service_context as environment
off = Path({!r})
class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.now(tz) + datetime.timedelta(seconds=float(off.read_text()))
environment.datetime = Shifted
real = time.time_ns
time.time_ns = lambda: real() + int(float(off.read_text()) * 1e9)
"""


class WallClock:
    """What the program started with `before` takes for the time of day."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.leap(timedelta())
        self.before = [sys.executable, "-c", BENT.format(SHIFTED.format(str(file)))]

    def leap(self, off: timedelta) -> None:
        """From now on it is so much off."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(off.total_seconds()))
        replace_file(fresh, self._file)  # the program may be reading it


@pytest.fixture
def wall_clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "clock")


KEYRING_TOOLS = ("dbus-run-session", "gnome-keyring-daemon")


@pytest.fixture
def run_with_keyring(tmp_path: Path) -> Callable[[str], str]:
    """Runs Python code with a fresh, unlocked keyring around it; returns what it printed. Skips where the tools are missing."""
    missing = [tool for tool in KEYRING_TOOLS if shutil.which(tool) is None]
    if missing or sys.platform != "linux":
        pytest.skip(f"needs {', '.join(missing or KEYRING_TOOLS)} on Linux")
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
        script.write_text(KEYRING_PRELUDE + textwrap.dedent(code))
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
            output, errors = process.communicate(timeout=100)
        finally:
            # The bus and the keyring daemon belong to this session and to nobody else.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == 0, errors
        return output.strip()

    return run


KEYRING_PRELUDE = """
import os, time
from pathlib import Path

import secretstorage

from agent.infrastructure.store.secret_stores import KeyringSecretStore
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.open_library import open_library
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
home = KeyringSecretStore(limit_s=10)
keys = LibraryKeys(folder, home)
"""


# -- servers that take messages -------------------------------------------------------------------------------------------------------
@pytest.fixture
def certificates(tmp_path: Path) -> "Certificates":
    """Of the servers below."""
    from agent.interfaces.web.certificates import Certificates

    made = Certificates(tmp_path / "certificates", lambda: ["localhost", "127.0.0.1"], lambda: datetime.now(UTC), None)
    made.load()
    return made


@pytest.fixture
def trust(tmp_path: Path, certificates: "Certificates") -> ssl.SSLContext:
    """Trusts them."""
    from agent.interfaces.web.certificates import AUTHORITY_FILE

    return ssl.create_default_context(cafile=tmp_path / "certificates" / AUTHORITY_FILE)


@pytest.fixture
def receiver(certificates: "Certificates") -> "Iterator[Receiver]":
    from tests.support.message_receivers import Receiver

    with Receiver(certificates.context) as server:
        yield server


@pytest.fixture
async def mail(certificates: "Certificates") -> "AsyncIterator[MailServer]":
    from tests.support.message_receivers import MailServer

    async with MailServer(certificates.context).open() as server:
        yield server
