"""The state of a server's backups, as pages, commands, metrics and alerts show it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from agent.domain.errors import AgentError
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.backup_dates import is_future
from agent.infrastructure.store.database import Database
from agent.server.backups.pgbackrest import Repository
from agent.server.backups.runs import BackupRun, RunKind

_RETRY = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Archiving:
    """PostgreSQL's view of its log's way into the repositories."""

    at: datetime | None  # the last piece that arrived
    newest: str
    failing: bool
    waiting: int  # pieces that wait

    @classmethod
    def of(cls, database: Database) -> "Archiving":
        """Raises StoreError."""
        with database.read() as tx:
            row = tx.execute(
                text(
                    "SELECT last_archived_time AS at, coalesce(last_archived_wal, '') AS newest,"
                    " coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS failing FROM pg_stat_archiver"
                )
            ).one()
            waiting = tx.scalar(text("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'")) or 0
        return cls(row.at, row.newest, row.failing, waiting)


@dataclass(frozen=True, slots=True)
class BackupState:
    problem: AgentError | None  # why none are made, or why one repository is left out
    repositories: tuple[Repository, ...]
    last: dict[tuple[RunKind, str], BackupRun]
    good: dict[tuple[RunKind, str], BackupRun]
    archiving: Archiving | None
    wal_gap_at: datetime | None  # see `WalGapLog`
    running: bool
    next_at: datetime | None
    next_drill_at: datetime | None
    runs: tuple[BackupRun, ...]

    @property
    def gap(self) -> bool:
        """Whether a repository has no backup since pieces of the log were given up, because one took none for too long."""
        return any(not self._whole(each) for each in self.repositories)

    @property
    def restorable_until(self) -> datetime | None:
        """The last moment that can certainly be restored; None without one."""
        if self.archiving is None:
            return None
        if any(self._whole(each) and self._has_base(each) for each in self.repositories):
            return self.archiving.at
        return max((run.ended_at for (kind, _), run in self.good.items() if kind is RunKind.DATABASE and run.ended_at), default=None)

    def _has_base(self, repository: Repository) -> bool:
        """Whether there is a backup that the log continues; of one that can't be asked, whether one was made."""
        return (RunKind.DATABASE, repository.name) in self.good if repository.code else bool(repository.backups)

    def _whole(self, repository: Repository) -> bool:
        if self.wal_gap_at is None:
            return True
        good = self.good.get((RunKind.DATABASE, repository.name))
        return good is not None and good.began_at > self.wal_gap_at


def next_backup(
    settings: Settings, last: BackupRun | None, wal_gap_at: datetime | None, now: datetime, first_at: datetime | None = None
) -> datetime | None:
    """Return when the next backup by itself is due; in the past if it is overdue, as when log was given up since. None: never.

    A new server's first one is not due before `first_at`.
    """
    if not settings.backup.enabled or not settings.backup.at:
        return None
    if last is None:
        return max(now, first_at or now)
    if (wal_gap_at is not None and last.began_at <= wal_gap_at) or is_future(last.began_at, now):
        return now
    if last.code:
        return (last.ended_at or last.began_at) + _RETRY
    here = last.began_at.astimezone()
    at = here.replace(hour=int(settings.backup.at[:2]), minute=int(settings.backup.at[3:]), second=0, microsecond=0)
    return at if at > here + _RETRY else at + _DAY


def next_drill(settings: Settings, backup: BackupRun | None, last: BackupRun | None, now: datetime) -> datetime | None:
    """Return when the next drill is due: first a day after the first backup."""
    days = settings.backup.drill_days
    if not settings.backup.enabled or days == 0 or backup is None:
        return None
    if is_future((last or backup).began_at, now):
        return now
    if last is None:
        return backup.began_at + _DAY
    return last.began_at + (_DAY if last.code else timedelta(days=days))
