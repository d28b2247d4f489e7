"""The API schemas of the record."""

from collections.abc import Iterator
from typing import Self

from agent.infrastructure.core.access_scope import current_scope, everything
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.audit_log import AuditQueries
from agent.interfaces.web.record_entry import RecordEntry
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Problem
from agent.server.transfer.archived_audit import RECORDS_FOLDER, changed_records


class RecordPage(Schema):
    """Entries, newest first."""

    items: tuple[RecordEntry, ...]
    before: int | None
    """asks for the page of older entries; null: there are none"""

    @classmethod
    def read(cls, library: AuditQueries, *, before: int | None, limit: int, actor: str | None, action: str | None) -> Self:
        """Raises StoreError."""
        found = library.audit_entries(before=before, limit=limit + 1, actor=actor, action=action)
        items = tuple(map(RecordEntry.of, found[:limit]))
        return cls(items=items, before=items[-1].id if len(found) > limit else None)


class RecordVerified(Schema):
    """The whole record is read, also for the auditor of one library."""

    entries: int
    """those that the caller may see"""
    broken_at: int | None
    """the first entry that was changed, inserted, or is missing; null: the record is as it was written"""

    changed: tuple[str, ...] = ()
    """records of libraries that moved here, by the names of their files, which are not as they came, or are missing"""

    @classmethod
    def read(cls, library: AuditQueries, witness: AuditAnchor) -> Self:
        """Raises StoreError."""
        with everything():
            broken_at = library.audit_broken_at(witness.read())
        return cls.of(library, witness, broken_at)

    @classmethod
    def of(cls, library: AuditQueries, witness: AuditAnchor, broken_at: int | None) -> Self:
        """Raises StoreError."""
        reach = current_scope()
        with everything():
            if reach is None or reach.audits_all:
                changed = changed_records(library.database, witness.folder / RECORDS_FOLDER)
                return cls(entries=library.audit_head().number, broken_at=broken_at, changed=tuple(changed))
        return cls(entries=library.audit_count(), broken_at=broken_at)


class RecordCheck(Schema):
    """How far the whole record has been read; the last one says what was found, or which error stopped the reading."""

    checked: int = 0
    total: int = 0
    found: RecordVerified | None = None
    stopped: Problem | None = None


def record_checks(library: AuditQueries, witness: AuditAnchor) -> Iterator[RecordCheck]:
    """Yield how far the record has been read, and at last what was found. Raises StoreError."""
    with everything():
        head, total = witness.read(), library.audit_head().number
    steps = library.audit_steps(head)
    yield RecordCheck(checked=0, total=total)
    while True:
        with everything():
            step = next(steps)
        if step.is_last:
            yield RecordCheck(checked=step.end.number, total=total, found=RecordVerified.of(library, witness, step.broken_at))
            return
        yield RecordCheck(checked=step.end.number, total=total)
