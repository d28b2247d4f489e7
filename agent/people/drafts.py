"""Partly typed names: in memory only, so that they survive the popup's process but are never stored."""

MOST = 50  # the limit per page


class Drafts:
    """Drafts by face, the oldest first."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def put(self, face_id: int, name: str) -> None:
        """Store a draft; an empty name removes it. The oldest is dropped if there are too many."""
        self._names.pop(face_id, None)
        if name:
            self._names[face_id] = name
        if len(self._names) > MOST:
            del self._names[next(iter(self._names))]

    def clear(self) -> None:
        self._names.clear()

    def all(self) -> tuple[tuple[int, str], ...]:
        return tuple(self._names.items())
