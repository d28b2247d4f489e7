"""The port through which routes show the UI, and the desk of a server, which has none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from agent.domain.errors import NoDisplay


class UiPort(Protocol):
    """Shows the UI. Implementations: the desktop's popup and browser, and none (headless)."""

    async def show_popup(self) -> None:
        """Show the popup. Raises NoDisplay or PopupFailed."""
        ...

    async def hide_popup(self) -> None: ...

    async def open_browser(self, at: str) -> None:
        """Open a place in the UI, such as `photo-12`. Raises NoDisplay or NothingOpens."""
        ...

    async def show_file(self, path: str) -> None:
        """Show the file in its folder. Raises NoDisplay or NothingOpens."""
        ...

    async def open_file(self, path: str) -> None:
        """Open an image with the system's viewer. Raises NoDisplay or NothingOpens."""
        ...

    async def edit_file(self, path: Path) -> None:
        """Open one of our text files in the user's editor. Raises NoDisplay or NothingOpens."""
        ...

    async def choose_folder(self, title: str, language: str) -> str | None:
        """Ask the user with the system's dialog; None if it is dismissed. Raises NoDisplay or PopupFailed.

        `language` applies to dialogs that are not the system's own.
        """
        ...


class HeadlessUi:
    """Implements `UiPort` and the windows of the region picker."""

    picker_alive = False

    async def show_popup(self) -> None:
        raise NoDisplay

    async def hide_popup(self) -> None:
        """There is none."""

    async def open_browser(self, at: str) -> None:
        raise NoDisplay

    async def show_file(self, path: str) -> None:
        raise NoDisplay

    async def open_file(self, path: str) -> None:
        raise NoDisplay

    async def edit_file(self, path: Path) -> None:
        raise NoDisplay

    async def choose_folder(self, title: str, language: str) -> str | None:
        raise NoDisplay

    async def warm_picker(self) -> None:
        raise NoDisplay

    async def open_picker(self, panes: Sequence[object]) -> None:
        raise NoDisplay

    async def reveal_picker(self) -> None:
        raise NoDisplay

    async def close_picker(self) -> None:
        """There is none."""
