"""A team server without a single point of failure, of the files in `installers/server/availability`: each program on a host of its own."""

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import httpx
import psycopg

from agent.app.library_home import home_of_key
from agent.features.models.model_store import ModelStore
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.postgres_programs import Programs, account
from agent.infrastructure.store.server_database import POSTGRES, database_url, server_database
from agent.interfaces.web.certificates import AUTHORITY_FILE, CERTIFICATES_FOLDER
from agent.server.workers.queries.worker_rows import WorkerQueries
from agent.server.workers.records import WorkerState
from scripts.benchmarks.availability_hosts import Host, Network, Unit
from scripts.benchmarks.availability_programs import DATABASE_PASSWORD, OPERATIONS_PORT, PORT, SETTINGS, Api, Member, api, libpq, until
from scripts.program import ROOT, new_home

PROGRAMS = ("haproxy", "patroni", "etcd")
# As the units do: ours for the server, Debian's for the others.
SERVER_PAUSE_S, PAUSE_S = 1.0, 0.1
PASSWORD = "four words hard to guess"
_FILES = ROOT / "installers" / "server" / "availability"
_NOBODY, _NAME = 65534, "api.availability.test"


def missing() -> str:
    """Return what this machine lacks for the group, or nothing."""
    lacks = [each for each in (*PROGRAMS, "ip", "setpriv", "openssl") if shutil.which(each, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if sys.platform != "linux" or os.geteuid() != 0:
        lacks.insert(0, "Linux and root")
    return ", ".join(lacks)


class Cluster:
    """Two API processes with a worker each, HAProxy before them, and two members of Patroni with one etcd."""

    def __init__(self, folder: Path, network: Network, models: ModelStore) -> None:
        self._folder = folder
        self._network = network
        self._models = models
        self._programs = Programs(POSTGRES, account())
        self._balancer, self._keeper = network.host("lb"), network.host("dcs")
        keeper = f"http://{self._keeper.address}"
        words = [f"--listen-client-urls={keeper}:2379", f"--advertise-client-urls={keeper}:2379", f"--listen-peer-urls={keeper}:2380"]
        words += [f"--initial-advertise-peer-urls={keeper}:2380", f"--initial-cluster=default={keeper}:2380"]
        self._etcd = self._unit(self._keeper, "etcd", ["etcd", f"--data-dir={folder}/etcd", *words], PAUSE_S)
        self.members = [self._member(network.host(name), name) for name in ("db1", "db2")]
        self.apis: list[Api] = []
        self.balancer: Unit
        self._units = [self._etcd, *(each.unit for each in self.members)]

    # -- its start ---------------------------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Raises TimeoutError."""
        for unit in self._units:
            unit.start()
        await until(self._replicated, "PostgreSQL")
        await asyncio.to_thread(self._create)
        addresses = ",".join(f"{each.host.address}:5432" for each in self.members)
        values = {
            "server.database": f"postgresql://postgres:{DATABASE_PASSWORD}@{addresses}/photos",
            "server.address": self.address,
            "server.proxies": json.dumps([self._balancer.address]),
        }
        home = self._folder / "home"
        self.paths, self.file = new_home(home, self._models, {**SETTINGS, **values})
        self.apis = [api(self._network.host(name), home, self._folder, SERVER_PAUSE_S, name) for name in ("a", "b")]
        for each in self.apis:
            each.unit.start()
        self._units += [each.unit for each in self.apis]
        await until(self._serving, "API")
        self._balance()
        await until(self.balanced, "HAProxy")

    async def end(self) -> None:
        await asyncio.gather(*(unit.end() for unit in reversed(self._units)))
        self._programs.forget()

    @property
    def address(self) -> str:
        return f"https://{self._balancer.address}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._folder / "balancer.pem")

    def library(self) -> Database:
        settings = self.file.load()
        return server_database(database_url(settings, self.paths.data), self.paths.library, home_of_key(settings, self.paths))

    async def sign_in(self) -> str:
        """Accept the first administrator's invitation; return the session's key."""
        [secret] = [each.invitation().rpartition("/")[2] for each in self.apis if each.invitation()]
        async with httpx.AsyncClient(base_url=self.address, verify=self.trust, trust_env=False, timeout=30) as client:
            answer = await client.post(f"/api/invitations/{secret}", json={"password": PASSWORD})
            return str(answer.raise_for_status().json()["key"])

    # -- what it is like ---------------------------------------------------------------------------------------------------------
    async def whole(self) -> bool:
        """Whether each part is there twice again."""
        return await self._serving() and await self.balanced() and await self._replicated() and all(each.worker() for each in self.apis)

    async def balanced(self) -> bool:
        """Return whether the balancer runs and has found a server."""
        async with httpx.AsyncClient(base_url=self.address, verify=self.trust, trust_env=False, timeout=5) as client:
            with suppress(httpx.HTTPError):
                return (await client.get("/api/account")).status_code == 401
        return False

    async def writable(self) -> bool:
        return any(await asyncio.gather(*(asyncio.to_thread(each.leads) for each in self.members)))

    async def _serving(self) -> bool:
        return all(await asyncio.gather(*(each.ready() for each in self.apis)))

    async def _replicated(self) -> bool:
        return await asyncio.to_thread(self._in_step)

    def _in_step(self) -> bool:
        for each in self.members:
            with suppress(psycopg.Error), psycopg.connect(libpq(each.host.address), connect_timeout=2, autocommit=True) as connection:
                if connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone():
                    return True
        return False

    def workers_since(self, at: datetime) -> int:
        """Return how many workers began after a time."""
        database = self.library()
        try:
            return sum(each.since > at and each.state is not WorkerState.GONE for each in WorkerQueries(database).workers())
        finally:
            database.close()

    # -- its parts ---------------------------------------------------------------------------------------------------------------
    def _create(self) -> None:
        [first] = [each for each in self.members if each.leads()]
        with psycopg.connect(libpq(first.host.address), autocommit=True) as connection:
            connection.execute("CREATE DATABASE photos")

    def _member(self, host: Host, name: str) -> Member:
        folder = self._folder / name
        folder.mkdir()
        os.chown(folder, _NOBODY, _NOBODY)
        text = (_FILES / "patroni.yml").read_text()
        comments, _, text = text.partition("scope:")
        for word, value in {
            "SUPERUSER_PASSWORD": DATABASE_PASSWORD,
            "REPLICATION_PASSWORD": "replication",
            "REWIND_PASSWORD": "rewinding",
            "ETCD_ADDRESS": self._keeper.address,
            "ADDRESS": host.address,
            "NETWORK": self._network.addresses,
            "PROGRAMS": str(Path(self._programs["postgres"]).parent),
            "SOCKETS": str(folder),
            "DATA": str(folder / "data"),
            "NAME": name,
        }.items():
            text = text.replace(word, value)
        (file := folder / "patroni.yml").write_text(f"{comments}scope:{text}")
        return Member(host, self._unit(host, name, ["patroni", str(file)], PAUSE_S, _NOBODY), folder / "data")

    def _balance(self) -> None:
        key, certificate = self._folder / "balancer.key", self._folder / "balancer.pem"
        made = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=balancer",
        ]
        made += ["-addext", f"subjectAltName=IP:{self._balancer.address}", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(made, check=True, capture_output=True)
        (both := self._folder / "both.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
        environment = {
            "AI_POPUP_BALANCER_CERTIFICATE": str(both),
            "AI_POPUP_OPERATIONS_PORT": str(OPERATIONS_PORT),
            "AI_POPUP_AUTHORITY": str(self.paths.data / CERTIFICATES_FOLDER / AUTHORITY_FILE),
            "AI_POPUP_SERVERS": f"{_NAME}:{PORT}",
            "AI_POPUP_BALANCER_BIND": f"fd@{(listener := self._balancer.listening(443)).fileno()}",
        }
        names = [sys.executable, "-P", "-m", "scripts.benchmarks.availability_hosts", *(each.host.address for each in self.apis)]
        dns = self._unit(self._balancer, "dns", names, PAUSE_S)
        self.balancer = self._unit(
            self._balancer, "haproxy", ["haproxy", "-db", "-f", str(_FILES / "haproxy.cfg")], PAUSE_S, environment=environment
        )
        self.balancer.held = listener
        for unit in (dns, self.balancer):
            unit.start()
            self._units.append(unit)

    def _unit(
        self, host: Host, name: str, command: list[str], pause_s: float, user: int = 0, environment: Mapping[str, str] | None = None
    ) -> Unit:
        return Unit(host.inside(command, user), self._folder / f"{name}.log", pause_s, environment or {})
