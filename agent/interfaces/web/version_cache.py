"""Caches slow responses as long as the library is unchanged, for each reach of requests its own."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from agent.infrastructure.core.access_scope import current_scope

T = TypeVar("T")


class VersionedCache(Generic[T]):
    """Thread-safe: concurrent callers wait for an answer in progress instead of computing it twice."""

    def __init__(self, version: Callable[[], int], most: int) -> None:
        """`version` returns a number that changes after every change; the `most` most recently used answers are kept."""
        self._version = version
        self._most = most
        self._turn = threading.Lock()
        self._made_at = -1
        self._answers: OrderedDict[Hashable, T] = OrderedDict()

    def forget(self) -> None:
        """Drop all answers, unless one is being computed: they have not been used for a while. Does not block."""
        if self._turn.acquire(blocking=False):
            try:
                self._answers.clear()
            finally:
                self._turn.release()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result of `make` for this key since the last change. Blocks; errors of `make` propagate, and then no answer is kept."""
        key = (current_scope(), key)
        with self._turn:
            # The version is read first: a change during `make` makes the answer outdated at once, instead of valid for too long.
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
