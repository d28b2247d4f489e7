"""A server is stopped and the next one started behind the same socket, under load: no request is refused, cut off or answered wrongly."""

import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.real_program import CHECKOUT, WAIT_S
from tests.support.real_server import RealServer
from tests.support.server_load import desk_of_first
from tests.support.socket_activation import HeldSocket

pytestmark = [pytest.mark.timeout(600), pytest.mark.skipif(sys.platform != "linux", reason="systemd's sockets are Linux's")]
SWITCHES, VISITORS = 3, 4


class Behind(RealServer):
    """The server behind a socket that outlives it."""

    def __init__(self, root: Path, models: Path, held: HeldSocket) -> None:
        super().__init__(root, models, {"AI_POPUP__SERVER__WORKERS": "0", "AI_POPUP__SERVER__OPERATIONS_PORT": "0"})
        self._held = held

    def begin(self) -> None:
        with (self.home / "errors.txt").open("ab") as errors, self.printed.open("wb") as out:
            command = [sys.executable, "-m", "agent", "serve", "--json"]
            self.process = self._held.start(command, self.environment, cwd=CHECKOUT, out=out, errors=errors)

    def end(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(WAIT_S)


class Visiting(threading.Thread):
    """Asks without a pause; every other visitor opens a connection for each request."""

    def __init__(self, server: Behind, key: str, *, anew: bool) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._headers = {"authorization": f"Session {key}", **({"connection": "close"} if anew else {})}
        self.over = threading.Event()
        self.answers: Counter[str] = Counter()
        self.slowest_s = 0.0

    def run(self) -> None:
        trust = ssl.create_default_context(cafile=self._server.authority)
        with httpx.Client(base_url=self._server.address, verify=trust, trust_env=False, timeout=WAIT_S) as client:
            while not self.over.is_set():
                began = time.monotonic()
                try:
                    self.answers[str(client.get("/api/images?limit=5", headers=self._headers).status_code)] += 1
                except httpx.HTTPError as error:
                    self.answers[type(error).__name__] += 1
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)


@pytest.fixture
def server(tmp_path: Path, models_folder: Path) -> Iterator[Behind]:
    with HeldSocket("https") as held:
        server = Behind(tmp_path, models_folder, held)
        server.serve()
        yield server
        server.quit()


def test_no_request_is_refused_while_servers_follow_each_other(server: Behind) -> None:
    desk = desk_of_first(server)
    key = desk._key
    visitors = [Visiting(server, key, anew=bool(number % 2)) for number in range(VISITORS)]
    for each in visitors:
        each.start()
    for _ in range(SWITCHES):
        seen = [each.answers.total() for each in visitors]
        assert server.end() == 0
        server.serve()
        until = time.monotonic() + WAIT_S
        while not all(each.answers.total() > before + 1 for each, before in zip(visitors, seen, strict=True)):
            assert time.monotonic() < until
            time.sleep(0.02)
    for each in visitors:
        each.over.set()
    for each in visitors:
        each.join()
    answers = sum((each.answers for each in visitors), Counter[str]())
    print(dict(answers), "slowest", [round(each.slowest_s, 2) for each in visitors])
    assert set(answers) == {"200"}, answers
