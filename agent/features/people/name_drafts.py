"""Partly typed names: a desktop has them in memory only, so that they survive the popup's process but are never stored.

A team server's are in its database (`agent.features.people.queries.draft_queries`), because another of its processes may answer the next
request.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

MOST = 50  # the limit per page


class Drafts(Protocol):
    """Drafts by face, the oldest first; on a team server each member's own. All of it may block and raise StoreError."""

    def put_draft(self, face_id: int, name: str, now: datetime) -> None:
        """Store a draft in place of an earlier one. The oldest is dropped if there are too many."""
        ...

    def drop_drafts(self, faces: Collection[int]) -> None:
        """Remove those of these faces."""
        ...

    def clear_drafts(self) -> None:
        """Remove everyone's."""
        ...

    def drafts(self) -> tuple[tuple[int, str], ...]: ...


class DraftsInMemory:
    """Implements `Drafts` for the one user of a desktop."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def put_draft(self, face_id: int, name: str, now: datetime) -> None:
        self._names.pop(face_id, None)
        self._names[face_id] = name
        if len(self._names) > MOST:
            del self._names[next(iter(self._names))]

    def drop_drafts(self, faces: Collection[int]) -> None:
        for face_id in self._names.keys() & set(faces):
            del self._names[face_id]

    def clear_drafts(self) -> None:
        self._names.clear()

    def drafts(self) -> tuple[tuple[int, str], ...]:
        return tuple(self._names.items())
