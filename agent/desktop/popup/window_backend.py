"""Window functions that the popup needs beyond pywebview's: showing without taking the focus, and blocking foreign pages."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from agent.desktop.popup.picker_shell import Picker
from agent.infrastructure.core.settings import Corner

WIDTH, HEIGHT = 380, 520
LOAD_S = 15.0


class Shell(Protocol):
    """Called from the thread that serves requests, never from the window system's own."""

    def load(self, url: str) -> bool:
        """Load a page into the window, shown or hidden; returns whether it loaded."""
        ...

    def present(self, corner: Corner) -> None:
        """Show the window in its corner, above the others, without taking their focus."""
        ...

    def conceal(self) -> None: ...

    def picker(self) -> Picker:
        """The windows in which a region of the screen is chosen; always the same object."""
        ...

    def choose_folder(self, title: str, language: str, chosen: Callable[[str | None], None]) -> None:
        """Open the system's folder dialog and return; `chosen` receives the path, None if it was dismissed.

        `language` is the program's; a native dialog uses the system's.
        """
        ...


def is_ours(url: str) -> bool:
    """Whether a page comes from the agent on this machine; no other page is ever shown in the window."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
