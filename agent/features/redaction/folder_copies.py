"""Covered copies for watched folders: each new or changed file gets one copy, even after a restart."""

import asyncio
import os
from pathlib import Path
from secrets import token_hex

import structlog

from agent.domain.errors import AgentError, StoreError
from agent.domain.events import ImageIndexed, LocationAdded, LocationMoved, StoredEvent
from agent.domain.redaction import Look
from agent.features.redaction.batches import RedactionRequests
from agent.features.redaction.copy_files import CopyFileStore
from agent.features.redaction.options import RedactionOptions
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Folder, root_of

log = structlog.get_logger()

RETRY_AFTER_S = 5.0
# At once: beyond this the whole folder is queried, which finds them too.
_MANY = 500


class FolderCopies:
    """Plans the copies for watched folders. Files from before the setting get none until they change."""

    def __init__(
        self,
        library: RedactionQueries,
        copies: CopyFileStore,
        batches: RedactionRequests,
        environment: Environment,
    ) -> None:
        self.planned = ChangeSignal()
        """there is something to make"""
        self._library = library
        self._copies = copies
        self._batches = batches
        self._environment = environment
        self._wake = asyncio.Event()
        self._places: set[int] | None = None  # changed ones; None: query everything

    def check(self) -> None:
        """Query all files without a copy, after a change of the settings or for any other reason."""
        self._places = None
        self._wake.set()

    async def run(self) -> None:
        """Run until cancelled."""
        self.check()
        with self._environment.bus.listening(self._happened):
            while True:
                await self._wake.wait()
                self._wake.clear()
                places, self._places = self._places, set()
                try:
                    for folder in self._environment.settings.value.folders:
                        if folder.redact_to:
                            await self._plan(folder, places)
                except StoreError as error:
                    log.warning("folder_copies.blocked", code=error.code)
                    await asyncio.sleep(RETRY_AFTER_S)
                    self.check()
                except AgentError as error:
                    log.warning("folder_copies.failed", code=error.code)

    def rules(self) -> frozenset[str]:
        """Return the roots of folders with copies."""
        return frozenset(folder.root for folder in self._environment.settings.value.folders if folder.redact_to)

    async def _plan(self, folder: Folder, places: set[int] | None) -> None:
        choice = await self._batches.known(folder.redact_keep)
        wish = RedactionOptions(choice, Look(folder.redact_style), folder.redact_strip)
        out, now = root_of(folder.redact_to), self._environment.clock()
        if _lies_in(out, folder.root):
            log.warning("folder_copies.inside_itself")  # through a link: the settings can't detect it
            return
        uid = await asyncio.to_thread(self._library.folder_batch, folder.root, wish, uid=token_hex(16), now=now)
        while found := await asyncio.to_thread(self._library.uncopied, uid, places=places):
            copies = await asyncio.to_thread(self._copies.plan_below, folder.root, found, out, wish, self._library.made_at)
            if not copies:
                return
            await asyncio.to_thread(self._library.plan_more, uid, copies, now=self._environment.clock())
            self.planned.notify()

    def noted(self, place_id: int) -> None:
        """Note that a file of a watched folder appeared, changed, or was renamed."""
        if not self.rules():
            return
        if self._places is not None:
            self._places.add(place_id)
            if len(self._places) > _MANY:
                self._places = None
        self._wake.set()

    def _happened(self, recorded: StoredEvent) -> None:
        if isinstance(recorded.event, ImageIndexed | LocationAdded | LocationMoved):
            self.noted(recorded.event.place_id)


def _lies_in(path: str, folder: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
