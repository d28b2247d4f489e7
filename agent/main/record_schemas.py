"""The API schemas of the record."""

from datetime import datetime
from typing import Self

from agent.store.audit_log import AuditEntry, AuditQueries
from agent.store.audit_witness import AuditWitness
from agent.web.schemas import Schema


class RecordEntry(Schema):
    """Something that was done. Without names and paths: people and members appear by random ids."""

    id: int
    at: datetime
    actor: str
    """a member's id; empty: the user of this computer, or the program itself"""
    action: str
    """such as `named`, `merged`, `forgotten`, `exported`"""
    subject: str | None
    """the random id of the person or member concerned"""
    number: int
    """faces, people or copies concerned"""
    detail: str
    """such as a purpose or a role"""

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        return cls.from_record(entry)


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
    entries: int
    broken_at: int | None
    """the first entry that was changed, inserted, or is missing; null: the record is as it was written"""

    @classmethod
    def read(cls, library: AuditQueries, witness: AuditWitness) -> Self:
        """Raises StoreError."""
        broken_at = library.audit_broken_at(witness.read())
        return cls(entries=library.audit_head().number, broken_at=broken_at)
