"""Waits until files have stopped changing: a bounded set that one ticking task looks after."""

from dataclasses import dataclass

from agent.adapters.folder_scan import Facts, is_below


@dataclass(slots=True)
class _Waiting:
    due: float
    facts: Facts | None = None  # None until it was looked at once


class Settling:
    """Files that may still be written to. Knows neither clock nor disk: both come in as arguments."""

    def __init__(self, steady_s: float, limit: int) -> None:
        self._steady_s = steady_s
        self._limit = limit
        self._files: dict[str, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def hint(self, path: str, now: float) -> bool:
        """Something happened to the file. False if no more files may wait."""
        if path in self._files:
            return True  # its own next look will show whether it changed
        if len(self._files) >= self._limit:
            return False
        self._files[path] = _Waiting(due=now)
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
        """The files to look at now, at most `limit`."""
        found = []
        for path, waiting in self._files.items():
            if waiting.due <= now:
                found.append(path)
                if len(found) == limit:
                    break
        return found

    def next_due(self) -> float | None:
        """When the next look is due."""
        return min((waiting.due for waiting in self._files.values()), default=None)

    def looked(self, path: str, facts: Facts | None, now: float) -> bool:
        """Take over what a look showed. True if the file is steady: it no longer waits. Without facts (no such file) it is forgotten."""
        waiting = self._files.get(path)
        if waiting is None:
            return False
        if facts is None or facts == waiting.facts:
            del self._files[path]
            return facts is not None
        waiting.facts, waiting.due = facts, now + self._steady_s
        return False
