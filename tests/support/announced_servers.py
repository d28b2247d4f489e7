"""A team server that is only announced in the local network: nothing answers there."""

import asyncio
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agent.app.server.announcing import Announcer
from agent.interfaces.web.announcement import Announcement


def announcement() -> Announcement:
    """One of a server of its own: others may be in the network."""
    fingerprint = secrets.token_hex(32).upper()
    pairs = ":".join(fingerprint[each : each + 2] for each in range(0, 64, 2))
    return Announcement(f"照片. {secrets.token_hex(4)}", "1.2.3", pairs, "", ("10.9.9.9",), 8443)


@contextmanager
def announced(wanted: Announcement) -> Iterator[None]:
    """Announce it, for tests without an event loop."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(Announcer(lambda: wanted, 0.05).run())

    def run() -> None:
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()
