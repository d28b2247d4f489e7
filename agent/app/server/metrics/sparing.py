"""Asks a question that costs something no more often than its cost allows."""

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from agent.domain.errors import StoreError
from agent.infrastructure.core.coalescing import SingleFlight

T = TypeVar("T")

LEAST_S: Final = 10.0
LIMIT_S: Final = 3.0  # a database that hangs must not hang what tells of it
RETRY_S: Final = 1.0
SHARE: Final = 100  # of the time, one part in so many is spent on it at most


class CostLimitedCache(Generic[T]):
    """Remembers the last answer; None while there is none. `took_s` is what it cost, `failed` whether the last attempt did."""

    def __init__(self, ask: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._call = SingleFlight(ask, LIMIT_S)
        self._clock = clock
        self._next = float("-inf")
        self._turn = threading.Lock()
        self.answer: T | None = None
        self.took_s = 0.0
        self.failed = False

    def get(self) -> T | None:
        """Blocks for `LIMIT_S` at most. After an error the last answer is no longer one."""
        with self._turn:
            began = self._clock()
            if began < self._next:
                return self.answer
            try:
                self.answer, self.failed = self._call.get(), False
            except (StoreError, TimeoutError):
                self.answer, self.failed = None, True
            self.took_s = self._clock() - began
            self._next = self._clock() + (RETRY_S if self.failed else max(LEAST_S, SHARE * self.took_s))
            return self.answer
