"""Partly typed names: in memory only, so that they survive the popup's process but are never stored."""

from agent.core.actor import actor

MOST = 50  # the limit per page


class Drafts:
    """Drafts by face, the oldest first; on a team server each member's own."""

    def __init__(self) -> None:
        self._names: dict[str, dict[int, str]] = {}  # by actor

    def put(self, face_id: int, name: str) -> None:
        """Store a draft; an empty name removes it. The oldest is dropped if there are too many."""
        names = self._names.setdefault(actor.get(), {})
        names.pop(face_id, None)
        if name:
            names[face_id] = name
        if len(names) > MOST:
            del names[next(iter(names))]

    def clear(self) -> None:
        """Remove everyone's."""
        self._names.clear()

    def all(self) -> tuple[tuple[int, str], ...]:
        return tuple(self._names.get(actor.get(), {}).items())
