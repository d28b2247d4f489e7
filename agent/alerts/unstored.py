"""The one alert that the database can't take: its disk is full. It is sent without being stored."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from agent.alerts.alert_kinds import AlertKind
from agent.alerts.alert_notes import AlertNotes
from agent.alerts.conditions import Condition
from agent.core.server_settings import AlertSettings
from agent.domain.errors import MessageError, StoreDiskFull, StoreError
from agent.messages.sending import Sending

log = structlog.get_logger()

_AGAIN: Final = timedelta(hours=1)
_RETRY: Final = timedelta(minutes=1)


class UnstoredAlert:
    """Sends it in each way once an hour at most, while the database is away and a disk with the server's data is full."""

    def __init__(
        self, disks: Condition, settings: Callable[[], AlertSettings], sending: Sending, notes: AlertNotes, clock: Callable[[], datetime]
    ) -> None:
        self._disks = disks
        self._settings = settings
        self._sending = sending
        self._notes = notes
        self._clock = clock
        self._next: dict[str, datetime] = {}

    def tell(self, error: StoreError) -> None:
        """`error` is why nothing can be stored. Blocks."""
        now = self._clock()
        if not isinstance(error, StoreDiskFull) and not self._is_full(now):
            return
        for way in self._sending.ways():
            if now < self._next.get(way, now) <= now + _AGAIN:  # later: the clock went back
                continue
            try:
                self._sending.send(way, self._notes.database_full(now))
            except MessageError as failure:
                log.warning("message.not_sent", way=way, code=failure.code)
                self._next[way] = now + _RETRY
            else:
                log.warning("alert.sent_unstored", alert=str(AlertKind.DISK_FULL), way=way)
                self._next[way] = now + _AGAIN

    def _is_full(self, now: datetime) -> bool:
        try:
            return self._disks(self._settings(), now)[AlertKind.DISK_FULL].active
        except OSError:
            return False
