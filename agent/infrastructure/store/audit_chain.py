"""The chain of the audit log: what each digest covers, and how a part of the chain is checked.

A check may stop at any entry and continue from its `ChainMark` later: the digest there stands for all entries before it. So entries
that are read in parts, in order, prove as much as if they were read at once, except that each was as found when its part was read.
"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, select

from agent.infrastructure.store.database import AUDIT_KEY
from agent.infrastructure.store.fact_values import moment
from agent.infrastructure.store.schema import audit as table
from agent.infrastructure.store.schema import audit_head as head_table

START: Final = "0" * 64
PLAIN: Final = 1  # rows of earlier versions: SHA-256 without a key, and without actor and detail
KEYED: Final = 2
OF_LIBRARIES: Final = 3  # with the libraries that the entry concerns; without any, an entry is as in version 2
_PAGE = 1_000
# A check that continues reads a part of the old entries as well: with one check an hour, all within a day, and some time to spare.
PARTS: Final = 20
LEAST_PART: Final = 10_000  # a quarter of a second


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


class ChainMark(NamedTuple):
    """How far the chain was checked: an entry, its digest, and whether entries have keyed digests from there on."""

    number: int
    digest: str
    keyed: bool


class ChainCheckpoint(NamedTuple):
    """Up to where the chain was checked, and how far its old entries have been checked once more."""

    newest: ChainMark
    again: ChainMark

    @classmethod
    def opened(cls, tx: Connection, sealed: str) -> "ChainCheckpoint | None":
        """Return what `sealed` made; None if it isn't as it was made with this library's key."""
        words = sealed.split()
        try:
            *values, seal = words
            newest, again = (ChainMark(int(number), digest, keyed == "1") for number, digest, keyed in (values[:3], values[3:]))
        except ValueError:
            return None
        found = cls(newest, again)
        return found if hmac.compare_digest(seal.encode(), found._seal(tx).encode()) else None

    def sealed(self, tx: Connection) -> str:
        """Return it as a line that can't be made without the library's key."""
        return " ".join((*self._words(), self._seal(tx)))

    def _words(self) -> list[str]:
        return [str(int(value)) if isinstance(value, int) else value for mark in self for value in mark]

    def _seal(self, tx: Connection) -> str:
        return _of(key_of(tx), "checkpoint", *self._words())


BEGINNING: Final = ChainMark(0, START, False)


class ChainStep(NamedTuple):
    """A part of a check of the whole chain."""

    end: ChainMark
    is_last: bool
    broken_at: int | None
    """in the last step: the first entry that isn't as it was written, or that is missing"""


def step_from(tx: Connection, mark: ChainMark, witness: AuditHead | None, size: int | None) -> ChainStep:
    """Check as many entries after `mark`, all for None, and the end of the chain if it is reached."""
    last = None if size is None else mark.number + size
    broken, end = _walk(tx, mark, last)
    if broken is None and end.number == last:
        return ChainStep(end, is_last=False, broken_at=None)
    if witness is not None and digest_at(tx, witness.number) != witness.digest:
        broken = min(witness.number, end.number + 1 if broken is None else broken)
    elif broken is None:
        broken = _wrong_end(tx, end)
    return ChainStep(end, is_last=True, broken_at=broken)


def broken_at(tx: Connection, witness: AuditHead | None) -> int | None:
    """Check the whole chain. Return the first entry that isn't as it was written, or that is missing."""
    return step_from(tx, BEGINNING, witness, None).broken_at


def check_on(tx: Connection, witness: AuditHead | None, before: ChainCheckpoint | None) -> tuple[int | None, ChainCheckpoint]:
    """Check what was added since the checkpoint `before`, and a part of the old entries; the whole chain if there is none.

    Return the first entry of the chain that isn't as it was written, or that is missing, and the checkpoint to continue from.
    """
    start = before or ChainCheckpoint(BEGINNING, BEGINNING)
    found, after = _continued(tx, witness, start)
    if found is None:
        return None, after
    first = broken_at(tx, witness)  # what was found may not be the first one
    return found if first is None else first, start


