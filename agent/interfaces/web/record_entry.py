"""An entry of the record, as pages and incidents show it."""

from datetime import datetime
from typing import Self

from agent.infrastructure.core.access_scope import current_scope
from agent.infrastructure.store.audit_chain import AuditEntry
from agent.interfaces.web.schema_base import Schema


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
    libraries: tuple[int, ...]
    """those that it concerns, of those whose record the caller reads; empty: the server itself"""

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        libraries = tuple(map(int, filter(None, entry.libraries.split(","))))
        reach = current_scope()
        if reach is not None and not reach.audits_all:
            libraries = tuple(each for each in libraries if each in reach.audited)
        return cls.from_record(entry, libraries=libraries)
