"""Looks at the server's own conditions, stores what fires and ends, and stores the messages about it. One of its processes does."""

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from agent.domain.errors import AgentError, StoreBusy, StoreError
from agent.infrastructure.core.background import run_periodically
from agent.infrastructure.core.files import error_code
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.server_settings import AlertSettings
from agent.infrastructure.store.leases import Leases
from agent.server.alerts.alert_kinds import FACTS, AlertKind
from agent.server.alerts.conditions import Condition
from agent.server.alerts.disk_full_alert import DirectAlert
from agent.server.alerts.queries import AlertQueries
from agent.server.alerts.records import AlertReading, AlertSource

log = structlog.get_logger()

LEASE: Final = "alerts"
_AWAY_LOOK_S: Final = 2.0
_AWAY_LEAST: Final = timedelta(seconds=10)  # a restart of PostgreSQL takes less


class Hysteresis:
    """Decides when a condition has lasted long enough for its alert to fire, and when it has been over long enough for the alert to end.

    Within the hold time of its kind, a condition that comes and goes changes nothing.
    """

    def __init__(self) -> None:
        self._other_since: dict[AlertKind, datetime] = {}  # since when the condition differs from what the alert says

    def changes(
        self, readings: Mapping[AlertKind, AlertReading], firing: Collection[AlertKind], hold: timedelta, now: datetime
    ) -> tuple[set[AlertKind], set[AlertKind]]:
        """Return the kinds that fire from now on, and those that end. A kind without a reading stays as it is."""
        for kind in self._other_since.keys() - readings.keys():
            del self._other_since[kind]  # it could not be looked at: what was seen before counts no longer
        begin, end = set[AlertKind](), set[AlertKind]()
        for kind, reading in readings.items():
            if reading.active is (kind in firing):
                self._other_since.pop(kind, None)
                continue
            since = self._other_since[kind] = min(now, self._other_since.get(kind, now))  # the clock may have gone back
            if now - since >= FACTS[kind].hold * hold:
                del self._other_since[kind]
                (begin if reading.active else end).add(kind)
        return begin, end


class AlertWatch:
    """What fires is in the database, so that a restart neither forgets nor repeats it."""

    def __init__(
        self,
        queries: AlertQueries,
        leases: Leases,
        conditions: Sequence[Condition],
        settings: Callable[[], AlertSettings],
        ways: Callable[[], Collection[str]],
        clock: Callable[[], datetime],
        unstored: DirectAlert | None = None,
    ) -> None:
        """`ways` returns those in which messages are sent at present; `unstored` tells what could not be stored."""
        self._queries = queries
        self._leases = leases
        self._conditions = conditions
        self._settings = settings
        self._ways = ways
        self._clock = clock
        self._unstored = unstored
        self._is_mine = False  # whether it was this process that looked last
        self._me = secrets.token_hex(16)
        self._hysteresis = Hysteresis()
        self._away_since: datetime | None = None
        self.looked_at: datetime | None = None
        """when this process last looked; None: another one does, or the database is away"""
        self.changed = ChangeSignal()

    async def run(self) -> None:
        """Run until cancelled."""
        try:
            await run_periodically(self._step, self._pause_s, event="alerts.not_looked")
        finally:
            await asyncio.shield(asyncio.to_thread(self._release))

    async def _step(self) -> None:
        if await asyncio.to_thread(self.look):
            self.changed.notify()

    def _pause_s(self) -> float:
        look_s = self._settings().look_s
        return look_s if self._away_since is None else min(_AWAY_LOOK_S, look_s)

    def look(self) -> bool:
        """Look once. Returns whether something fires or ended since. Blocks. Raises StoreError."""
        settings, now = self._settings(), self._clock()
        try:
            mine = self._leases.hold(LEASE, self._me, timedelta(seconds=3 * settings.look_s + 10))
        except StoreBusy:
            raise
        except StoreError as error:
            self.looked_at, self._away_since = None, self._away_since or now
            if self._is_mine and self._unstored is not None:
                self._unstored.tell(error)
            raise
        self._is_mine = mine
        if not mine:
            self.looked_at, self._away_since, self._hysteresis = None, None, Hysteresis()
            return False
        was_away = self._came_back(now)
        readings = self._read(settings, now)
        firing = {AlertKind(each.name) for each in self._queries.firing(AlertSource.SERVER) if each.name in set(AlertKind)}
        begin, end = self._hysteresis.changes(readings, firing, timedelta(seconds=settings.hold_s), now)
        self._queries.apply(begin, end, readings, now)
        for kind in begin:
            log.warning("alert.fired", alert=str(kind))
        for kind in end:
            log.info("alert.ended", alert=str(kind))
        self._queries.tell(self._ways(), timedelta(hours=settings.remind_hours) if settings.remind_hours else None, now)
        if self._unstored is not None:
            self._unstored.silences = self._queries.silences(now)
        self.looked_at = now
        return bool(begin or end) or was_away

    def _came_back(self, now: datetime) -> bool:
        if self._away_since is None:
            return False
        lasted = now - self._away_since >= _AWAY_LEAST
        if lasted:
            self._queries.was_away(self._away_since, now)
            log.warning("alert.fired", alert=str(AlertKind.DATABASE_UNREACHABLE))
        self._away_since = None
        return lasted

    def _read(self, settings: AlertSettings, now: datetime) -> dict[AlertKind, AlertReading]:
        """One condition that can't be looked at doesn't keep the others from it."""
        found: dict[AlertKind, AlertReading] = {}
        for condition in self._conditions:
            try:
                found |= condition(settings, now)
            except (AgentError, OSError) as error:
                log.warning("alerts.not_read", code=error_code(error), kind=type(error).__name__)
        return found

    def _release(self) -> None:
        try:
            self._leases.release(LEASE, self._me)
        except AgentError as error:
            log.warning("alerts.not_released", code=error.code)
