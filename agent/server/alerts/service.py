"""What members and programs do with alerts: look, silence, wait for new ones, pass on those of Prometheus."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Final

from agent.domain.errors import AlertUnknown, BadRequest
from agent.infrastructure.core.observable import wait_for_any
from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.queries import AlertQueries
from agent.server.alerts.records import Alert, ReceivedAlert, Silence, SilenceReason

LONGEST_SILENCE: Final = timedelta(days=30)
_LOOK_S: Final = 5.0  # another process may have found it


class Alerts:
    """For use in the event loop."""

    def __init__(self, queries: AlertQueries, clock: Callable[[], datetime]) -> None:
        self.queries = queries
        self._clock = clock
        self._changed = asyncio.Event()  # replaced with each change, so that all who wait are woken

    def happened(self, _: object = None) -> None:
        """Something fires or ended."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def silences(self) -> list[Silence]:
        """Those in force."""
        return await asyncio.to_thread(self.queries.silences, self._clock())

    async def silence(self, name: str, reason: SilenceReason, until: datetime) -> Silence:
        """Raises BadRequest for a time that is over or too far away, AlertUnknown for a name that no alert has or had."""
        now = self._clock()
        if not now < until <= now + LONGEST_SILENCE:
            raise BadRequest(reason="until")
        known = known_names()
        if name not in known and name not in (heard := await asyncio.to_thread(self.queries.heard_names)):
            raise AlertUnknown(name=name, known=", ".join(known), nearest=next(iter(get_close_matches(name, [*known, *heard], 1)), ""))
        return await asyncio.to_thread(self.queries.silence, name, reason, until, now)

    async def unsilence(self, silence_id: int) -> Silence:
        """Raises NotFound."""
        return await asyncio.to_thread(self.queries.unsilence, silence_id, self._clock())

    async def firing(self) -> list[Alert]:
        """Those that fire, newest first."""
        return await asyncio.to_thread(self.queries.firing)

    async def firing_aloud(self) -> list[Alert]:
        """Those that fire and are not silenced."""
        silenced = {each.name for each in await self.silences()}
        return [each for each in await self.firing() if each.name not in silenced]

    async def newer(self, after: int, over: asyncio.Event, longest_s: float) -> list[Alert]:
        """Return what fires and is not silenced, newer than that number. Wait for it, at most so long, or until it is `over`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + longest_s
        while True:
            changed = self._changed
            found = [each for each in await self.firing_aloud() if each.id > after]
            left = until - loop.time()
            if found or left <= 0 or over.is_set():
                return [] if over.is_set() else found
            await wait_for_any((changed, over), min(left, _LOOK_S))

    async def receive(self, told: Sequence[ReceivedAlert]) -> None:
        """Take what Alertmanager tells."""
        await asyncio.to_thread(self.queries.receive, told, self._clock())
        self.happened()


def known_names() -> list[str]:
    """The names that have a text and a page of their own."""
    return [str(each) for each in AlertKind]
