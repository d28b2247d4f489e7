"""What backups and drills did, in the database and in the record."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import RowMapping, func, insert, select, update

from agent.infrastructure.store import audit_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import backup_run

_KEPT = 1_000


class RunKind(StrEnum):
    DATABASE = "database"
    FILES = "files"
    DRILL = "drill"


@dataclass(frozen=True, slots=True)
class BackupRun:
    """`code` is an error's, empty if it succeeded or still runs; `ended_at` None: it runs, or was broken off."""

    id: int
    kind: RunKind
    repository: str
    began_at: datetime
    ended_at: datetime | None
    code: str
    size: int
    stored: int
    rows: int
    seconds: float


class RunQueries(Queries):
    def begin(self, kind: RunKind, repository: str, now: datetime) -> int:
        values = {
            "kind": kind.value,
            "repository": repository,
            "began_at": now,
            "code": "",
            "size": 0,
            "stored": 0,
            "rows": 0,
            "seconds": 0.0,
        }
        with self.database.write(durable=True) as tx:
            key = tx.execute(insert(backup_run).values(**values)).inserted_primary_key
            assert key is not None
            return int(key[0])

    def end(self, run: int, now: datetime, *, code: str = "", size: int = 0, stored: int = 0, rows: int = 0, seconds: float = 0.0) -> None:
        """Note how it ended, also in the record."""
        with self.database.write(durable=True) as tx:
            values = {"ended_at": now, "code": code, "size": size, "stored": stored, "rows": rows, "seconds": seconds}
            done = update(backup_run).where(backup_run.c.id == run).values(**values).returning(backup_run.c.kind, backup_run.c.repository)
            kind, repository = tx.execute(done).one()
            action = f"{'drill' if kind == RunKind.DRILL else 'backup'}_{'failed' if code else 'done'}"
            audit_log.add(tx, action, None, rows, now, detail=f"{kind} {repository} {code}".strip())
            tx.execute(backup_run.delete().where(backup_run.c.id <= run - _KEPT))

    def runs(self, limit: int = 30) -> list[BackupRun]:
        """Return runs, newest first."""
        with self.database.read() as tx:
            return [_run(row) for row in tx.execute(select(backup_run).order_by(backup_run.c.id.desc()).limit(limit)).mappings()]

    def last(self, *, good: bool) -> dict[tuple[RunKind, str], BackupRun]:
        """Return the newest run that ended, of each kind and repository; the newest one that succeeded if `good`."""
        newest = select(func.max(backup_run.c.id)).where(backup_run.c.ended_at.is_not(None))
        if good:
            newest = newest.where(backup_run.c.code == "")
        newest = newest.group_by(backup_run.c.kind, backup_run.c.repository)
        with self.database.read() as tx:
            found = [_run(row) for row in tx.execute(select(backup_run).where(backup_run.c.id.in_(newest))).mappings()]
        return {(each.kind, each.repository): each for each in found}


def _run(row: RowMapping) -> BackupRun:
    values = dict(row)
    return BackupRun(**{**values, "kind": RunKind(values["kind"])})
