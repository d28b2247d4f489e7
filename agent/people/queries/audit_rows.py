"""The audit log: append-only rows, chained by their digests, with random ids and never a name, a path or a face."""

import hashlib
from datetime import datetime

from sqlalchemy import Connection, select

from agent.store.database import Queries
from agent.store.facts import moment
from agent.store.rows import append
from agent.store.schema import audit as table

_START = "0" * 64


class AuditQueries(Queries):
    def audit_broken_at(self) -> int | None:
        """Return the first audit entry that was changed, or that follows a missing one; None if the log is intact."""
        with self.database.read() as tx:
            last, expected = _START, 1
            for row in tx.execute(select(table).order_by(table.c.id)):
                if row.id != expected or row.digest != _digest(last, row.at, row.action, row.subject, row.number):
                    return int(row.id)
                last, expected = row.digest, row.id + 1
            return None


def add(tx: Connection, action: str, subject: str | None, count: int, now: datetime) -> None:
    """Add a row; `subject` is a person's random id."""
    last = tx.scalar(select(table.c.digest).order_by(table.c.id.desc()).limit(1)) or _START
    digest = _digest(last, now, action, subject, count)
    append(tx, table, {"at": now, "action": action, "subject": subject, "number": count, "digest": digest})


def _digest(last: str, at: datetime, action: str, subject: str | None, count: int) -> str:
    line = "\n".join((last, str(moment(at)), action, subject or "", str(count)))
    return hashlib.sha256(line.encode()).hexdigest()
