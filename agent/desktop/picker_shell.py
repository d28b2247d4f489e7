"""What chooses a region needs of windows: one over each monitor, loaded and filled unseen, then shown all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.desktop.work_area import Rect


@dataclass(frozen=True, slots=True)
class PickerPane:
    """One window to fill."""

    rect: Rect  # of its monitor, in the window system's own unit
    at: str  # what the page is told, as its fragment


class Picker(Protocol):
    """Called from the thread that serves requests."""

    def warm(self, url: str) -> bool:
        """Load the page, unseen; whether it came."""
        ...

    def fill(self, panes: Sequence[PickerPane]) -> None:
        """Tell each window's page what it is to show, unseen."""
        ...

    def reveal(self) -> None:
        """Show them over everything, with the keyboard in the one under the pointer."""
        ...

    def conceal(self) -> None:
        """Hide them, and have their pages forget what they showed."""
        ...
