"""How fast photos go to the server just now."""

from collections import deque
from collections.abc import Callable
from typing import Final

_LAST_S: Final = 20.0


class TransferRate:
    """Of the last seconds. `clock` gives seconds, from any start."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._passed: deque[tuple[float, int]] = deque()

    def passed(self, size: int) -> None:
        """Note that so many bytes went."""
        self._passed.append((self._clock(), size))
        self._drop_old()

    @property
    def per_second(self) -> float:
        """Bytes per second; 0 while nothing goes."""
        self._drop_old()
        if not self._passed:
            return 0.0
        return sum(size for _, size in self._passed) / max(1.0, self._clock() - self._passed[0][0])

    def _drop_old(self) -> None:
        while self._passed and self._clock() - self._passed[0][0] > _LAST_S:
            self._passed.popleft()
