"""Where the program keeps what: five folders of the platform, or one folder of the user's choice."""

import os
import stat
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from agent.core.files import store_error
from agent.domain.errors import StoreUnwritable

APP = "ai-popup"
HOME_VARIABLE = "AI_POPUP_HOME"


@dataclass(frozen=True, slots=True)
class AppPaths:
    """Folders; `create` makes them, for the owner's eyes only."""

    config: Path
    data: Path
    cache: Path
    runtime: Path
    logs: Path

    @classmethod
    def find(cls, environ: Mapping[str, str] = os.environ) -> "AppPaths":
        """The platform's folders, or all below `AI_POPUP_HOME`: a library, settings and an instance of its own. Nothing is created."""
        if home := environ.get(HOME_VARIABLE):
            root = Path(os.path.expanduser(home)).absolute()  # noqa: PTH111  # pathlib fails where "~" is nobody's
            return cls(root / "config", root / "data", root / "cache", root / "run", root / "logs")
        from platformdirs import PlatformDirs

        dirs = PlatformDirs(APP, appauthor=False, roaming=False)
        return cls(
            dirs.user_config_path,
            dirs.user_data_path,
            dirs.user_cache_path,
            _runtime(environ) or dirs.user_data_path / "run",
            dirs.user_log_path,
        )

    @property
    def library(self) -> Path:
        """The folder of the encrypted library and its keys."""
        return self.data / "library"

    @property
    def keys(self) -> Path:
        """The folder of key files, for machines without a keyring."""
        return self.config / "keys"

    @property
    def updates(self) -> Path:
        """The folder of what is remembered of updates."""
        return self.data / "updates"

    @property
    def downloads(self) -> Path:
        """The folder of downloaded updates."""
        return self.cache / "updates"

    @property
    def lock(self) -> Path:
        """Held by the one instance that may use the library. Beside it, for sessions that share a home have a runtime folder each."""
        return self.data / "agent.lock"

    @property
    def command_lock(self) -> Path:
        """Held as well where that instance is a command, not the agent."""
        return self.data / "command.lock"

    @property
    def settings(self) -> Path:
        """The user's settings file."""
        return self.config / "settings.toml"

    def create(self) -> "AppPaths":
        """Make the folders that are missing and check that they are ours alone. Raises StoreUnwritable, StoreDiskFull."""
        for folder in astuple(self):
            make_private(folder)
        return self


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can enter. Raises StoreUnwritable if it can't be made or is somebody else's, StoreDiskFull."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix":
            facts = folder.stat()
            if facts.st_uid != os.geteuid():
                raise StoreUnwritable
            if stat.S_IMODE(facts.st_mode) & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise store_error(error) from error


def _runtime(environ: Mapping[str, str]) -> Path | None:
    """The session's own folder, which the system empties at log-out; None if there is none that is safe (it is remote-settable by `su`)."""
    named = environ.get("XDG_RUNTIME_DIR")
    if os.name != "posix" or not named:
        return None
    try:
        facts = Path(named).stat()
    except OSError:
        return None
    safe = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and not stat.S_IMODE(facts.st_mode) & 0o077
    return Path(named) / APP if safe else None
