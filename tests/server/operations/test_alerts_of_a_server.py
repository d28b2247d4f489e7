"""The real server: a disk fills, one mail arrives; the server is killed and starts again, no second one; room is made, it says so."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.real_program import WAIT_S
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]


class Mailbox:
    """A mail server without encryption, in a thread of its own."""

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.ids: list[str] = []
        self.texts: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        found = message_from_bytes(envelope.content, policy=default)
        self.texts.append(str(found.get_content()))
        self.ids.append(str(found["Message-ID"]))
        self.subjects.append(str(found["Subject"]))
        return "250 OK"

    @contextmanager
    def open(self) -> Iterator[int]:
        """Listen, and give the port."""
        listening, ports, ending = threading.Event(), list[int](), list[Callable[[], object]]()

        async def serve() -> None:
            loop, stop = asyncio.get_running_loop(), asyncio.Event()
            ending.append(lambda: loop.call_soon_threadsafe(stop.set))
            async with await loop.create_server(lambda: SMTP(self, loop=loop), "127.0.0.1", 0) as served:
                ports.append(int(served.sockets[0].getsockname()[1]))
                listening.set()
                await stop.wait()

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        try:
            assert listening.wait(WAIT_S)
            yield ports[0]
        finally:
            ending[0]()
            thread.join()


def until(reached: Callable[[], bool], said: Callable[[], object]) -> None:
    limit = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < limit, said()
        time.sleep(0.1)


def test_each_firing_and_its_end_are_mailed_once_whatever_restarts(tmp_path: Path, models_folder: Path) -> None:
    mailbox = Mailbox()
    with mailbox.open() as port:
        quick = {"AI_POPUP__ALERTS__LOOK_S": "1", "AI_POPUP__ALERTS__HOLD_S": "0", "AI_POPUP__SERVER__WORKERS": "0"}
        server = RealServer(tmp_path, models_folder, quick)
        for name, value in {"smtp_host": "127.0.0.1", "smtp_port": str(port), "smtp_security": "none"}.items():
            server.file.set(f"incidents.{name}", value)
        server.file.set("alerts.email_to", '["admin@school.example"]')
        server.file.set("alerts.memory_percent", "100")
        server.file.set("alerts.disk_low_percent", "99")  # as if the disk were full
        try:
            server.serve()
            until(lambda: len(mailbox.subjects) >= 1, lambda: mailbox.subjects)
            assert mailbox.subjects == ["AI Popup: A disk is filling up"]
            assert "#alerts/1" in mailbox.texts[0] and str(tmp_path) not in mailbox.texts[0]
            server.kill()
            server.serve()
            server.file.set("alerts.disk_low_percent", "0")
            until(lambda: len(mailbox.subjects) >= 2, lambda: mailbox.subjects)
            assert mailbox.subjects == ["AI Popup: A disk is filling up", "AI Popup, over: A disk is filling up"]
            assert len(set(mailbox.ids)) == 2
        finally:
            server.kill()
