"""Waits for slow responses without a time limit, as long as the agent answers other requests."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

SILENCE_S = 2.5  # silence after which the agent is asked whether it is still running
_WAITING = 256  # lines read ahead


def iterate_with_liveness_check(source: Callable[[], Iterable[T]], ask: Callable[[], object]) -> Iterator[T]:
    """Yield the items of `source`. Raises its errors, and those of `ask`, which is called at each silence.

    `source` is read in a separate thread, because a blocking read can't be interrupted. When the caller stops reading, it is closed
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
        except Exception as error:  # raised in the waiting caller
            self.error = error
        self._tell(None)

    def _tell(self, item: tuple[T] | None) -> None:
        while not self.stopped.is_set():
            try:
                self.told.put(item, timeout=SILENCE_S)
            except queue.Full:
                continue
            return
