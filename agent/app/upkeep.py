"""The agent's maintenance: missing models, the daily backup, and overdue deletions."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import structlog

from agent.app.retention_clock import RetentionClock
from agent.domain.errors import AgentError, OffsiteLate
from agent.domain.image import Recipe
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.recipes import recipe_of
from agent.features.library.status import ModelsShown
from agent.features.library.thumbnails import Thumbnails
from agent.features.people.queries.draft_queries import LASTS, DraftQueries
from agent.features.people.recognition_switch import Backups
from agent.features.people.service import PeopleService
from agent.features.redaction.folder_copies import FolderCopies
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.observable import ChangeSignal, Observable, wait_at_most
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED

log = structlog.get_logger()

Duty: TypeAlias = Callable[[datetime], Awaitable[None]]
EVERY_S = 3_600.0
ASKED_DAYS = 30
REFERENCE_UNDO_DAYS = 1  # such steps hold face prints
EVENT_DAYS = 30
REDACTION_DAYS = 90  # how long the sources of copies are remembered
MODELS_RETRY_S = (5.0, 15.0, 60.0, 300.0)  # soon at first: after login the network is often slightly late


class ModelSupply:
    """Fetches missing models, at once and whenever more are needed; without a network it retries now and then."""

    def __init__(self, supply: Callable[[Recipe], Awaitable[None]], environment: Environment) -> None:
        """`supply` fetches the missing models of a recipe; raises ModelError, StoreError."""
        self._supply = supply
        self._environment = environment
        self._wanted = asyncio.Event()
        self.supplied = ChangeSignal()
        self.shown = Observable(ModelsShown())

    def want(self) -> None:
        """Check again: other models may be needed, or missing ones may now be available."""
        self.shown.set(ModelsShown(fetching=True))
        self._wanted.set()

    async def run(self) -> None:
        """Run until cancelled."""
        tries = 0  # failed ones
        while True:
            self._wanted.clear()
            problem = self.shown.value.problem
            self.shown.set(ModelsShown(problem is None, problem))  # a problem stays visible while it is retried in the background
            try:
                await self._supply(recipe_of(self._environment.settings.value))
                tries = 0
                self.supplied.notify()
                self._rest(None)
                await self._wanted.wait()
            except AgentError as error:
                log.warning("models.unavailable", code=error.code)
                self._rest(self.shown.value.problem if self._wanted.is_set() else error)
                await wait_at_most(self._wanted, MODELS_RETRY_S[min(tries, len(MODELS_RETRY_S) - 1)])
                tries += 1

    def _rest(self, problem: AgentError | None) -> None:
        self.shown.set(ModelsShown(self._wanted.is_set(), problem))  # requested again meanwhile: the next round starts at once


async def expire_drafts(library: DraftQueries, now: datetime) -> None:
    """Delete names of a server's members that were typed and never saved."""
    await asyncio.to_thread(library.clear_drafts, now - LASTS)


async def expire_events(library: LibraryQueries, now: datetime) -> None:
    """Delete those that no page asks for: one that was away for so long reads everything anew."""
    await asyncio.to_thread(library.expire_events, before=now - timedelta(days=EVENT_DAYS))


async def clean_thumbnails(thumbnails: Thumbnails, _: datetime) -> None:
    """Delete those of photos that are gone."""
    await asyncio.to_thread(thumbnails.clean)


async def witness_record(witness: AuditAnchor, library: AuditQueries, _: datetime) -> None:
    """Note the record's head outside the library, in its file and in the log; a head that lost entries is not noted."""
    head = await asyncio.to_thread(witness.follow, library)
    if head is None:
        log.error("record.broken")
    else:
        log.info("record.head", entries=head.number, digest=head.digest)


class Upkeep:
    """Maintains the library: the daily backup, and deletions whose time has come."""

    def __init__(
        self,
        library: RedactionQueries,
        recognition: PeopleService,
        backups: Backups,
        folders: FolderCopies,
        more: Sequence[Duty],
        deletions: RetentionClock,
        environment: Environment,
    ) -> None:
        self._library = library
        self._recognition = recognition
        self._backups = backups
        self._folders = folders
        self._more = more
        self._deletions = deletions
        self.late = Observable[AgentError | None](None)  # the second place for backups
        self._environment = environment

    @property
    def _settings(self) -> Settings:
        return self._environment.settings.value

    async def run(self) -> None:
        """Run until cancelled. A failure is logged and retried later, and does not hold up other tasks."""
        while True:
            now = self._environment.clock()
            aged = await asyncio.to_thread(self._deletions.until, now)
            # Overdue deletions also happen if no backup can be made: with a full disk, or a locked keyring.
            keeping: tuple[Duty, ...] = (partial(self._back_up_and_purge, aged), self._send)
            deleting: tuple[Duty, ...] = (self._expire, self._forget_overdue)
            for duty, at in [(each, now) for each in (*keeping, *self._more)] + [(each, aged) for each in deleting]:
                try:
                    await duty(at)
                except AgentError as error:
                    log.error("upkeep.failed", code=error.code)
            await asyncio.sleep(EVERY_S)

    async def _back_up_and_purge(self, aged: datetime, now: datetime) -> None:
        await asyncio.to_thread(self._backups.daily, now, self._settings)
        before = aged - timedelta(days=self._settings.library.grace_days)
        purged = await asyncio.to_thread(self._library.purge_missing, before=before)
        if purged:
            self._recognition.identification.forget()
        log.info("upkeep.purged", purged=purged)

    async def _send(self, now: datetime) -> None:
        try:
            await asyncio.to_thread(self._backups.send, now, self._settings)
        except OffsiteLate as error:
            self.late.set(error)
            raise
        self.late.set(None)

    async def _expire(self, now: datetime) -> None:
        expired = now - timedelta(days=self._settings.recognition.unnamed_days)
        if await asyncio.to_thread(self._library.expire_unnamed, before=expired, note=BACKUPS_HOLD_PURGED):
            self._recognition.switch.backups_stale()
            self._recognition.identification.forget()
        before = now - timedelta(days=REFERENCE_UNDO_DAYS)
        if await asyncio.to_thread(self._library.expire_reference_undo, before=before, note=BACKUPS_HOLD_PURGED):
            self._recognition.switch.backups_stale()
        rules = self._folders.rules()
        await asyncio.to_thread(self._library.expire_redactions, before=now - timedelta(days=REDACTION_DAYS), folders=rules)

    async def _forget_overdue(self, now: datetime) -> None:
        """Forget people if the retention question stayed unanswered for a month; naming one of their faces or more time answers it."""
        days = self._settings.recognition.person_days
        overdue = await asyncio.to_thread(self._library.overdue, now=now, usual_days=days)
        for person_id, since in overdue.items():
            if now - since >= timedelta(days=ASKED_DAYS):
                await self._recognition.people.forget(person_id)
