"""The audit log: append-only rows with random ids and never a name, a path or a face, chained by keyed digests.

Each row's digest covers the previous one's, so a row that was changed, deleted, inserted or moved is found. A sealed head names the last
row, so rows cut off the end are found too. Digests and seal need the library's key, which a PostgreSQL server doesn't have. The one thing
that the database alone can't show is its return to an earlier state, head included: for that, `AuditAnchor` keeps the head elsewhere.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from agent.infrastructure.core.actor import actor
from agent.infrastructure.store import audit_chain
from agent.infrastructure.store.audit_chain import (
    BEGINNING,
    KEYED,
    OF_LIBRARIES,
    PLAIN,
    START,
    AuditEntry,
    AuditHead,
    ChainCheckpoint,
    ChainStep,
    digest_of,
    is_sealed,
    key_of,
    seal,
)
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.row_security import lifted
from agent.infrastructure.store.schema import audit as table
from agent.infrastructure.store.schema import audit_head as head_table

_UNSEALED = ""  # chained to by the next row if the head is not as it was written: that row never verifies
STEP: Final = 20_000  # entries: half a second
DETAIL_LENGTH: Final = 80


class AuditQueries(Queries):
    def audit_broken_at(self, witness: AuditHead | None = None) -> int | None:
        """Return the first audit entry that isn't as it was written, or that is missing; None if the log is intact.

        `witness` is an earlier head that was kept elsewhere: its row must still be there.
        """
        with self.database.read() as tx:
            return audit_chain.broken_at(tx, witness)

    def audit_steps(self, witness: AuditHead | None) -> Iterator[ChainStep]:
        """Check the whole log as `audit_broken_at` does, in parts, each in a transaction of its own."""
        mark, is_last = BEGINNING, False
        while not is_last:
            with self.database.read() as tx:
                step = audit_chain.step_from(tx, mark, witness, STEP)
            mark, is_last = step.end, step.is_last
            yield step

    def audit_check_on(self, witness: AuditHead | None, checkpoint: str | None) -> tuple[int | None, str]:
        """Check what was added since a checkpoint, and a part of the old entries; without a genuine checkpoint, all.

        Return what `audit_broken_at` does, and the checkpoint to continue from, sealed with the library's key.
        """
        with self.database.read() as tx:
            found, after = audit_chain.check_on(tx, witness, ChainCheckpoint.opened(tx, checkpoint) if checkpoint else None)
            return found, after.sealed(tx)

    def audit_head(self) -> AuditHead:
        """Return the present head, to be kept elsewhere."""
        with self.database.read() as tx:
            last = tx.execute(select(table.c.id, table.c.digest).order_by(table.c.id.desc()).limit(1)).one_or_none()
            return AuditHead(0, START) if last is None else AuditHead(last.id, last.digest)

    def audit_digest(self, number: int) -> str | None:
        """Return the digest of an entry; of the empty log if `number` is 0, None if there is no such entry."""
        with self.database.read() as tx:
            return audit_chain.digest_at(tx, number)

    def audit_entries(
        self, *, before: int | None = None, limit: int, actor: str | None = None, action: str | None = None
    ) -> list[AuditEntry]:
        """Return entries, newest first, those older than entry `before`."""
        entries = select(*(table.c[name] for name in AuditEntry._fields)).order_by(table.c.id.desc()).limit(limit)
        for column, value in ((table.c.actor, actor), (table.c.action, action)):
            if value is not None:
                entries = entries.where(column == value)
        if before is not None:
            entries = entries.where(table.c.id < before)
        with self.database.read() as tx:
            return [AuditEntry(*row) for row in tx.execute(entries)]

    def audit_count(self) -> int:
        """Return the number of entries within reach."""
        with self.database.read() as tx:
            return tx.scalar(select(func.count()).select_from(table)) or 0

    def audit_add(self, action: str, subject: str | None, count: int, now: datetime, *, detail: str = "") -> None:
        """Add an entry by itself, for what changes nothing else in the library."""
        with self.database.write(durable=True) as tx:
            add(tx, action, subject, count, now, detail=detail)


def add(
    tx: Connection, action: str, subject: str | None, count: int, now: datetime, *, detail: str = "", libraries: Iterable[int] = ()
) -> None:
    """Add an entry for the current actor, in the transaction of what it records.

    `subject` is the random id of a person or a member; `detail` a short word of the program (a purpose, a role), never a name or a path.
    The auditors of each of these `libraries` see the entry (`agent.infrastructure.store.audit_libraries`); without any, only those of the
    server do.
    """
    key, head = key_of(tx), tx.execute(select(head_table)).one_or_none()
    if head is None:
        with lifted(tx):
            last = tx.execute(select(table).order_by(table.c.id.desc()).limit(1)).one_or_none()
        number, before = (0, START) if last is None else (last.id, last.digest if last.version == PLAIN else _UNSEALED)
    else:
        number, before = head.number, head.digest if is_sealed(key, head) else _UNSEALED
    concerned = ",".join(map(str, sorted(libraries)))
    entry = AuditEntry(number + 1, now, actor.get(), action, subject, count, detail[:DETAIL_LENGTH], concerned)
    digest = digest_of(key, before, entry)
    tx.execute(insert(table).values(**entry._asdict(), version=OF_LIBRARIES if concerned else KEYED, digest=digest))
    tx.execute(delete(head_table))
    tx.execute(insert(head_table).values(id=1, number=entry.id, digest=digest, seal=seal(key, entry.id, digest)))
