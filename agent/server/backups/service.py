"""A server's backups while it runs: made by themselves, and on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from agent.domain.errors import AgentError, BackupRunning
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.core.subprocesses import with_tools
from agent.infrastructure.store.backup_dates import is_future
from agent.server.backups.drill import Drill
from agent.server.backups.repositories import LOCAL
from agent.server.backups.runner import BackupResult, BackupRunner
from agent.server.backups.runs import BackupRun, RunKind, RunQueries
from agent.server.backups.state import Archiving, BackupState, next_backup, next_drill
from agent.server.backups.wal_gaps import WalGapLog
from agent.server.backups.withdrawal_list import WithdrawnFile

log = structlog.get_logger()

FIRST_S, EVERY_S = 600.0, 10.0
_NO_LISTS = [0, 0]


@dataclass(frozen=True, slots=True)
class Able:
    making: BackupRunner
    drill: Drill
    wal_gaps: WalGapLog


class ServerBackups:
    """`able` is the error for which none can be made. Call `run` once; it makes what is due."""

    def __init__(
        self,
        able: Able | AgentError,
        queries: RunQueries,
        withdrawn: WithdrawnFile,
        forgotten: Path,
        settings: Callable[[], Settings],
        clock: Callable[[], datetime],
    ) -> None:
        self._able = able
        self._queries = queries
        self._withdrawn = withdrawn
        self._lists = (forgotten, withdrawn.path)
        self._settings = settings
        self._clock = clock
        self._turn = asyncio.Lock()
        self._first_at: datetime | None = None  # when a new server's first backup is due
        self._runs = False  # a backup or a drill; the short lists take a turn, too, and are waited for

    async def now(self, *, full: bool = False, verify: bool = False) -> BackupResult:
        """Back up into every repository; with `verify`, read it back. Raises BackupError if none can be made, BackupRunning."""
        able = self._ready()
        async with self._alone():
            return await with_tools(partial(able.making.now, full=full, verify=verify))

    async def drill(self) -> BackupRun:
        """Restore the newest backup beside the database and compare. Raises BackupError, StoreError."""
        able = self._ready()
        async with self._alone():
            return await with_tools(able.drill.run)

    async def state(self) -> BackupState:
        """Raises StoreError."""
        return await asyncio.to_thread(self._state)

    def begin(self) -> None:
        """Withdraw again what an earlier database, restored from elsewhere, does not know of. Raises StoreError. Blocks."""
        if count := self._withdrawn.apply(self._clock()):
            log.info("backup.withdrawn_again", count=count)

    async def run(self) -> None:
        """Run until cancelled. Where none can be made, only the list of withdrawn consents is kept."""
        self._first_at = self._clock() + timedelta(seconds=FIRST_S)
        held = await asyncio.to_thread(self._held)
        await self._prepare_new()
        await asyncio.sleep(EVERY_S)
        waited = EVERY_S
        while True:
            try:
                await self._follow_lists(held)
                if not isinstance(self._able, AgentError) and await self._begun(waited):
                    await self._make_due()
            except AgentError as error:
                log.error("backup.broken_off", code=error.code)
            await asyncio.sleep(EVERY_S)
            waited += EVERY_S

    async def _prepare_new(self) -> None:
        """Let a new server's log be kept from the start: until its first backup there is nowhere else to keep it."""
        if isinstance(self._able, AgentError) or bool(await asyncio.to_thread(self._queries.runs, 1)):
            return
        async with self._turn:
            if problem := await with_tools(self._able.making.prepare):
                log.warning("backup.unprepared", code=problem.code)

    async def _begun(self, waited: float) -> bool:
        """Return False on a new server, whose first backup is not at once."""
        return waited >= FIRST_S or bool(await asyncio.to_thread(self._queries.runs, 1))

    async def _make_due(self) -> None:
        settings, now = self._settings(), self._clock()
        last = await asyncio.to_thread(self._queries.last, good=False)
        backup, drill = last.get((RunKind.DATABASE, LOCAL)), last.get((RunKind.DRILL, LOCAL))
        able = self._ready()
        await asyncio.to_thread(able.wal_gaps.follow)
        due = next_backup(settings, backup, await asyncio.to_thread(able.wal_gaps.at), now)
        first = settings.backup.at and able.making.marked and not (backup and backup.code)
        if first or (due is not None and due <= now):
            await self.now()
            return
        due = next_drill(settings, backup, drill, now)
        if due is not None and due <= now:
            await self.drill()

    async def _follow_lists(self, held: dict[str, list[int]]) -> None:
        """Back up at once who was forgotten, and what was withdrawn: every later restore knows it then.

        One repository that fails is tried again next time, and keeps neither the others nor backups waiting.
        """
        await asyncio.to_thread(self._withdrawn.follow)
        stamps = self._stamps()
        if isinstance(self._able, AgentError):
            return
        making = self._able.making
        for name, restic in making.resources():
            if held.get(name, _NO_LISTS) == stamps:
                continue
            try:
                async with self._turn:
                    await with_tools(partial(making.files, restic))
            except AgentError as error:
                log.error("backup.lists_failed", code=error.code, repository=name)
            else:
                held[name] = stamps

    def _held(self) -> dict[str, list[int]]:
        """Return the lists' stamps by repository, for those with a good backup since."""
        stamps, now = self._stamps(), self._clock()
        files = [(name, run.began_at) for (kind, name), run in self._queries.last(good=True).items() if kind is RunKind.FILES]
        return {name: stamps for name, at in files if at.timestamp() * 1e9 > max(stamps) and not is_future(at, now)}

    def _stamps(self) -> list[int]:
        return [each.stat().st_mtime_ns if each.exists() else 0 for each in self._lists]

    def _state(self) -> BackupState:
        settings, now = self._settings(), self._clock()
        last = self._queries.last(good=False)
        backup = last.get((RunKind.DATABASE, LOCAL))
        able = None if isinstance(self._able, AgentError) else self._able
        problem = self._able if isinstance(self._able, AgentError) else self._able.making.context.problem
        repositories, wal_gap_at = [], None
        if able is not None:
            wal_gap_at = able.wal_gaps.at()
            try:
                repositories = able.making.repositories()
            except AgentError as error:
                problem = problem or error
        return BackupState(
            problem=problem,
            repositories=tuple(repositories),
            last=last,
            good=self._queries.last(good=True),
            archiving=Archiving.of(self._queries.database) if able is not None else None,
            wal_gap_at=wal_gap_at,
            running=self._runs,
            next_at=next_backup(settings, backup, wal_gap_at, now, self._first_at) if able is not None else None,
            next_drill_at=next_drill(settings, backup, last.get((RunKind.DRILL, LOCAL)), now) if able is not None else None,
            runs=tuple(self._queries.runs()),
        )

    def _ready(self) -> Able:
        if isinstance(self._able, AgentError):
            raise self._able
        return self._able

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Raises BackupRunning."""
        if self._runs:
            raise BackupRunning
        self._runs = True
        try:
            async with self._turn:
                yield
        finally:
            self._runs = False
