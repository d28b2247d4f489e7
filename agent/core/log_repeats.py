"""Collapses log lines that say the same again and again: a fault that repeats a thousand times a second must not fill the disk."""

from collections import OrderedDict
from dataclasses import dataclass

WINDOW_S = 60.0
MOST = 5  # of the same line, in a window
_KNOWN = 128  # lines that are remembered


@dataclass(slots=True)
class _Line:
    since: float
    count: int = 1


class Repeats:
    """Counts lines by what they say. Knows no clock: the time comes with each."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        self.left_out = 0  # lines, since `take` was called last

    def passes(self, says: str, now: float) -> bool:
        """Whether to write this line."""
        line = self._lines.get(says)
        if line is None or not 0 <= now - line.since < WINDOW_S:
            self._lines[says] = _Line(now)
            self._lines.move_to_end(says)
            if len(self._lines) > _KNOWN:
                self._lines.popitem(last=False)
            return True
        line.count += 1
        self._lines.move_to_end(says)  # what repeats is not forgotten for others
        if line.count <= MOST:
            return True
        self.left_out += 1
        return False

    def take(self) -> int:
        """How many lines were left out, to be told once."""
        left_out, self.left_out = self.left_out, 0
        return left_out
