"""An entry of the record, as pages and incidents show it."""

from datetime import datetime
from typing import Self

from agent.store.audit_log import AuditEntry
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
