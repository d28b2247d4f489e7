"""Reads what is new in the record, lets the rules look at it, and stores the incidents they find."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import structlog

from agent.infrastructure.core.background import run_periodically
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.server_settings import IncidentSettings
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.server.incidents.incident_kinds import Found
from agent.server.incidents.queries import IncidentQueries
from agent.server.incidents.rules import RULES, record_broken

log = structlog.get_logger()

LOOK_S = 5.0
VERIFY_EVERY = timedelta(hours=1)
PAGE = 2_000


class IncidentWatch:
    """How far the record was read is stored with what was found: what a killed server had not stored is found after its restart."""

    def __init__(
        self,
        queries: IncidentQueries,
        witness: AuditAnchor,
        settings: Callable[[], IncidentSettings],
        ways: Callable[[], Collection[str]],
        clock: Callable[[], datetime],
    ) -> None:
        """`ways` returns those in which messages are sent at present."""
        self._queries = queries
        self._witness = witness
        self._settings = settings
        self._ways = ways
        self._clock = clock
        self._verified_at: datetime | None = None
        self.raised = ChangeSignal()

    async def run(self) -> None:
        """Run until cancelled."""
        await run_periodically(self._step, lambda: LOOK_S, event="incidents.not_looked")

    async def _step(self) -> None:
        if await asyncio.to_thread(self.look) | await asyncio.to_thread(self.verify):
            self.raised.notify()

    def look(self) -> bool:
        """Let the rules look at all that is new. Returns whether they found something. Blocks. Raises StoreError."""
        cursor, last, any_new = self._queries.cursor(), self._queries.audit_head().number, False
        if cursor is None:
            self._queries.store((), last, (), self._clock())  # what was done before there were rules is no incident
            return False
        if cursor > last:  # entries are gone; what comes in their place is looked at
            return self._store((record_broken(last + 1, self._clock()),), last)
        while cursor < last:
            end, entries = self._queries.entries_after(cursor, PAGE)
            if end == cursor:
                break
            settings, found = self._settings(), list[Found]()
            if entries:
                before = self._queries.entries_before(entries[0], entries[0].at - timedelta(minutes=settings.window_minutes))
                found = [each for rule in RULES for each in rule([*before, *entries], settings, self._queries.history)]
            any_new |= self._store(found, end)
            cursor = end
        return any_new

    def verify(self) -> bool:
        """Verify what is new in the record and a part of the rest, at the start and every hour. Returns whether it is found broken anew.

        Blocks. Raises StoreError.
        """
        now = self._clock()
        if self._verified_at is not None and timedelta() <= now - self._verified_at < VERIFY_EVERY:
            return False  # a clock that was ahead must not put the next one off
        broken_at = self._witness.check(self._queries)
        self._verified_at = now
        return broken_at is not None and self._store((record_broken(broken_at, now),), None)

    def _store(self, found: Collection[Found], cursor: int | None) -> bool:
        new = self._queries.store(found, cursor, self._ways(), self._clock())
        for number, kind in new.items():
            log.warning("incident.raised", incident=number, kind=str(kind))
        return bool(new)
