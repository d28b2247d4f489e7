"""Messages to send, as rows: each is claimed by one process, and marked once it was accepted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, Row, Table, func, or_, select, update

from agent.infrastructure.store.database import Database, Queries

CLAIM: Final = timedelta(minutes=5)
"""longer than an attempt takes: what a killed process had claimed is then tried again"""
LONGEST_WAIT: Final = timedelta(hours=6)
"""between two attempts: what is due later was put off by a clock that was ahead"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """`attempts` includes this one: it is counted before it is made."""

    id: int
    about: int
    """the row that the message is about"""
    way: str
    attempts: int


class MessageQueue(Queries):
    """Over a table with the columns `id`, `way`, `attempts`, `due_at`, `sent_at` and `error_code`."""

    def __init__(self, database: Database, table: Table, about: Column[Any]) -> None:
        """`about` is the table's column with the row that a message is about."""
        super().__init__(database)
        self._table = table
        self._about = about

    def claim(self, now: datetime, limit: int) -> list[Claimed]:
        """Take what is due. Other processes don't get it, unless this one ends before it says what became of it."""
        table = self._table
        is_due = or_(table.c.due_at <= now, table.c.due_at > now + LONGEST_WAIT)
        due = select(table.c.id).where(is_due).order_by(table.c.due_at, table.c.id).limit(limit)
        with self.database.write(durable=True) as tx:
            ids = tx.scalars(due.with_for_update(skip_locked=True)).all()
            if not ids:
                return []
            tx.execute(update(table).where(table.c.id.in_(ids)).values(due_at=now + CLAIM, attempts=table.c.attempts + 1))
            rows = tx.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id)).all()
        return [Claimed(row.id, row._mapping[self._about], row.way, row.attempts) for row in rows]

    def sent(self, message_id: int, now: datetime) -> None:
        self._set(message_id, sent_at=now, due_at=None, error_code=None)

    def failed(self, message_id: int, code: str, again_at: datetime | None) -> None:
        """Note the failure, and when to try again; None: never."""
        self._set(message_id, due_at=again_at, error_code=code)

    def of(self, about: int) -> list[Row[*tuple[Any, ...]]]:
        """Way, attempts, `due_at`, `sent_at` and the last error's code of each message about that row."""
        with self.database.read() as tx:
            return list(tx.execute(select(self._table).where(self._about == about).order_by(self._table.c.id)))

    def failing(self, attempts: int) -> int:
        """Return how many failed at least that often and are to be tried again."""
        table = self._table
        waits = table.c.due_at.is_not(None) & table.c.error_code.is_not(None) & (table.c.attempts >= attempts)
        with self.database.read() as tx:
            return tx.scalar(select(func.count()).select_from(table).where(waits)) or 0

    def _set(self, message_id: int, **values: Any) -> None:
        with self.database.write(durable=True) as tx:
            tx.execute(update(self._table).where(self._table.c.id == message_id).values(**values))
