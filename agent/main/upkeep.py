"""What an agent does for itself now and then: the models it wants, the daily backup, the end of what was deleted long ago."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from agent.core.settings import Settings
from agent.domain.errors import AgentError
from agent.library.library_port import BACKUPS_HOLD_PURGED, Library
from agent.library.thumbnails import Thumbnails
from agent.people.naming import People
from agent.people.recognition_switch import Backups

log = structlog.get_logger()

EVERY_S = 3_600.0
ASKED_DAYS = 30
REDACTION_DAYS = 90  # so long it is known which copies were made of what
MODELS_RETRY_S = (5.0, 15.0, 60.0, 300.0)  # soon at first: after log-in the network is often a little late


class ModelSupply:
    """Gets what is missing, at once and whenever more is wanted; without network it tries again now and then."""

    def __init__(
        self, supply: Callable[[], Awaitable[None]], supplied: Callable[[], None], changed: Callable[[], None] = lambda: None
    ) -> None:
        """`supply` gets the models of the moment, unless they are there; raises ModelError, StoreError."""
        self._supply = supply
        self._supplied = supplied
        self._changed = changed
        self._wanted = asyncio.Event()
        self.busy = False  # getting them, or about to: nobody needs to do anything about missing ones
        self.problem: AgentError | None = None  # why they could not be had

    def want(self) -> None:
        """Others may be needed now, or those that could not be had may be there."""
        self.busy = True
        self.problem = None
        self._wanted.set()

    async def run(self) -> None:
        """Until cancelled."""
        tries = 0  # in vain
        while True:
            self._wanted.clear()
            self.busy = self.problem is None  # what is tried again in the background stays said
            try:
                await self._supply()
                tries, self.problem = 0, None
                self._supplied()
                self._rest()
                await self._wanted.wait()
            except AgentError as error:
                log.warning("models.unavailable", code=error.code)
                if not self._wanted.is_set():
                    self.problem = error
                self._rest()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), MODELS_RETRY_S[min(tries, len(MODELS_RETRY_S) - 1)])
                tries += 1

    def _rest(self) -> None:
        self.busy = self._wanted.is_set()  # wanted again meanwhile: the next turn comes at once
        self._changed()


async def _forget_overdue(library: Library, people: People, settings: Settings, now: datetime) -> None:
    """Whoever was asked about for a month without an answer is forgotten; naming a face of theirs, or another time, is one."""
    overdue = await asyncio.to_thread(library.overdue, now=now, usual_days=settings.recognition.person_days)
    for person_id, since in overdue.items():
        if now - since >= timedelta(days=ASKED_DAYS):
            await people.forget(person_id)


async def keep_up(
    library: Library,
    people: People,
    thumbnails: Thumbnails,
    backups: Backups,
    settings: Callable[[], Settings],
    clock: Callable[[], datetime],
    *,
    backups_stale: Callable[[], None],
    forget: Callable[[], None],
    rules: Callable[[], frozenset[str]],
) -> None:
    """Look after the library until cancelled. A failure is said and tried again later, and keeps nothing else from being done.

    `backups_stale` is called when something was deleted that backups may still hold, `forget` when faces were that memory may. `rules`
    are the watched folders of which covered copies are made.
    """

    async def back_up_and_purge(now: datetime) -> None:
        await asyncio.to_thread(backups.daily, now, settings())
        before = now - timedelta(days=settings().library.grace_days)
        purged = await asyncio.to_thread(library.purge_missing, before=before)
        if purged:
            forget()
        log.info("upkeep.purged", purged=purged)

    async def expire(now: datetime) -> None:
        expired = now - timedelta(days=settings().recognition.unnamed_days)
        if await asyncio.to_thread(library.expire_unnamed, before=expired, note=BACKUPS_HOLD_PURGED):
            backups_stale()
            forget()
        await asyncio.to_thread(library.expire_redactions, before=now - timedelta(days=REDACTION_DAYS), folders=rules())

    async def forget_overdue(now: datetime) -> None:
        await _forget_overdue(library, people, settings(), now)

    async def clean(_: datetime) -> None:
        await asyncio.to_thread(thumbnails.clean)

    while True:
        now = clock()
        # What was promised to be deleted by now goes also where no backup can be made: with a full disk, or a locked key ring.
        for duty in (back_up_and_purge, expire, forget_overdue, clean):
            try:
                await duty(now)
            except AgentError as error:
                log.error("upkeep.failed", code=error.code)
        await asyncio.sleep(EVERY_S)
