"""Waits until files are complete, by system events or by checks: a bounded set, served by one periodic task."""

from dataclasses import dataclass

from agent.infrastructure.sources.folder.folder_scan import Facts, is_below

# Fractions of the steady time: for a file without observed changes, two checks this far apart are enough.
_EAGER = (1 / 8, 1 / 4)


@dataclass(slots=True)
class _Waiting:
    due: float
    closed: bool
    facts: Facts | None = None  # None until the first check
    waits: tuple[float, ...] = ()  # seconds between the remaining checks


class Debouncer:
    """Files that may still be written to. Uses neither clock nor disk: both are arguments.

    A file that the system reports as closed is taken at the first check, unless it is empty. Any other is taken once it has been unchanged
    for `steady_s`; if `eager`, for systems without close events, earlier, unless it is empty or was seen to change: then it is being
    written slowly.
    """

    def __init__(self, steady_s: float, limit: int, *, eager: bool = False) -> None:
        self._patient = (steady_s,)
        self._first = tuple(share * steady_s for share in _EAGER) if eager else self._patient
        self._limit = limit
        self._files: dict[str, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def closed(self, path: str) -> bool:
        """Whether the file waits and was closed."""
        return path in self._files and self._files[path].closed

    def hint(self, path: str, now: float, *, closed: bool = False) -> bool:
        """Note an event for the file; `closed`: its writer closed it. False if no more files can wait."""
        if (waiting := self._files.get(path)) is not None:
            if closed:
                waiting.closed, waiting.due = True, now
            return True  # its next check will show whether it changed
        if len(self._files) >= self._limit:
            return False
        self._files[path] = _Waiting(now, closed)
        return True

    def forget(self, path: str) -> None:
        self._files.pop(path, None)

    def forget_below(self, folder: str) -> list[str]:
        """Forget all files inside a folder; returns them."""
        below = [path for path in self._files if is_below(path, folder)]
        for path in below:
            del self._files[path]
        return below

    def clear(self) -> None:
        self._files.clear()

    def due(self, now: float, limit: int) -> list[str]:
        """The files to check now, at most `limit`."""
        found = []
        for path, waiting in self._files.items():
            if waiting.due <= now:
                found.append(path)
                if len(found) == limit:
                    break
        return found

    def next_due(self) -> float | None:
        """The time of the next check."""
        return min((waiting.due for waiting in self._files.values()), default=None)

    def looked(self, path: str, facts: Facts | None, now: float) -> bool:
        """Record a check's result. True if the file is complete: it no longer waits. Without facts (no such file) it is forgotten."""
        waiting = self._files.get(path)
        if waiting is None:
            return False
        # An empty file was closed only to reserve its name.
        if facts is None or (waiting.closed and facts[0] > 0) or (facts == waiting.facts and not waiting.waits):
            del self._files[path]
            return facts is not None
        if facts != waiting.facts:
            untouched = waiting.facts is None and facts[0] > 0
            waiting.facts, waiting.waits = facts, self._first if untouched else self._patient
        wait, *rest = waiting.waits
        waiting.due, waiting.waits = now + wait, tuple(rest)
        return False
