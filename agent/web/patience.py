"""Waits as long as an answer takes, but only while the agent answers other questions: the one rule for all that takes long."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

SILENCE_S = 5.0  # without a word, before the agent is asked whether it is still there
_WAITING = 256  # lines read ahead


def patiently(source: Callable[[], Iterable[T]], ask: Callable[[], object]) -> Iterator[T]:
    """Yield what `source` yields. Raises what it raises, and what `ask` raises, which is called at each silence.

    `source` is read in a thread of its own, because a read that blocks can't be interrupted. When the caller stops listening, it is closed
    after its next item, or with the process.
    """
    reader = _Reader(source)
    threading.Thread(target=reader.run, name="patience", daemon=True).start()
    try:
        while True:
            try:
                item = reader.told.get(timeout=SILENCE_S)
            except queue.Empty:
                ask()
                continue
            if item is None:
                break
            yield item[0]
    finally:
        reader.stopped.set()
    if reader.error is not None:
        raise reader.error


class _Reader(Generic[T]):
    def __init__(self, source: Callable[[], Iterable[T]]) -> None:
        self._source = source
        self.told: queue.Queue[tuple[T] | None] = queue.Queue(_WAITING)
        self.stopped = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            for each in self._source():
                self._tell((each,))
                if self.stopped.is_set():
                    return
        except Exception as error:  # raised where the caller waits
            self.error = error
        self._tell(None)

    def _tell(self, item: tuple[T] | None) -> None:
        while not self.stopped.is_set():
            try:
                self.told.put(item, timeout=SILENCE_S)
            except queue.Full:
                continue
            return
