"""A team server of two API processes and a worker behind a balancer, while each of its parts is killed: members hardly notice.

The figures are the benchmark's, `scripts/bench.py availability`.
"""

import base64
import hashlib
import io
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import httpx
import psutil
import pytest
from PIL import Image
from sqlalchemy import func, select

from agent.domain.jobs import JobState
from agent.infrastructure.store.schema import event
from tests.support import load_balancer as balancer
from tests.support.postgres_server import PostgresServer
from tests.support.real_program import CHECKOUT, WAIT_S
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
T = TypeVar("T")
PASSWORD = "four words hard to guess"
TUS = {"tus-resumable": "1.0.0"}
PACE_S = 0.1


class Balancer:
    """Its socket outlives it, as systemd's does."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = int(self._listener.getsockname()[1])
        self._ports: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ports: list[int]) -> None:
        self._ports = ports
        descriptor = self._listener.fileno()
        command = [sys.executable, balancer.__file__, str(descriptor), *map(str, ports)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[descriptor], cwd=CHECKOUT)

    def killed(self) -> None:
        self._kill()
        self.start(self._ports)

    def end(self) -> None:
        self._kill()
        self._listener.close()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Site:
    """Server `a` has the worker."""

    def __init__(self, root: Path, models: Path) -> None:
        self.database = PostgresServer()
        self.balancer = Balancer()
        first = RealServer(root, models, {"AI_POPUP__ENGINE__WORKERS": "1", "AI_POPUP__SERVER__WORKERS": "0"})
        first.file.set("server.database", self.database.url(self.database.create()).replace("+psycopg", ""))
        first.file.set("server.address", f"https://localhost:{self.balancer.port}")
        self.ports = [free_port(), free_port()]
        self.a, self.b = first.beside("a"), first.beside("b")
        self.a.environment["AI_POPUP__SERVER__WORKERS"] = "1"
        for each, port in zip((self.a, self.b), self.ports, strict=True):
            each.environment["AI_POPUP__SERVER__PORT"] = str(port)

    def start(self) -> str:
        """Start everything; return the key of the first administrator's session."""
        for each in (self.a, self.b):
            each.begin()
        for each in (self.a, self.b):
            each.wait()
        self.balancer.start(self.ports)
        [invitation] = filter(None, (each.reached["invitation"] for each in (self.a, self.b)))
        with self.a.visitor() as visitor:  # its address is the balancer's
            answer = visitor.post(f"/api/invitations/{invitation.rpartition('/')[2]}", json={"password": PASSWORD})
            assert answer.is_success, answer.text
            return str(answer.json()["key"])

    def worker(self) -> psutil.Process:
        """The process that analyses photos."""

        def look() -> psutil.Process | None:
            assert self.a.process is not None
            with suppress(psutil.Error):
                return next((each for each in psutil.Process(self.a.process.pid).children() if "--with-parent" in each.cmdline()), None)
            return None

        return until(look)

    def end(self) -> None:
        for each in (self.a, self.b):
            each.quit()
        self.balancer.end()
        self.database.stop()


