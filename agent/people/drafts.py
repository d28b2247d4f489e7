"""Names that were begun and not yet given: kept in memory, so that they outlive the popup's process, and never written down."""

MOST = 50  # as many as a page keeps


class Drafts:
    """By face, the oldest first."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def put(self, face_id: int, name: str) -> None:
        """An empty name is none. The oldest goes if there are too many."""
        self._names.pop(face_id, None)
        if name:
            self._names[face_id] = name
        if len(self._names) > MOST:
            del self._names[next(iter(self._names))]

    def clear(self) -> None:
        self._names.clear()

    def all(self) -> tuple[tuple[int, str], ...]:
        return tuple(self._names.items())
