"""Lines that repeat, which the log leaves out."""

from collections import OrderedDict
from dataclasses import dataclass

WINDOW_S = 60.0
MOST = 5  # of the same line, per window
_KNOWN = 128  # number of remembered lines


@dataclass(slots=True)
class _Line:
    since: float
    count: int = 1


class LogDeduplicator:
    """Counts lines by content. It has no clock: the time is an argument."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        self.left_out = 0  # lines since the last call of `take`

    def passes(self, says: str, now: float) -> bool:
        """Return whether to write this line."""
        line = self._lines.get(says)
        if line is None or not 0 <= now - line.since < WINDOW_S:
            self._lines[says] = _Line(now)
            self._lines.move_to_end(says)
            if len(self._lines) > _KNOWN:
                self._lines.popitem(last=False)
            return True
        line.count += 1
        self._lines.move_to_end(says)  # a repeating line is not evicted for others
        if line.count <= MOST:
            return True
        self.left_out += 1
        return False

    def take(self) -> int:
        """Return the number of lines left out since the last call."""
        left_out, self.left_out = self.left_out, 0
        return left_out
