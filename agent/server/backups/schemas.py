"""The API schemas of backups."""

from datetime import datetime
from typing import Self

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Problem
from agent.server.backups.runs import BackupRun, RunKind
from agent.server.backups.state import BackupState


class BackupRunOut(Schema):
    id: int
    kind: RunKind
    repository: str
    """`local` or `offsite`"""
    began_at: datetime
    ended_at: datetime | None
    """null: it runs, or was broken off"""
    code: str
    """an error's; empty: it succeeded"""
    size: int
    """bytes of what was backed up"""
    stored: int
    """bytes that it added to the repository"""
    rows: int
    """compared in a drill"""
    seconds: float
    """a drill's, from nothing to a database that answers"""

    @classmethod
    def of(cls, run: BackupRun) -> Self:
        return cls.from_record(run)


class RepositoryOut(Schema):
    name: str
    """`local` or `offsite`"""
    reachable: bool
    backups: int
    stored: int
    """bytes of all base backups"""
    last: BackupRunOut | None
    """the newest backup of the database that succeeded"""
    failed: BackupRunOut | None
    """the newest one, if it failed"""
    files: BackupRunOut | None
    """the newest backup of files that succeeded"""
    drill: BackupRunOut | None
    """the newest drill"""
    age_s: float | None
    """of `last`"""


class BackupsOut(Schema):
    problem: Problem | None
    """why none are made, or why the offsite repository is left out"""
    repositories: tuple[RepositoryOut, ...]
    running: bool
    next_at: datetime | None
    next_drill_at: datetime | None
    log_at: datetime | None
    """changes until then can be restored: when the last piece of the database's log arrived, or beside a gap the end of the last backup"""
    log_failing: bool
    log_waiting: int
    """pieces of the log that wait"""
    gap: bool
    """pieces of the log were given up: moments since the last backup can't be restored until the next one"""
    runs: tuple[BackupRunOut, ...]

    @classmethod
    def of(cls, state: BackupState, texts: Texts, now: datetime) -> Self:
        archiving = state.archiving
        return cls(
            problem=Problem.maybe(state.problem, texts),
            repositories=tuple(_repository(state, each.name, now) for each in state.repositories),
            running=state.running,
            next_at=state.next_at,
            next_drill_at=state.next_drill_at,
            log_at=state.restorable_until,
            log_failing=archiving is not None and archiving.failing,
            log_waiting=archiving.waiting if archiving else 0,
            gap=state.gap,
            runs=tuple(map(BackupRunOut.of, state.runs)),
        )


class BackupsMade(Schema):
    runs: tuple[BackupRunOut, ...]
    problems: tuple[Problem, ...]
    """empty: all succeeded"""


class BackupWanted(Schema):
    full: bool = False
    """a full one, whatever is there"""
    verify: bool = False
    """read back what was made: every file of the database's backup, and a part of the files'"""


class BaseBackupOut(Schema):
    label: str
    repository: str
    kind: str
    """`full`, `diff` or `incr`"""
    at: datetime
    size: int
    stored: int


class BaseBackups(Schema):
    items: tuple[BaseBackupOut, ...]


def _repository(state: BackupState, name: str, now: datetime) -> RepositoryOut:
    found = next(each for each in state.repositories if each.name == name)
    good, last = state.good.get((RunKind.DATABASE, name)), state.last.get((RunKind.DATABASE, name))
    files, drill = state.good.get((RunKind.FILES, name)), state.last.get((RunKind.DRILL, name))
    return RepositoryOut(
        name=name,
        reachable=not found.code,
        backups=len(found.backups),
        stored=sum(each.stored for each in found.backups),
        last=None if good is None else BackupRunOut.of(good),
        failed=BackupRunOut.of(last) if last is not None and last.code else None,
        files=None if files is None else BackupRunOut.of(files),
        drill=None if drill is None else BackupRunOut.of(drill),
        age_s=None if good is None or good.ended_at is None else (now - good.ended_at).total_seconds(),
    )
