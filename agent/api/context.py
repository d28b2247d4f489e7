"""What the API's routes work with, handed in by the root."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.api.auth import Auth
from agent.app.health import Health
from agent.app.lifecycle import App
from agent.app.previews import Previews
from agent.domain.image import FileSeen
from agent.i18n import Texts


class Desk(Protocol):
    """Where the UI shows itself. Implementations: the desktop's popup and browser, and none (headless)."""

    async def show_popup(self) -> None:
        """Raises NoDisplay or PopupFailed."""
        ...

    async def hide_popup(self) -> None: ...

    async def open_browser(self) -> None:
        """Raises NoDisplay."""
        ...


@dataclass(frozen=True)
class Context:
    app: App
    auth: Auth
    previews: Previews
    desk: Desk
    texts: Callable[[], Texts]
    walk: Callable[[tuple[str, ...]], Iterator[FileSeen]]  # the images below files and folders, for a scan
    quit: Callable[[], None]
    health: Health
    version: str
    ui: Path  # the built web app
