"""The one alert that the database can't take: its disk is full. It is sent without being stored."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from agent.domain.errors import AgentError, StoreDiskFull, StoreError
from agent.infrastructure.core.settings import Settings
from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.alert_text import alert_target, database_full
from agent.server.alerts.conditions import Condition
from agent.server.alerts.records import Silence
from agent.server.messages.channels import Channels
from agent.server.messages.sending import Wording

log = structlog.get_logger()

_AGAIN: Final = timedelta(hours=1)
_RETRY: Final = timedelta(minutes=1)


class DirectAlert:
    """Sends it in each way once an hour at most, while the database is away and a disk with the server's data is full.

    It lives as long as the process: a server that starts on a full disk has no database to ask.
    """

    def __init__(self, disks: Condition, settings: Callable[[], Settings], channels: Channels, wording: Wording) -> None:
        self._disks = disks
        self._settings = settings
        self._channels = channels
        self._wording = wording
        self._next: dict[str, datetime] = {}
        self.silences: Sequence[Silence] = ()
        """those in force when the database last answered"""

    def tell(self, error: StoreError) -> None:
        """`error` is why nothing can be stored. Blocks."""
        now, target = self._wording.clock(), alert_target(self._settings())
        if self._is_silent(now) or not (isinstance(error, StoreDiskFull) or self._is_full(now)):
            return
        for way in target.ways:
            if now < self._next.get(way, now) <= now + _AGAIN:  # later: the clock went back
                continue
            try:
                self._channels.send(way, target, database_full(self._wording, now))
            except AgentError as failure:  # a missing key, too: the other ways are tried
                log.warning("message.not_sent", way=way, code=failure.code)
                self._next[way] = now + _RETRY
            else:
                log.warning("alert.sent_unstored", alert=str(AlertKind.DISK_FULL), way=way)
                self._next[way] = now + _AGAIN

    def _is_silent(self, now: datetime) -> bool:
        return any(each.name == AlertKind.DISK_FULL and each.until > now for each in self.silences)

    def _is_full(self, now: datetime) -> bool:
        try:
            return self._disks(self._settings().alerts, now)[AlertKind.DISK_FULL].active
        except OSError:
            return False
