"""The audit log: append-only rows with random ids and never a name, a path or a face, chained by keyed digests.

Each row's digest covers the previous one's, so a row that was changed, deleted, inserted or moved is found. A sealed head names the last
row, so rows cut off the end are found too. Digests and seal need the library's key, which a PostgreSQL server doesn't have. The one thing
that the database alone can't show is its return to an earlier state, head included: for that, `AuditWitness` keeps the head elsewhere.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select

from agent.core.actor import actor
from agent.store.database import AUDIT_KEY, Queries
from agent.store.fact_values import moment
from agent.store.row_security import lifted
from agent.store.schema import audit as table
from agent.store.schema import audit_head as head_table

_START = "0" * 64
_UNSEALED = ""  # chained to by the next row if the head is not as it was written: that row never verifies
_PLAIN: Final = 1  # rows of earlier versions: SHA-256 without a key, and without actor and detail
_KEYED: Final = 2
_OF_LIBRARIES: Final = 3  # with the libraries that the entry concerns; without any, an entry is as in version 2
_PAGE = 1_000
DETAIL_LENGTH: Final = 80


class AuditEntry(NamedTuple):
    id: int
    at: datetime
    actor: str
    """a member's random id; empty: the user of this computer"""
    action: str
    subject: str | None
    """the random id of the person or member concerned"""
    number: int
    detail: str
    libraries: str = ""
    """those of a server that it concerns, such as `3,7`; empty: the server itself"""


class AuditHead(NamedTuple):
    """The number of entries, which is the last one's id, and its digest."""

    number: int
    digest: str


class AuditQueries(Queries):
    def audit_broken_at(self, witness: AuditHead | None = None) -> int | None:
        """Return the first audit entry that isn't as it was written, or that is missing; None if the log is intact.

        `witness` is an earlier head that was kept elsewhere: its row must still be there.
        """
        with self.database.read() as tx:
            return _broken_at(tx, witness)

    def audit_head(self) -> AuditHead:
        """Return the present head, to be kept elsewhere."""
        with self.database.read() as tx:
            last = tx.execute(select(table.c.id, table.c.digest).order_by(table.c.id.desc()).limit(1)).one_or_none()
            return AuditHead(0, _START) if last is None else AuditHead(last.id, last.digest)

    def audit_digest(self, number: int) -> str | None:
        """Return the digest of an entry; of the empty log if `number` is 0, None if there is no such entry."""
        with self.database.read() as tx:
            return _START if number == 0 else tx.scalar(select(table.c.digest).where(table.c.id == number))

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
    The auditors of each of these `libraries` see the entry (`agent.store.audit_libraries`); without any, only those of the server do.
    """
    key, head = _key(tx), tx.execute(select(head_table)).one_or_none()
    if head is None:
        with lifted(tx):
            last = tx.execute(select(table).order_by(table.c.id.desc()).limit(1)).one_or_none()
        number, before = (0, _START) if last is None else (last.id, last.digest if last.version == _PLAIN else _UNSEALED)
    else:
        number, before = head.number, head.digest if _is_sealed(key, head) else _UNSEALED
    concerned = ",".join(map(str, sorted(libraries)))
    entry = AuditEntry(number + 1, now, actor.get(), action, subject, count, detail[:DETAIL_LENGTH], concerned)
    digest = _digest(key, before, entry)
    tx.execute(insert(table).values(**entry._asdict(), version=_OF_LIBRARIES if concerned else _KEYED, digest=digest))
    tx.execute(delete(head_table))
    tx.execute(insert(head_table).values(id=1, number=entry.id, digest=digest, seal=_seal(key, entry.id, digest)))


def _broken_at(tx: Connection, witness: AuditHead | None) -> int | None:
    key, last, expected, keyed = _key(tx), _START, 1, False
    for row in _rows(tx):
        entry = AuditEntry(*row[: len(AuditEntry._fields)])
        right = _plain_digest(last, row) if row.version == _PLAIN else _digest(key, last, entry)
        # Rows without a key only stand at the beginning, and only rows of the last version can concern libraries.
        misplaced = row.version not in ((_OF_LIBRARIES,) if entry.libraries else (_KEYED,) if keyed else (_PLAIN, _KEYED))
        if row.id != expected or misplaced or not hmac.compare_digest(row.digest, right):
            return int(min(row.id, expected))
        if witness is not None and row.id == witness.number and row.digest != witness.digest:
            return int(row.id)
        last, expected, keyed = row.digest, row.id + 1, row.version != _PLAIN
    head = tx.execute(select(head_table)).one_or_none()
    whole = not keyed if head is None else _is_sealed(key, head) and (head.number, head.digest) == (expected - 1, last)
    return expected if not whole or (witness is not None and witness.number >= expected) else None


def _rows(tx: Connection) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield all rows, first those of an entry's columns, page by page."""
    columns, after = [*(table.c[name] for name in AuditEntry._fields), table.c.version, table.c.digest], None
    while True:
        page = select(*columns).order_by(table.c.id).limit(_PAGE)
        rows = tx.execute(page if after is None else page.where(table.c.id > after)).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].id


def _key(tx: Connection) -> bytes:
    key: bytes = tx.get_execution_options()[AUDIT_KEY]
    return key


def _plain_digest(last: str, row: Row[*tuple[Any, ...]]) -> str:
    line = "\n".join((last, str(moment(row.at)), row.action, row.subject or "", str(row.number)))
    return hashlib.sha256(line.encode()).hexdigest()


def _digest(key: bytes, last: str, entry: AuditEntry) -> str:
    words = str(entry.id), str(moment(entry.at)), entry.actor, entry.action, entry.subject or "", str(entry.number), entry.detail
    return _of(key, "entry", last, *words, entry.libraries) if entry.libraries else _of(key, "entry", last, *words)


def _seal(key: bytes, number: int, digest: str) -> str:
    return _of(key, "head", str(number), digest)


def _is_sealed(key: bytes, head: Row[*tuple[Any, ...]]) -> bool:
    return hmac.compare_digest(head.seal, _seal(key, head.number, head.digest))


def _of(key: bytes, *words: str) -> str:
    # Each with its length, so that no text can move from one field to the next.
    line = b"".join(b"%d:%s" % (len(word.encode()), word.encode()) for word in words)
    return hmac.digest(key, line, "sha256").hex()