class Member(threading.Thread):
    """Reads and uploads at a steady pace. A read whose connection was cut is asked once more, and no oftener."""

    def __init__(self, server: RealServer, key: str, photo: Callable[[int], Image.Image]) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._key = key
        self._photo = photo
        self._over = threading.Event()
        self.tally: Counter[str] = Counter()
        self.stored: dict[str, str] = {}  # what became of each photo, by content
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with self._server.visitor() as client:
                client.headers["authorization"] = f"Session {self._key}"
                while not self._over.wait(PACE_S):
                    self._read(client)
                    if self.tally.total() % 4 == 0:
                        self._upload(client, len(self.stored))
        except BaseException as error:
            self.error = error

    def ended(self) -> None:
        self._over.set()
        self.join(WAIT_S)
        if self.error is not None:
            raise self.error

    def _read(self, client: httpx.Client) -> None:
        try:
            answer = client.get("/api/images?limit=200")
        except httpx.TransportError:
            self.tally["asked again"] += 1
            answer = client.get("/api/images?limit=200")
        self._note(answer)
        if answer.is_success:
            found = {each["id"] for each in answer.json()["items"]}
            self.tally["photos"] = max(self.tally["photos"], len(found))

    def _upload(self, client: httpx.Client, number: int) -> None:
        """Send a photo until the server says what became of it."""
        out = io.BytesIO()
        self._photo(number).save(out, "JPEG")
        content = out.getvalue()
        said = f"filename {base64.b64encode(f'{number}.jpg'.encode()).decode()}"
        headers = {**TUS, "upload-length": str(len(content)), "upload-metadata": said}
        part = {**TUS, "content-type": "application/offset+octet-stream", "upload-offset": "0"}
        while not self._over.is_set():
            try:
                made = client.post("/api/uploads", headers=headers)
                self._note(made)
                sent = client.patch(made.headers["location"], content=content, headers=part) if made.is_success else made
                self._note(sent)
            except httpx.TransportError:
                self.tally["upload cut"] += 1
                continue
            if sent.headers.get("upload-outcome"):
                self.stored[hashlib.sha256(content).hexdigest()] = sent.headers["upload-outcome"]
                return
            self._over.wait(PACE_S)

    def _note(self, answer: httpx.Response) -> None:
        """An answer is right, or a refusal that says when to ask again."""
        if answer.status_code == 503:
            assert answer.json()["code"] == "store.unreachable" and answer.headers["retry-after"], answer.text
            self.tally["refused"] += 1
            return
        assert answer.is_success, answer.text
        self.tally["right"] += 1


@pytest.fixture
def site(tmp_path: Path, models_folder: Path) -> Iterator[Site]:
    site = Site(tmp_path, models_folder)
    try:
        yield site
    finally:
        site.end()


def test_members_go_on_while_each_part_is_killed(site: Site, photo: Callable[[int], Image.Image]) -> None:
    member = Member(site.a, site.start(), photo)
    member.start()
    try:
        answered_again(member)
        for kill in (site.a.kill, site.balancer.killed, site.database.killed, lambda: site.worker().kill(), site.b.kill):
            kill()
            answered_again(member)
            for each in (site.a, site.b):
                if not each.alive:
                    each.serve()
        answered_again(member)
    finally:
        member.ended()
    # Cut were at most the request under way at each kill of a server or the balancer, and answered when it was asked again.
    assert member.tally["asked again"] + member.tally["upload cut"] <= 3, member.tally
    with site.a.library() as library:
        # The last photos' jobs come once the leader has seen their files.
        until(lambda: member.stored.keys() <= library.hashes(), "a photo was lost")
        until(lambda: not any(count for state, count in library.counts().jobs.items() if state is not JobState.DONE))
        stored = {each.sha256 for each in library.images(limit=1000)}
        assert member.stored.keys() <= stored
        kind = func.json_extract_path_text(event.c.payload, "kind")
        with library.database.read() as tx:
            assert tx.scalar(select(func.count()).select_from(event).where(kind == "image_indexed")) == len(stored), (
                "each was analysed once"
            )
    files = [hashlib.sha256(each.read_bytes()).hexdigest() for each in (site.a.paths.data / "uploads").rglob("*.jpg")]
    assert sorted(files) == sorted(stored), "a photo was doubled"


def answered_again(member: Member) -> None:
    """Wait until a few more requests were answered rightly, and a photo stored."""
    right, stored = member.tally["right"] + 5, len(member.stored)
    until(lambda: member.error is not None or (member.tally["right"] >= right and len(member.stored) > stored))


def until(what: Callable[[], T | None], otherwise: str = "it never came") -> T:
    deadline = time.monotonic() + WAIT_S
    while not (found := what()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
