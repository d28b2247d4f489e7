"""The PostgreSQL that comes with the program, run for one team server in a private folder.

It listens on a socket in that folder (on Windows at a free port of this computer only) and asks for a random password. The address with
that password is in a file that only the owner can read: worker processes find the database by it. Killed, it recovers by its own log.
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
from pathlib import Path
from typing import Any

import psutil
import structlog
from sqlalchemy import URL, make_url

from agent.domain.errors import DatabaseFailed, DatabaseFilesUnfit, DatabaseUnreachable, ServerPackagesMissing, StoreDiskFull
from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.core.paths import make_private
from agent.infrastructure.store.data_directory import DATA, Archive, ClusterFolder, FolderReached, make_private_for
from agent.infrastructure.store.postgres_programs import KNOWN, NEWEST, OPEN_TO_ALL, Programs, account

log = structlog.get_logger()

ADDRESS_FILE, CLUSTER_FOLDER = "address", "cluster"
_OWNER = _DATABASE = "ai_popup"
_SOCKETS = "ai-popup-sockets-"
_LONGEST_SOCKET = 90  # bytes of a socket's path; the systems' limits are a little above 100
_LEAST_FREE = 100 * 2**20  # bytes; a new database takes some 60 MB, and a failed attempt gives them back
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
    "shared_buffers": "256MB",  # taken as the library grows
    "wal_level": "minimal",
}
# A restored one answers when it has reached its moment, not before.
# The memory that its processes share lies in its folder, and goes with it: elsewhere, only another start there removes a killed one's.
_RECOVERING = {"archive_mode": "off", "dynamic_shared_memory_type": "mmap", "hot_standby": "off"}


class EmbeddedPostgres:
    """`folder` belongs to it, and its messages go to the file `messages`. All methods block; one process at a time may use it."""

    def __init__(self, folder: Path, messages: Path, archive: Archive | None = None, *, recovers_s: float = 0.0) -> None:
        """Without `archive`, its write-ahead log is kept nowhere else. With `recovers_s` it is a restored one, which replays the log
        for so long at most before it answers, and keeps none.
        """
        self._recovers_s = recovers_s
        self._folder = folder
        self.home = ClusterFolder(folder / CLUSTER_FOLDER, account(), archive)  # its user's, where that is another one
        self._cluster = self.home.path
        self._data = self.home.data
        self._messages = messages
        self._account = self.home.account
        self._programs: Programs | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None
        self._port = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def sockets(self) -> Path | None:
        """Return the folder of its socket while it runs; None on Windows."""
        return self._sockets

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> str:
        """Start it, made at first use; returns its address. One left by a killed program is ended first.

        Raises ServerPackagesMissing, DatabaseFailed, DatabaseFilesUnfit, FewFiles, StoreUnwritable, StoreDiskFull.
        """
        try:
            make_private(self._folder)
            self.home.make()
            self._end_own()
            stop_orphan(self._folder)
            if self._programs is None:
                self._programs = Programs(self._version(), self._account)
            address = self._known_address() or self._new_address()
            if not self._data.exists():
                self._make(self._programs, str(address.password))
            if self.home.archive is not None:
                self.home.write_password(str(address.password))
            address = self._launch(self._programs, address)
        except OSError as error:
            raise store_error(error) from error
        except DatabaseFailed as error:
            if shutil.disk_usage(self._folder).free < _LEAST_FREE:
                raise StoreDiskFull from error
            raise
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
        """Return the major version: the data's own, or the newest for a new one. Raises DatabaseFilesUnfit."""
        known = ", ".join(map(str, sorted(KNOWN)))
        try:
            found = int((self._data / "PG_VERSION").read_text(encoding="ascii"))
        except FileNotFoundError:
            return NEWEST
        except ValueError as error:
            raise DatabaseFilesUnfit(known=known) from error
        if found not in KNOWN:
            raise DatabaseFilesUnfit(found=str(found), known=known)
        return found

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
        aside = self._cluster / "new"
        shutil.rmtree(aside, ignore_errors=True)
        file = self.home.write("password", password.encode())
        try:
            with self.home.reached() as reached:
                here = reached.here
                words = ["-D", f"{here}/{aside.name}", "-U", _OWNER, "--auth=scram-sha-256", f"--pwfile={here}/{file.name}"]
                self._run([programs["initdb"], *words, "--encoding=UTF8", "--locale=C", "--no-instructions"], reached)
        finally:
            file.unlink()
        aside.rename(self._data)

    # -- its process -------------------------------------------------------------------------------------------------------------
    def _launch(self, programs: Programs, address: URL) -> URL:
        """Start it and wait until it answers; returns its address. After a kill its memory may be in use for a moment: then once more."""
        began = time.monotonic()
        archiving = self.home.archive.settings if self.home.archive is not None else {}
        if self._recovers_s:
            archiving |= _RECOVERING
        with self.home.reached() as reached, self._messages.open("ab") as messages:
            listening, address = self._listening(reached.here, address)
            settings = [word for name, value in (_SETTINGS | archiving | listening).items() for word in ("-c", f"{name}={value}")]
            command = self.home.command(reached, [programs["postgres"], "-D", f"{reached.here}/{self._data.name}", *settings])
            while True:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, **self.home.of_process(reached)
                )
                if _answers(address, self._process, began + (self._recovers_s or _START_S)):
                    return address
                if self._recovers_s or time.monotonic() > began + _REFUSES_S:  # it would replay the whole log again
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
            forget_sockets(self._folder)
            self._sockets = self._cluster
            if len(os.fsencode(self._cluster)) > _LONGEST_SOCKET:
                self._sockets = Path(tempfile.mkdtemp(prefix=_SOCKETS, dir=OPEN_TO_ALL))
                make_private_for(self._sockets, self._account)
            address = self._keep(address.set(query={"host": str(self._sockets)}))
        inside = here if self._sockets == self._cluster else str(self._sockets)
        return {"listen_addresses": "", "unix_socket_directories": inside}, address

    def _run(self, command: list[str], reached: FolderReached) -> None:
        with self._messages.open("ab") as messages:
            done = subprocess.run(
                self.home.command(reached, command),
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=messages,
                check=False,
                **self.home.of_process(reached),
            )
        if done.returncode != 0:
            raise DatabaseFailed

    def _end_own(self) -> None:
        if self._process is not None:
            if self.runs:
                self._end(psutil.Process(self._process.pid))
            self._process.wait()  # one that was killed, too: its number would be taken for a running one's
            self._process = None

    def _end(self, process: psutil.Process) -> None:
        """Ask it to end without waiting for its clients; then without keeping order: its log has everything."""
        if sys.platform == "win32" and self._programs is not None:
            with self.home.reached() as reached:
                self._run([self._programs["pg_ctl"], "stop", "-D", str(self._data), "-m", "fast"], reached)
        _end(process)


