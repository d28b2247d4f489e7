"""Waits for room on a full disk, where ending would help no user: the supervisor starts a server again some times, and then gives up."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from agent.domain.errors import StoreDiskFull
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.sd_notify import keep_alive, sd_notify
from agent.server.alerts.disk_full_alert import DirectAlert

log = structlog.get_logger()

T = TypeVar("T")

ROOM_S: Final = 5.0


class DiskSpaceGate:
    """`waits` tells the user who started the server, once for each wait; the probe `/ready` says why it is not ready."""

    def __init__(self, unstored: DirectAlert, waits: Callable[[StoreDiskFull], None], stop: asyncio.Event) -> None:
        self._unstored = unstored
        self._waits = waits
        self._stop = stop

    async def for_work(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, which blocks. While the disk is full, wait for room and do it again.

        Raises StoreDiskFull if the server is told to end meanwhile, and what else `work` raises.
        """
        try:
            return await asyncio.to_thread(work)
        except StoreDiskFull as error:
            found = error
        log.error("server.no_room", code=found.code)
        self._waits(found)
        sd_notify("READY=1\nSTATUS=Waits for room on the disk")  # so that it doesn't take the wait for a failed start
        alive = asyncio.create_task(keep_alive())
        try:
            while True:
                await asyncio.to_thread(self._unstored.tell, found)
                await wait_at_most(self._stop, ROOM_S)
                if self._stop.is_set():
                    raise found
                try:
                    done = await asyncio.to_thread(work)
                except StoreDiskFull as error:
                    found = error
                else:
                    sd_notify("STATUS=")
                    log.info("server.room_again")
                    return done
        finally:
            alive.cancel()
