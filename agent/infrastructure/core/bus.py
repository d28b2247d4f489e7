"""Delivers recorded events to listeners, in the event loop, in the order they were recorded."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from agent.domain.events import StoredEvent

Listener: TypeAlias = Callable[[StoredEvent], None]


class Bus:
    """Listeners are plain callables: they take note and return, and never publish. Use it from the event loop only."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def publish(self, events: Iterable[StoredEvent]) -> None:
        """Publish the events, after the transaction that recorded them."""
        for event in events:
            for listener in tuple(self._listeners):
                listener(event)

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