def _continued(tx: Connection, witness: AuditHead | None, start: ChainCheckpoint) -> tuple[int | None, ChainCheckpoint]:
    for known in (witness, AuditHead(*start.newest[:2])):
        if known is not None and digest_at(tx, known.number) != known.digest:
            return known.number, start
    broken, newest = _walk(tx, start.newest)
    if broken is None:
        broken = _wrong_end(tx, newest)
    if broken is not None or start.newest == BEGINNING:  # all of it was read just now
        return broken, ChainCheckpoint(newest, BEGINNING)
    last = min(newest.number, start.again.number + max(LEAST_PART, -(-newest.number // PARTS)))
    broken, again = _walk(tx, start.again, last)
    if broken is None and again.number < last:
        broken = again.number + 1
    if broken is None and again.number == newest.number and again != newest:
        broken = newest.number
    # From the beginning once the end is reached: new entries, which are checked anyway, must not put that off.
    return broken, ChainCheckpoint(newest, again if again.number < newest.number else BEGINNING)


def _walk(tx: Connection, mark: ChainMark, last: int | None = None) -> tuple[int | None, ChainMark]:
    """Check the entries after `mark`, up to the entry `last`. Return the first broken one, and the mark of the last one before it."""
    key = key_of(tx)
    for rows in _pages(tx, mark.number, last):
        for row in rows:
            entry = AuditEntry(*row[: len(AuditEntry._fields)])
            right = _plain_digest(mark.digest, row) if row.version == PLAIN else digest_of(key, mark.digest, entry)
            # Rows without a key only stand at the beginning, and only rows of the last version can concern libraries.
            misplaced = row.version not in ((OF_LIBRARIES,) if entry.libraries else (KEYED,) if mark.keyed else (PLAIN, KEYED))
            if row.id != mark.number + 1 or misplaced or not hmac.compare_digest(row.digest, right):
                return int(min(row.id, mark.number + 1)), mark
            mark = ChainMark(row.id, row.digest, row.version != PLAIN)
    return None, mark


def _wrong_end(tx: Connection, end: ChainMark) -> int | None:
    """Return the entry after the chain's `end`, if the sealed head says that the chain doesn't end there."""
    head = tx.execute(select(head_table)).one_or_none()
    whole = not end.keyed if head is None else is_sealed(key_of(tx), head) and (head.number, head.digest) == end[:2]
    return None if whole else end.number + 1


def digest_at(tx: Connection, number: int) -> str | None:
    """Return the digest of an entry; of the empty log if `number` is 0, None if there is no such entry."""
    return START if number == 0 else tx.scalar(select(table.c.digest).where(table.c.id == number))


def _pages(tx: Connection, after: int, last: int | None) -> Iterator[list[Row[*tuple[Any, ...]]]]:
    """Yield all rows after `after`, first those of an entry's columns, page by page."""
    columns = [*(table.c[name] for name in AuditEntry._fields), table.c.version, table.c.digest]
    within = select(*columns).order_by(table.c.id).limit(_PAGE)
    if last is not None:
        within = within.where(table.c.id <= last)
    page = within.where(table.c.id > after) if after else within  # an id below 1 is wrong, and has to be seen
    while rows := list(tx.execute(page).all()):
        yield rows
        page = within.where(table.c.id > rows[-1].id)


def key_of(tx: Connection) -> bytes:
    """Return the key of the log's digests."""
    key: bytes = tx.get_execution_options()[AUDIT_KEY]
    return key


def _plain_digest(last: str, row: Row[*tuple[Any, ...]]) -> str:
    line = "\n".join((last, str(moment(row.at)), row.action, row.subject or "", str(row.number)))
    return hashlib.sha256(line.encode()).hexdigest()


def digest_of(key: bytes, last: str, entry: AuditEntry) -> str:
    """Return the digest of an entry after the one with the digest `last`."""
    words = str(entry.id), str(moment(entry.at)), entry.actor, entry.action, entry.subject or "", str(entry.number), entry.detail
    return _of(key, "entry", last, *words, entry.libraries) if entry.libraries else _of(key, "entry", last, *words)


def seal(key: bytes, number: int, digest: str) -> str:
    """Return the seal of a head."""
    return _of(key, "head", str(number), digest)


def is_sealed(key: bytes, head: Row[*tuple[Any, ...]]) -> bool:
    """Return whether the head was written with the key."""
    return hmac.compare_digest(head.seal, seal(key, head.number, head.digest))


def _of(key: bytes, *words: str) -> str:
    # Each with its length, so that no text can move from one field to the next.
    line = b"".join(b"%d:%s" % (len(word.encode()), word.encode()) for word in words)
    return hmac.digest(key, line, "sha256").hex()
