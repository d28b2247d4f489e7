"""Signals and observable values: how a service tells what is above it, without knowing it. For use in one event loop."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def wait_at_most(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event, but not longer than `seconds`; None: as long as it takes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def wait_for_any(events: Collection[asyncio.Event], seconds: float) -> None:
    """Wait for one of the events, but not longer than `seconds`."""
    waiting = [asyncio.create_task(each.wait()) for each in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


async def first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them is over; the others are cancelled."""
    waiting = [asyncio.create_task(each) for each in waits]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


class Signal(Generic[T]):
    """Calls its subscribers with each value that is sent, in the order in which they subscribed. Subscribers note it and return."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[T], object]] = []

    def subscribe(self, subscriber: Callable[[T], object]) -> Callable[[], None]:
        """Return the function that ends the subscription."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def send(self, value: T) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber(value)


class ChangeSignal(Signal[None]):
    """A signal without a value: its subscribers look for themselves."""

    def notify(self) -> None:
        self.send(None)


class Observable(Signal[T]):
    """A value that can be read at any time, and that is sent when it becomes another."""

    def __init__(self, value: T) -> None:
        super().__init__()
        self._value = value

    @property
    def value(self) -> T:
        return self._value

    def set(self, value: T) -> None:
        if value != self._value:
            self._value = value
            self.send(value)
