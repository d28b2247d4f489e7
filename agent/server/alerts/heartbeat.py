"""The dead man's switch: an address elsewhere is requested while all is well, and its service reports when that stops."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from agent.domain.severity import Severity
from agent.infrastructure.core.background import run_periodically
from agent.infrastructure.core.outgoing_requests import Peer, outgoing
from agent.infrastructure.core.server_settings import AlertSettings
from agent.interfaces.web.client_address import Inside
from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.queries import AlertQueries
from agent.server.messages.https import Https, NotReached

log = structlog.get_logger()

_LOOK_S: Final = 5.0


class Heartbeat:
    """All is well if this process looked lately, no critical alert fires without a silence, and messages can be sent."""

    def __init__(
        self,
        queries: AlertQueries,
        looked_at: Callable[[], datetime | None],
        settings: Callable[[], AlertSettings],
        clock: Callable[[], datetime],
        https: Https | None = None,
    ) -> None:
        """`looked_at` returns when this process last looked at the alerts' conditions; None: another one does."""
        self._queries = queries
        self._looked_at = looked_at
        self._settings = settings
        self._clock = clock
        self._https = https or Https()
        self._next: datetime | None = None

    async def run(self) -> None:
        """Run until cancelled."""
        await run_periodically(
            partial(asyncio.to_thread, self.beat), lambda: min(_LOOK_S, self._settings().look_s), event="heartbeat.not_sent"
        )

    def beat(self) -> bool:
        """Request the address if that is due. Returns whether it was accepted. Blocks. Raises StoreError."""
        settings, now = self._settings(), self._clock()
        every = timedelta(minutes=settings.heartbeat_minutes)
        waits = self._next is not None and now < self._next <= now + every  # later: the clock went back
        if not settings.heartbeat_url or waits or not self._is_well(settings, now):
            return False
        self._next = now + every
        try:
            with outgoing(Peer.HEARTBEAT) as request:
                status = self._https.send("GET", settings.heartbeat_url, None, {}, inside=settings.inside)
                request.failed = not 200 <= status < 300
        except Inside:
            log.warning("heartbeat.not_sent", why="inside")
            return False
        except NotReached as error:
            log.warning("heartbeat.not_sent", why=error.why)
            return False
        if not 200 <= status < 300:
            log.warning("heartbeat.refused", status=status)
        return 200 <= status < 300

    def _is_well(self, settings: AlertSettings, now: datetime) -> bool:
        looked = self._looked_at()
        if looked is None or now - looked > timedelta(seconds=3 * settings.look_s + 30):
            return False
        silenced = {each.name for each in self._queries.silences(now)}
        return not any(
            each.name not in silenced and (each.severity is Severity.CRITICAL or each.name == AlertKind.MESSAGES_FAILING)
            for each in self._queries.firing()
        )
