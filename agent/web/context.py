"""What the API's routes work with, handed in by the root."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from agent.core.i18n import Texts
from agent.core.settings import Folder, KeyHome, Settings
from agent.domain.image import FileSeen
from agent.library.onboarding import Beginning
from agent.library.previews import Previews
from agent.main.app import App
from agent.main.health import Health
from agent.people.drafts import Drafts
from agent.screen.region_picker import Picking
from agent.updates.service import Updates
from agent.web.auth import Auth


class Desk(Protocol):
    """Where the UI shows itself. Implementations: the desktop's popup and browser, and none (headless)."""

    async def show_popup(self) -> None:
        """Raises NoDisplay or PopupFailed."""
        ...

    async def hide_popup(self) -> None: ...

    async def open_browser(self, at: str) -> None:
        """At a place in the UI, such as `photo-12`. Raises NoDisplay."""
        ...

    async def show_file(self, path: str) -> None:
        """Show it in its folder. Raises NoDisplay."""
        ...

    async def open_file(self, path: str) -> None:
        """Open an image with the system's viewer. Raises NoDisplay."""
        ...

    async def edit_file(self, path: Path) -> None:
        """Open a text of ours with the user's editor. Raises NoDisplay."""
        ...

    async def choose_folder(self, title: str, language: str) -> str | None:
        """Ask the user with the system's dialog; None if it is dismissed. Raises NoDisplay or PopupFailed.

        `language` is what it speaks, where that is ours to say.
        """
        ...


class SettingsStore(Protocol):
    """The settings in force and the file they are kept in. Changes may block; refused, they raise SettingsError and write nothing.

    Implementation: `agent.core.config_file.SettingsFile`.
    """

    path: Path
    snapshot: Settings

    def overridden(self) -> frozenset[str]:
        """Settings that the environment has the last word on: `section.name`."""
        ...

    def ensure(self) -> Path:
        """The file, made empty if there is none yet."""
        ...

    def checked(self, key: str, value: object) -> object:
        """What would be written."""
        ...

    def put(self, key: str, value: object) -> Settings: ...

    def unset(self, key: str) -> Settings: ...

    def add_folder(self, folder: Path, switches: Mapping[str, object]) -> Settings: ...

    def change_folder(self, root: str, change: Mapping[str, object]) -> Settings:
        """Raises NotFound, as `remove_folder`."""
        ...

    def check_folder(self, root: str, change: Mapping[str, object]) -> None:
        """Raises what `change_folder` would."""
        ...

    def remove_folder(self, root: str) -> Settings: ...


@dataclass(frozen=True)
class Places:
    """Where the program keeps its files."""

    data: Path = Path()  # the library and the models
    logs: Path = Path()


@dataclass(frozen=True)
class Context:
    app: App
    auth: Auth
    previews: Previews
    desk: Desk
    picking: Picking
    settings: SettingsStore
    move_key: Callable[[KeyHome], None]  # writes `library.key_home`; blocks; raises KeyHomeError, StoreError or SettingsError
    recovery_code: Callable[[], str]  # blocks; raises KeyHomeError or StoreError
    beginning: Beginning
    suggested: Callable[[], tuple[str, ...]]  # folders that a new user may mean; blocks
    texts: Callable[[], Texts]
    walk: Callable[[tuple[str, ...], Folder | None], Iterator[FileSeen]]  # the images below files and folders, by a folder's rules
    remote: Callable[[str], bool]  # whether a folder lies on a network drive; blocks
    quit: Callable[[], None]
    health: Health
    version: str
    ui: Path  # the built web app
    help: Path  # the pages of the guide, as the UI's build made them
    drafts: Drafts = field(default_factory=Drafts)
    updates: Updates = field(default_factory=Updates.none)
    places: Places = field(default_factory=Places)
