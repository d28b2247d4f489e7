"""Makes a server's backups: the database by pgBackRest and its files by restic, in each repository. All methods block."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from agent.domain.errors import AgentError, RepositoryUnreachable
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.core.subprocesses import SubprocessStopped
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
from agent.server.backups.context import BackupContext
from agent.server.backups.file_sets import back_up_files, file_sets
from agent.server.backups.pgbackrest import PgBackRest, Repository
from agent.server.backups.repositories import LOCAL, OFFSITE
from agent.server.backups.restic import Restic
from agent.server.backups.runs import BackupRun, RunKind, RunQueries

log = structlog.get_logger()

DUE = "backup-due"  # in the data folder: a restored database begins with a full backup
_NAMES = (LOCAL, OFFSITE)


@dataclass(frozen=True, slots=True)
class BackupResult:
    """What one call made; `problems` is empty if all succeeded."""

    runs: tuple[BackupRun, ...]
    problems: tuple[AgentError, ...]


class BackupRunner:
    def __init__(
        self,
        context: BackupContext,
        embedded: EmbeddedPostgres,
        queries: RunQueries,
        settings: Callable[[], Settings],
        paths: AppPaths,
        clock: Callable[[], datetime],
    ) -> None:
        self.context = context
        self.queries = queries
        self.tool = PgBackRest(embedded.home, embedded.sockets)
        self._settings = settings
        self._paths = paths
        self._clock = clock

    def resources(self) -> list[tuple[str, Restic]]:
        """Return each repository's files."""
        made = zip(_NAMES, self.context.places, strict=False)
        return [(name, Restic(place, self.context.passwords, self._cache, name)) for name, place in made]

    def now(self, *, full: bool = False, verify: bool = False) -> BackupResult:
        """Back up everything into each repository. One that fails doesn't keep the others from theirs; the first failure counts.

        With `verify`, what was made is read back.
        """
        names = self._repositories
        began = [self.queries.begin(RunKind.DATABASE, name, self._clock()) for name in names]
        problems: list[AgentError] = []
        unready = self.prepare()
        for number, (name, run) in enumerate(zip(names, tuple(began), strict=True), 1):
            problems += self._noted(run, RunKind.DATABASE, name, partial(self._database, number, full=full, verify=verify, unready=unready))
        for name, restic in self.resources():
            run = self.queries.begin(RunKind.FILES, name, self._clock())
            began.append(run)
            problems += self._noted(run, RunKind.FILES, name, partial(self._files, restic, verify=verify))
        if not problems:
            (self._paths.data / DUE).unlink(missing_ok=True)
        if self.context.problem is not None:
            problems.append(self.context.problem)
        return BackupResult(tuple(each for each in self.queries.runs(len(began)) if each.id in began), tuple(problems))

    def prepare(self) -> AgentError | None:
        """Create the missing repositories. Return why not all could be: one may be out of reach while the other is in order."""
        try:
            self.tool.prepare()
        except AgentError as error:
            return error
        return None

    @property
    def marked(self) -> bool:
        """Whether a restored database waits for its first full backup."""
        return (self._paths.data / DUE).exists()

    def repositories(self) -> list[Repository]:
        return self.tool.info()

    def files(self, restic: Restic) -> tuple[int, int]:
        """Back up the files alone into one repository; returns their bytes, and those that were added. Raises BackupError."""
        return back_up_files(restic, file_sets(self._settings(), self._paths))

    @property
    def _repositories(self) -> list[str]:
        return [name for name, _ in zip(_NAMES, self.context.places, strict=False)]

    @property
    def _cache(self) -> Path:
        return self._paths.cache / "restic"

    def _noted(self, run: int, kind: RunKind, name: str, work: Callable[[], tuple[int, int]]) -> list[AgentError]:
        logged = log.bind(kind=kind.value, repository=name)
        try:
            size, stored = work()
        except AgentError as error:
            self.queries.end(run, self._clock(), code=error.code)
            logged.error("backup.failed", code=error.code)
            return [error]
        except SubprocessStopped:  # the run never ends, and counts as not made
            raise
        except BaseException:
            self.queries.end(run, self._clock(), code=RepositoryUnreachable.code)
            raise
        self.queries.end(run, self._clock(), size=size, stored=stored)
        logged.info("backup.done", size=size, stored=stored)
        return []

    def _database(self, number: int, *, full: bool, verify: bool, unready: AgentError | None) -> tuple[int, int]:
        self.tool.drop_ahead(number, self._clock())
        [known] = self.tool.info(number)
        if unready is not None and not known.is_created:
            raise unready
        self.tool.back_up(number, full=full or self._full_due(known))
        newest = self.tool.info(number)[0].backups[0]
        if verify:
            self.tool.verify(number, newest.label)
        return newest.size, newest.stored

    def _full_due(self, known: Repository) -> bool:
        if self.marked:
            return True
        last = next((each.at for each in known.backups if each.kind == "full"), None)
        return last is None or self._clock() - last > timedelta(days=self._settings().backup.full_days)

    def _files(self, restic: Restic, *, verify: bool) -> tuple[int, int]:
        wanted = self._settings().backup
        made = self.files(restic)
        restic.expire(wanted.full_days * wanted.keep_full, self._clock())
        if verify:
            restic.verify(whole=False)
        return made
