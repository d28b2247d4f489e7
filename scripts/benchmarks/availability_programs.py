"""What runs on the hosts of the group `availability`: processes of the server, and members of PostgreSQL."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg

from agent.infrastructure.core.json_child import own_command
from scripts.benchmarks.availability_hosts import Host, Unit

PORT, OPERATIONS_PORT = 8443, 9464
_LIMIT_S, _LOOK_S = 180.0, 0.05
DATABASE_PASSWORD = "guessed-by-nobody"
SETTINGS = {
    "server.host": "0.0.0.0",
    "server.port": str(PORT),
    "server.operations_host": "0.0.0.0",
    "server.operations_port": str(OPERATIONS_PORT),
    "server.workers": "1",
    "engine.workers": "1",
    "recognition.enabled": "true",
    "consent.required": "never",
}


@dataclass(frozen=True, slots=True)
class Api:
    """One process of the server."""

    host: Host
    unit: Unit

    async def ready(self) -> bool:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            with suppress(httpx.HTTPError):
                return (await client.get(f"http://{self.host.address}:{OPERATIONS_PORT}/ready")).is_success
        return False

    def worker(self) -> psutil.Process | None:
        """The process beside it that analyses photos."""
        if (pid := self.unit.pid) is not None:
            with suppress(psutil.Error):
                return next((each for each in psutil.Process(pid).children() if "--with-parent" in each.cmdline()), None)
        return None

    def invitation(self) -> str:
        """The first administrator's, if this process made it."""
        lines = [line for line in self.unit.log.read_text(errors="replace").splitlines() if line.startswith('{"name"')]
        file = next(filter(None, (json.loads(line)["invitation_file"] for line in lines)), None)
        return Path(file).read_text().strip() if file else ""


@dataclass(frozen=True, slots=True)
class Member:
    """One PostgreSQL, kept by Patroni."""

    host: Host
    unit: Unit
    data: Path

    def leads(self) -> bool:
        with suppress(psycopg.Error), psycopg.connect(libpq(self.host.address), connect_timeout=2, autocommit=True) as connection:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            return row == (False,)
        return False

    def kill_postgres(self) -> None:
        with suppress(OSError, ValueError):
            os.kill(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]), signal.SIGKILL)


def api(host: Host, home: Path, logs: Path, pause_s: float, instance: str = "") -> Api:
    """A process of the server on a host."""
    environment = {"AI_POPUP_HOME": str(home), **({"AI_POPUP_INSTANCE": instance} if instance else {})}
    return Api(host, Unit(host.inside(own_command("serve", "--json")), logs / f"api-{instance}.log", pause_s, environment))


async def until(done: Callable[[], Awaitable[bool]], what: str, *, is_so: bool = True) -> None:
    """Wait until something is so, or isn't. Raises TimeoutError."""
    deadline = time.monotonic() + _LIMIT_S
    while await done() is not is_so:
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(_LOOK_S)


def libpq(address: str) -> str:
    return f"host={address} user=postgres password={DATABASE_PASSWORD} dbname=postgres"
