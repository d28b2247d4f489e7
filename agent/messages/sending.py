"""Sends a feature's messages in the ways that are set up, and a test message on request."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent.core.i18n import Texts
from agent.domain.errors import NoWayToTell
from agent.messages.channels import Channels, Note, Target
from agent.messages.delivery import Delivery
from agent.messages.queue import Claimed, MessageQueue


@dataclass(frozen=True, slots=True)
class Wording:
    """What every message needs besides what it is about."""

    address: Callable[[], str]
    """the server's, for the link"""
    texts: Callable[[], Texts]
    clock: Callable[[], datetime]


class Notes(Protocol):
    """What a feature's messages say."""

    def of(self, message: Claimed) -> Note:
        """Blocks. Raises StoreError."""
        ...

    def test(self) -> Note: ...


class Sending:
    def __init__(
        self, queue: MessageQueue, notes: Notes, target: Callable[[], Target], channels: Channels, clock: Callable[[], datetime]
    ) -> None:
        """`target` is asked anew for each message, because the settings may change."""
        self._notes = notes
        self._target = target
        self._channels = channels
        self._delivery = Delivery(queue, self._send, self.ways, clock)

    def ways(self) -> tuple[str, ...]:
        """Return those that are set up at present."""
        return self._target().ways

    async def run(self) -> None:
        """Run until cancelled."""
        await self._delivery.run()

    async def send_due(self) -> int:
        """Send what is due. Returns how many messages were accepted. Raises StoreError."""
        return await self._delivery.send_due()

    async def test(self) -> Sequence[str]:
        """Send a test message in each way. Raises NoWayToTell, and what went wrong."""
        target = self._target()
        if not target.ways:
            raise NoWayToTell
        note = self._notes.test()
        for way in target.ways:
            await asyncio.to_thread(self._channels.send, way, target, note)
        return target.ways

    def _send(self, message: Claimed) -> None:
        self._channels.send(message.way, self._target(), self._notes.of(message))
