"""Sends a feature's messages in the ways that are set up, and a test message on request. What fails is tried again, later and later."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from agent.domain.errors import AgentError, MessageError, NoWayToTell
from agent.infrastructure.core.background import run_periodically
from agent.infrastructure.core.i18n import Texts
from agent.server.messages.channels import Channels, Note, Target
from agent.server.messages.queue import LONGEST_WAIT, Claimed, MessageQueue

log = structlog.get_logger()

LOOK_S: Final = 5.0
FIRST_WAIT_S: Final = 60
MOST_ATTEMPTS: Final = 14  # about a day and a half
_AT_ONCE: Final = 20


async def _at_once() -> None: ...


@dataclass(frozen=True, slots=True)
class Wording:
    """What every message needs besides what it is about."""

    address: Callable[[], str]
    """the server's, for the link"""
    texts: Callable[[], Texts]
    clock: Callable[[], datetime]
    caught_up: Callable[[], Awaitable[None]] = _at_once
    """waits until the settings that were saved a moment ago count"""


class Notes(Protocol):
    """What a feature's messages say."""

    def of(self, message: Claimed) -> Note:
        """Blocks. Raises StoreError."""
        ...

    def test(self) -> Note: ...


class Sending:
    """A message is sent at least once: it is stored with what it is about, in one transaction, and marked once it was accepted."""

    def __init__(self, queue: MessageQueue, notes: Notes, target: Callable[[], Target], channels: Channels, wording: Wording) -> None:
        """`target` is asked anew for each message, because the settings may change."""
        self._queue = queue
        self._notes = notes
        self._target = target
        self._channels = channels
        self._clock = wording.clock
        self._caught_up = wording.caught_up

    def ways(self) -> tuple[str, ...]:
        """Return those that are set up at present."""
        return self._target().ways

    async def run(self) -> None:
        """Run until cancelled."""
        await run_periodically(self.send_due, lambda: LOOK_S, event="messages.not_sent")

    async def send_due(self) -> int:
        """Send what is due. Returns how many messages were accepted. Raises StoreError."""
        accepted = 0
        for _ in range(_AT_ONCE):
            due = await asyncio.to_thread(self._queue.claim, self._clock(), 1)
            if not due:
                break
            accepted += await asyncio.to_thread(self._try, due[0])
        return accepted

    async def test(self) -> Sequence[str]:
        """Send a test message in each way. Raises NoWayToTell, and what went wrong."""
        await self._caught_up()
        target = self._target()
        if not target.ways:
            raise NoWayToTell
        note = self._notes.test()
        for way in target.ways:
            await asyncio.to_thread(self.send, way, note)
        return target.ways

    def send(self, way: str, note: Note) -> None:
        """Send once, past the queue. Blocks. Raises MessageError."""
        self._channels.send(way, self._target(), note)

    def _try(self, message: Claimed) -> bool:
        if message.way not in self.ways():  # switched off meanwhile
            self._queue.failed(message.id, NoWayToTell.code, None)
            return False
        try:
            self._channels.send(message.way, self._target(), self._notes.of(message))
        except AgentError as error:
            wait = min(timedelta(seconds=FIRST_WAIT_S * 2 ** (message.attempts - 1)), LONGEST_WAIT)
            self._queue.failed(message.id, error.code, self._clock() + wait if message.attempts < MOST_ATTEMPTS else None)
            log.warning("message.not_sent", message=message.id, way=message.way, code=error.code, attempt=message.attempts)
            if not isinstance(error, MessageError):
                raise
            return False
        self._queue.sent(message.id, self._clock())
        return True
