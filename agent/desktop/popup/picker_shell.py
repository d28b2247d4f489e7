"""The windows of the region picker: one over each monitor, loaded and filled while hidden, then shown all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.desktop.system.work_area import Rect


@dataclass(frozen=True, slots=True)
class PickerPane:
    """One window to fill."""

    rect: Rect  # of its monitor, in the window system's own unit
    at: str  # the page's fragment


class Picker(Protocol):
    """Called from the thread that serves requests."""

    def warm(self, url: str) -> bool:
        """Load the page while hidden; returns whether it loaded."""
        ...

    def fill(self, panes: Sequence[PickerPane]) -> None:
        """Tell each window's page what to show, while hidden."""
        ...

    def reveal(self) -> None:
        """Show the windows above all others, with keyboard focus in the one under the pointer."""
        ...

    def conceal(self) -> None:
        """Hide them, and have their pages clear their content."""
        ...
