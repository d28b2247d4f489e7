"""Answers that take long to make, kept for as long as the library stays as it was."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Safe from any thread: whoever asks for what is being made waits for it instead of making it too."""

    def __init__(self, version: Callable[[], int], most: int) -> None:
        """`version` is another number after every change; `most` answers are kept, those asked for last."""
        self._version = version
        self._most = most
        self._turn = threading.Lock()
        self._made_at = -1
        self._answers: OrderedDict[Hashable, T] = OrderedDict()

    def forget(self) -> None:
        """All answers, unless one is being made: nobody has asked for a while. Does not block."""
        if self._turn.acquire(blocking=False):
            try:
                self._answers.clear()
            finally:
                self._turn.release()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returned for this key since the last change. Blocks; what `make` raises goes through, and nothing is kept."""
        with self._turn:
            # Asked before it is made: a change meanwhile makes it old at once, never young for too long.
            now = self._version()
            if now != self._made_at:
                self._answers.clear()
                self._made_at = now
            if key not in self._answers:
                self._answers[key] = make()
                if len(self._answers) > self._most:
                    self._answers.popitem(last=False)
            self._answers.move_to_end(key)
            return self._answers[key]
