"""The PostgreSQL that comes with the program, run for one team server in a private folder.

It listens on a socket in that folder (on Windows at a free port of this computer only) and asks for a random password. The address with
that password is in a file that only the owner can read: worker processes find the database by it. Killed, it recovers by its own log.

Where the program is root, PostgreSQL runs as `nobody`, who can't enter the folders above: it gets its folder as an open descriptor.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import structlog
from sqlalchemy import URL, make_url

from agent.core.files import store_error, write_private
from agent.core.paths import make_private
from agent.domain.errors import DatabaseFailed, DatabaseUnreachable, ServerPackagesMissing
from agent.store.postgres_programs import NEWEST, OPEN_TO_ALL, Account, Programs, account

log = structlog.get_logger()

ADDRESS_FILE = "address"
_OWNER = _DATABASE = "ai_popup"
_LONGEST_SOCKET = 90  # bytes of a socket's path; the systems' limits are a little above 100
_START_S, _END_S = 60.0, 60.0
_REFUSES_S = 15.0  # after this long, one that ends at once is not started again
_AGAIN_S = 0.05
# Statements and values never get into its log: errors are left out, and statements are not told.
_SETTINGS = {
    "jit": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",
    "log_timezone": "UTC",
    "max_connections": "200",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
}


class EmbeddedPostgres:
    """`folder` belongs to it, and its messages go to the file `messages`. All methods block; one process at a time may use it."""

    def __init__(self, folder: Path, messages: Path) -> None:
        self._folder = folder
        self._cluster = folder / "cluster"  # its user's, where that is another one
        self._data = self._cluster / "data"
        self._messages = messages
        self._account = account()
        self._programs: Programs | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None
        self._port = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> str:
        """Start it, made at first use; returns its address. One left by a killed program is ended first.

        Raises ServerPackagesMissing, DatabaseFailed, StoreUnwritable, StoreDiskFull.
        """
        try:
            make_private(self._folder)
            make_private_for(self._cluster, self._account)
            self._end_own()
            self._end_left_over()
            if self._programs is None:
                self._programs = Programs(self._version(), self._account)
            address = self._known_address() or self._new_address()
            if not self._data.exists():
                self._make(self._programs, str(address.password))
            address = self._launch(self._programs, address)
        except OSError as error:
            raise store_error(error) from error
        return address.render_as_string(hide_password=False)

    def stop(self) -> None:
        """End it in an orderly way, without waiting for its clients."""
        self._end_own()
        if self._programs is not None:
            self._programs.forget()
            self._programs = None
        if self._sockets not in (None, self._cluster):
            shutil.rmtree(str(self._sockets), ignore_errors=True)
        self._sockets = None

    # -- its files ---------------------------------------------------------------------------------------------------------------
    def _version(self) -> int:
        """Return the major version: the data's own, or the newest for a new one."""
        try:
            return int((self._data / "PG_VERSION").read_text(encoding="ascii"))
        except FileNotFoundError:
            return NEWEST

    def _known_address(self) -> URL | None:
        try:
            return make_url((self._folder / ADDRESS_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def _new_address(self) -> URL:
        """Write an address with a new password."""
        return self._keep(URL.create("postgresql+psycopg", username=_OWNER, password=secrets.token_urlsafe(32), database=_DATABASE))

    def _keep(self, address: URL) -> URL:
        write_private(self._folder / ADDRESS_FILE, address.render_as_string(hide_password=False).encode())
        return address

    def _make(self, programs: Programs, password: str) -> None:
        """Make the files aside, so that an interrupted start leaves no half of them."""
        aside, file = self._cluster / "new", self._cluster / "password"
        shutil.rmtree(aside, ignore_errors=True)
        write_private(file, password.encode())
        if self._account is not None:
            self._account.own(file)
        try:
            with self._reached() as (here, descriptors):
                words = ["-D", f"{here}/{aside.name}", "-U", _OWNER, "--auth=scram-sha-256", f"--pwfile={here}/{file.name}"]
                self._run([programs["initdb"], *words, "--encoding=UTF8", "--locale=C", "--no-instructions"], descriptors)
        finally:
            file.unlink()
        aside.rename(self._data)

    # -- its process -------------------------------------------------------------------------------------------------------------
    def _launch(self, programs: Programs, address: URL) -> URL:
        """Start it and wait until it answers; returns its address. After a kill its memory may be in use for a moment: then once more."""
        began = time.monotonic()
        with self._reached() as (here, descriptors), self._messages.open("ab") as messages:
            listening, address = self._listening(here, address)
            settings = [word for name, value in (_SETTINGS | listening).items() for word in ("-c", f"{name}={value}")]
            command = [programs["postgres"], "-D", f"{here}/{self._data.name}", *settings]
            while True:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, **self._of_process(descriptors)
                )
                if _answers(address, self._process, began + _START_S):
                    return address
                if time.monotonic() > began + _REFUSES_S:
                    self._end_own()
                    raise DatabaseFailed
                time.sleep(_AGAIN_S)

    def _listening(self, here: str, address: URL) -> tuple[dict[str, str], URL]:
        """Return the settings by which it listens, and its address then: the same as long as this object is used."""
        if sys.platform == "win32":
            self._port = self._port or _free_port()
            listening = {"listen_addresses": "127.0.0.1", "port": str(self._port), "unix_socket_directories": ""}
            return listening, self._keep(address.set(host="127.0.0.1", port=self._port))
        if self._sockets is None:
            if (left := _socket_folder(address)) not in (None, self._cluster):
                shutil.rmtree(str(left), ignore_errors=True)
            self._sockets = self._cluster
            if len(os.fsencode(self._cluster)) > _LONGEST_SOCKET:
                self._sockets = Path(tempfile.mkdtemp(prefix="ai-popup-", dir=OPEN_TO_ALL))
                make_private_for(self._sockets, self._account)
            address = self._keep(address.set(query={"host": str(self._sockets)}))
        inside = here if self._sockets == self._cluster else str(self._sockets)
        return {"listen_addresses": "", "unix_socket_directories": inside}, address

    @contextlib.contextmanager
    def _reached(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield the path by which its user reaches the folder, and the descriptors that it takes."""
        if self._account is None or sys.platform == "win32":
            yield str(self._cluster), ()
            return
        descriptor = os.open(self._cluster, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{descriptor}", (descriptor,)
        finally:
            os.close(descriptor)

    def _of_process(self, descriptors: tuple[int, ...]) -> dict[str, Any]:
        """Return the arguments of its processes: bare, and apart from signals that the terminal sends to the program."""
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR") if name in os.environ}
        common: dict[str, Any] = {"cwd": "/" if self._account else self._folder, "env": {**kept, "LC_ALL": "C"}}
        if sys.platform == "win32":
            return {**common, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        return {**common, "start_new_session": True, "pass_fds": descriptors, **(self._account.of_process() if self._account else {})}

    def _run(self, command: list[str], descriptors: tuple[int, ...]) -> None:
        with self._messages.open("ab") as messages:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, check=False, **self._of_process(descriptors)
            )
        if done.returncode != 0:
            raise DatabaseFailed

    def _end_own(self) -> None:
        if self._process is not None:
            if self.runs:
                self._end(psutil.Process(self._process.pid))
            self._process.wait()  # one that was killed, too: its number would be taken for a running one's
            self._process = None

    def _end_left_over(self) -> None:
        """End the one that a killed program left, so that only one process writes the files."""
        try:
            pid = int((self._data / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])
            process = psutil.Process(pid)
            if process.name().startswith("postgres") and Path(process.cwd()) == self._data.resolve():
                log.info("database.left_over")
                self._end(process)
        except (FileNotFoundError, ValueError, psutil.Error):
            return  # none, or its number is another program's by now

    def _end(self, process: psutil.Process) -> None:
        """Ask it to end without waiting for its clients; then without keeping order: its log has everything."""
        with contextlib.suppress(psutil.NoSuchProcess):
            if sys.platform == "win32":
                if self._programs is not None:
                    self._run([self._programs["pg_ctl"], "stop", "-D", str(self._data), "-m", "fast"], ())
            else:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(_END_S)
            except psutil.TimeoutExpired:
                log.warning("database.killed")
                process.kill()
                process.wait()


def make_private_for(folder: Path, owner: Account | None) -> None:
    """Create a folder that only this user can enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if owner is not None:
        owner.own(folder)


def embedded_address(folder: Path) -> str:
    """Return the address of the database that a running server has in this folder. Raises DatabaseUnreachable."""
    try:
        return (folder / ADDRESS_FILE).read_text(encoding="utf-8")
    except OSError as error:
        raise DatabaseUnreachable from error


def _socket_folder(address: URL) -> Path | None:
    host = address.query.get("host")
    return Path(host) if isinstance(host, str) else None


def _answers(address: URL, process: "subprocess.Popen[bytes]", until: float) -> bool:
    """Wait until it takes connections and has our database; False if it ended, also meanwhile, or if it takes too long."""
    psycopg = _driver()
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(psycopg.OperationalError), _connected(address) as connection:
            _have_database(connection)
            return True
        time.sleep(_AGAIN_S)
    return False


def _have_database(connection: Any) -> None:
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone()
    if known is None:
        connection.execute(f'CREATE DATABASE "{_DATABASE}"')


def _connected(address: URL) -> Any:
    conninfo = address.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    return _driver().connect(conninfo, autocommit=True, connect_timeout=10)


def _driver() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise ServerPackagesMissing from error
    return psycopg


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
