"""The desk of a server: it has none."""

from collections.abc import Sequence
from pathlib import Path

from agent.domain.errors import NoDisplay


class NoDesk:
    """Implements `DeskPort` and the windows of the region picker."""

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
