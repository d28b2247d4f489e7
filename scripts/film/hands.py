"""Moves the real pointer of an X display like a hand, so that viewers can follow it."""

import contextlib
import time
from collections.abc import Iterator

from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest

_STEP_S = 0.02
_PIXELS_A_SECOND = 900
_PAUSE_S = 0.25


class Hand:
    """The pointer of a display."""

    def __init__(self, display: Display) -> None:
        self._display = display

    def move(self, x: int, y: int) -> None:
        """Move along a straight line, slowly at its ends."""
        pointer = self._display.screen().root.query_pointer()
        from_x, from_y = pointer.root_x, pointer.root_y
        distance = ((x - from_x) ** 2 + (y - from_y) ** 2) ** 0.5
        steps = max(2, int(distance / _PIXELS_A_SECOND / _STEP_S))
        for step in range(1, steps + 1):
            part = step / steps
            eased = part * part * (3 - 2 * part)
            self._to(round(from_x + (x - from_x) * eased), round(from_y + (y - from_y) * eased))
            time.sleep(_STEP_S)

    def click(self) -> None:
        time.sleep(_PAUSE_S)
        self._button(X.ButtonPress)
        time.sleep(0.08)
        self._button(X.ButtonRelease)

    @contextlib.contextmanager
    def dragging(self) -> Iterator[None]:
        """Hold the button during the block."""
        self._button(X.ButtonPress)
        yield
        self._button(X.ButtonRelease)

    def _to(self, x: int, y: int) -> None:
        xtest.fake_input(self._display, X.MotionNotify, x=x, y=y)
        self._display.sync()

    def _button(self, event: int) -> None:
        xtest.fake_input(self._display, event, 1)
        self._display.sync()


@contextlib.contextmanager
def hand(display: str) -> Iterator[Hand]:
    """Yield the pointer of the named display for the duration of the block."""
    opened = Display(display)
    try:
        yield Hand(opened)
    finally:
        opened.close()