def stop_orphan(folder: Path) -> None:
    """End the database that a killed program left running in `folder`, so that no two write its files, and none loses them."""
    data = folder / CLUSTER_FOLDER / DATA
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])
        process = psutil.Process(pid)
        if process.name().startswith("postgres") and Path(process.cwd()) == data.resolve():
            log.info("database.left_over")
            _end(process)
    except (FileNotFoundError, NotADirectoryError, ValueError, psutil.Error):
        return  # none, or its number is another program's by now


def _end(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        if sys.platform != "win32":
            process.send_signal(signal.SIGINT)
        try:
            process.wait(_END_S)
        except psutil.TimeoutExpired:
            log.warning("database.killed")
            process.kill()
            process.wait()


def embedded_address(folder: Path) -> str:
    """Return the address of the database that a running server has in this folder. Raises DatabaseUnreachable."""
    try:
        return (folder / ADDRESS_FILE).read_text(encoding="utf-8")
    except OSError as error:
        raise DatabaseUnreachable from error


def forget_sockets(folder: Path) -> None:
    """Delete the folder of the socket that a killed program left of the database in `folder`."""
    with contextlib.suppress(DatabaseUnreachable):
        left = _socket_folder(make_url(embedded_address(folder)))
        if left is not None and left.name.startswith(_SOCKETS):
            shutil.rmtree(left, ignore_errors=True)


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
