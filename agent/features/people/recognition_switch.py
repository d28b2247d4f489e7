"""Applies the recognition settings: queues photos without face prints, and deletes prints that may not be stored."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from agent.domain.errors import AgentError, KeyHomeError, StoreError
from agent.domain.events import StoredEvent
from agent.features.library.recipes import areas, recognises, recognition_ends
from agent.features.people.identification import Identification
from agent.features.people.queries.people_queries import PeopleQueries
from agent.inference.engine.analyser import Analyser
from agent.infrastructure.core.observable import Signal
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED

log = structlog.get_logger()

RETRY_S = 3.0


@dataclass(frozen=True, slots=True)
class Backups:
    """Backup operations. All block and raise StoreError or KeyHomeError."""

    daily: Callable[[datetime, Settings], None]  # makes one if the last day has none
    replace: Callable[[datetime, Settings], None]  # makes one and deletes all others
    send: Callable[[datetime, Settings], None]  # sends the newest to the second place; raises BackupError, OffsiteLate once it is late


class RecognitionSwitch:
    """Makes the library, the gallery and the backups match the settings."""

    def __init__(
        self,
        library: PeopleQueries,
        analyser: Analyser,
        identification: Identification,
        backups: Backups,
        environment: Environment,
    ) -> None:
        self.blocked = Signal[AgentError | None]()
        """what stands in the way of deleting, and None when it is over"""
        self._library = library
        self._analyser = analyser
        self._identification = identification
        self._backups = backups
        self._environment = environment
        self._purged: list[StoredEvent] = []  # published once the backups are clean too
        self._replacing = asyncio.Lock()
        self._stale = asyncio.Event()  # the backups may contain deleted data
        self._stale.set()

    async def follow(self, settings: Settings, before: Settings | None = None) -> None:
        """Queue photos without face prints, or faces; delete prints that may not be stored. Raises StoreError.

        Photos of folders that are no longer watched leave first, so that they are not queued. If recognition was switched off
        (`before` are the previous settings), the deletion is reported even if there was nothing.
        """
        now, rules = self._environment.clock(), areas(settings)
        if before is not None and recognises(before) != recognises(settings):
            switched = "recognition_on" if recognises(settings) else "recognition_off"
            await asyncio.to_thread(self._library.audit_add, switched, None, 1, now)
        await asyncio.to_thread(self._library.folders_left, [folder.root for folder in settings.folders], now=now)
        for area, recipe in rules:
            await asyncio.to_thread(self._library.requeue_outdated, recipe, now=now, area=area)
        keep = [area for area, recipe in rules if recipe.embedder is not None]
        if len(keep) < len(rules):
            tell = before is not None and recognition_ends(before, settings) and not self._purged
            self._purged += await asyncio.to_thread(
                self._library.purge_recognition, now=now, keep=keep, note=BACKUPS_HOLD_PURGED, tell_none=tell
            )
        if not keep:
            self._analyser.forget()
        self._identification.forget()

    async def apply_with_retry(self, settings: Settings, before: Settings) -> None:
        """Retry while the library can't be written to: a purge is never skipped."""

        async def all_of_it() -> None:
            await self.follow(settings, before)
            await self._replace_backups(settings)

        await self._surely(all_of_it)

    def backups_stale(self, _: object = None) -> None:
        """Note that data was deleted that backups may still contain."""
        self._stale.set()

    async def run(self) -> None:
        """Keep the backups free of deleted data, until cancelled; first for deletions before the last exit."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            await self._surely(lambda: self._replace_backups(self._environment.settings.value))

    async def _replace_backups(self, settings: Settings) -> None:
        """Replace older backups that contain deleted data with a new one. Raises StoreError, KeyHomeError."""
        async with self._replacing:
            # Data deleted while the new one is made may be in it: the note then differs, and the next backup is clean.
            while (noted := await asyncio.to_thread(self._library.note, BACKUPS_HOLD_PURGED)) is not None:
                await asyncio.to_thread(self._backups.replace, self._environment.clock(), settings)
                await asyncio.to_thread(self._library.drop_note, BACKUPS_HOLD_PURGED, noted)
            purged, self._purged = self._purged, []
            self._environment.bus.publish(purged)

    async def _surely(self, work: Callable[[], Awaitable[None]]) -> None:
        tried = 0
        while True:
            try:
                await work()
            except (StoreError, KeyHomeError) as error:
                tried += 1
                log.error("recognition.blocked", code=error.code)
                self.blocked.send(error)
                await asyncio.sleep(RETRY_S)
            else:
                if tried:
                    self.blocked.send(None)
                return
