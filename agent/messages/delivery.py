"""Sends what is due in a queue of messages. What fails is tried again, later and later."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final

import structlog

from agent.core.background import regularly
from agent.domain.errors import AgentError, MessageError, NoWayToTell
from agent.messages.queue import Claimed, MessageQueue

log = structlog.get_logger()

LOOK_S: Final = 5.0
FIRST_WAIT_S: Final = 60
LONGEST_WAIT_S: Final = 6 * 3_600
MOST_ATTEMPTS: Final = 14  # about a day and a half
_AT_ONCE: Final = 20


class Delivery:
    """A message is sent at least once: it is stored with what it is about, in one transaction, and marked once it was accepted."""

    def __init__(
        self,
        queue: MessageQueue,
        send: Callable[[Claimed], None],
        ways: Callable[[], Collection[str]],
        clock: Callable[[], datetime],
    ) -> None:
        """`send` blocks and raises MessageError; `ways` returns those that are set up at present."""
        self._queue = queue
        self._send = send
        self._ways = ways
        self._clock = clock

    async def run(self) -> None:
        """Run until cancelled."""
        await regularly(self.send_due, lambda: LOOK_S, event="messages.not_sent")

    async def send_due(self) -> int:
        """Send what is due. Returns how many messages were accepted. Raises StoreError."""
        accepted = 0
        for _ in range(_AT_ONCE):
            due = await asyncio.to_thread(self._queue.claim, self._clock(), 1)
            if not due:
                break
            accepted += await asyncio.to_thread(self._try, due[0])
        return accepted

    def _try(self, message: Claimed) -> bool:
        if message.way not in self._ways():  # switched off meanwhile
            self._queue.failed(message.id, NoWayToTell.code, None)
            return False
        try:
            self._send(message)
        except AgentError as error:
            wait = timedelta(seconds=min(FIRST_WAIT_S * 2 ** (message.attempts - 1), LONGEST_WAIT_S))
            self._queue.failed(message.id, error.code, self._clock() + wait if message.attempts < MOST_ATTEMPTS else None)
            log.warning("message.not_sent", message=message.id, way=message.way, code=error.code, attempt=message.attempts)
            if not isinstance(error, MessageError):
                raise
            return False
        self._queue.sent(message.id, self._clock())
        return True
