"""The real team server, started as its administrator starts it: on this computer only, with its own database."""

import copy
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from agent.app.library_home import home_of_key
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.paths import INSTANCE_VARIABLE, AppPaths
from agent.infrastructure.store.server_database import POSTGRES_FOLDER, database_url, server_database
from agent.interfaces.web.certificates import AUTHORITY_FILE, CERTIFICATES_FOLDER
from tests.support.real_program import CHECKOUT, WAIT_S, RealProgram


def _reached(printed: str) -> str:
    """The line that says how it is reached, among those of a log."""
    return next((line for line in printed.splitlines(keepends=True) if line.startswith('{"name"') and line.endswith("\n")), "")


class RealServer(RealProgram):
    """`ai-popup serve` with one watched folder. `reached` is what it printed when it answered, with the link to
    the first administrator's account from its file."""

    def __init__(self, root: Path, models: Path, environment: Mapping[str, str]) -> None:
        here = {
            "AI_POPUP__SERVER__HOST": "127.0.0.1",
            "AI_POPUP__SERVER__PORT": "0",
            "AI_POPUP__SERVER__OPERATIONS_PORT": "0",
            # Until the first backup, the database's log has no repository, and each end would wait five seconds for it.
            "AI_POPUP__BACKUP__ENABLED": "false",
        }
        super().__init__(root, models, {**here, **environment})
        self.reached: dict[str, Any] = {}

    def serve(self) -> None:
        """Start it and wait until it answers."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        with (self.home / "errors.txt").open("ab") as errors, self.printed.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agent", "serve", "--json"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env=self.environment,
                cwd=CHECKOUT,
            )

    def wait(self, within: float = WAIT_S) -> None:
        """Wait until it answers."""
        until = time.monotonic() + within
        while not (line := _reached(self.printed.read_text())):
            assert self.alive and time.monotonic() < until, (self.home / "errors.txt").read_text()
            time.sleep(0.05)
        self.reached = json.loads(line)
        assert self.reached["invitation"] is None, "not in what may be a log"
        if file := self.reached["invitation_file"]:
            self.reached["invitation"] = Path(file).read_text().strip()

    def beside(self, name: str) -> "RealServer":
        """Another instance of it, which shares its library and its settings."""
        other = copy.copy(self)
        other.environment = {**self.environment, INSTANCE_VARIABLE: name}
        other.paths = AppPaths.find(other.environment).create()
        other.process, other.reached = None, {}
        return other

    @property
    def printed(self) -> Path:
        """Its standard output."""
        return self.paths.runtime / "printed.txt"

    @property
    def address(self) -> str:
        """Without the computer's name, which need not lead here."""
        return f"https://localhost:{self.reached['address'].rpartition(':')[2]}"

    @property
    def authority(self) -> Path:
        return self.paths.data / CERTIFICATES_FOLDER / AUTHORITY_FILE

    @contextmanager
    def visitor(self) -> Iterator[httpx.Client]:
        """A client on the network that trusts the server's authority and has not signed in."""
        trust = ssl.create_default_context(cafile=self.authority)
        with httpx.Client(base_url=self.address, verify=trust, trust_env=False, timeout=100) as client:
            yield client

    def postgres(self) -> psutil.Process:
        """The running database."""
        folder = self.paths.data / POSTGRES_FOLDER / "cluster" / "data"
        return psutil.Process(int((folder / "postmaster.pid").read_text().split("\n", 1)[0]))

    @contextmanager
    def library(self) -> Iterator[RedactionQueries]:
        """The library in the database of the running server."""
        settings = self.file.load()
        database = server_database(database_url(settings, self.paths.data), self.paths.library, home_of_key(settings, self.paths))
        try:
            yield RedactionQueries(database)
        finally:
            database.close()
