"""The program's folders: five standard folders of the platform, or one folder of the user's choice."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from agent.domain.errors import StoreUnwritable
from agent.infrastructure.core.files import store_error

APP = "ai-popup"
HOME_VARIABLE = "AI_POPUP_HOME"
INSTANCE_VARIABLE = "AI_POPUP_INSTANCE"
_INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
SERVER_FOLDER = "postgres"  # in the data folder: a team server's own database


@dataclass(frozen=True, slots=True)
class AppPaths:
    """The folders; `create` creates them, for the owner only."""

    config: Path
    data: Path
    cache: Path
    runtime: Path
    logs: Path

    @classmethod
    def find(cls, environ: Mapping[str, str] = os.environ) -> "AppPaths":
        """Return the platform's folders, or all below `AI_POPUP_HOME`: a separate library, settings and instance. Creates nothing.

        Servers that share a library and its settings have names of their own, `AI_POPUP_INSTANCE`, and by them their own cache, runtime
        and log folders.
        """
        return cls._of_all(environ)._named(instance_name(environ))

    def _named(self, instance: str) -> "AppPaths":
        """Raises StoreUnwritable if the name is no name of a folder."""
        if not instance:
            return self
        if not _INSTANCE.fullmatch(instance):
            raise StoreUnwritable
        return replace(self, cache=self.cache / instance, runtime=self.runtime / instance, logs=self.logs / instance)

    @classmethod
    def _of_all(cls, environ: Mapping[str, str]) -> "AppPaths":
        if home := environ.get(HOME_VARIABLE):
            root = Path(os.path.expanduser(home)).absolute()  # noqa: PTH111  # pathlib fails if "~" has no owner
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
        """Return the folder of the encrypted library and its keys."""
        return self.data / "library"

    @property
    def keys(self) -> Path:
        """Return the folder of key files, for machines without a keyring."""
        return self.config / "keys"

    @property
    def updates(self) -> Path:
        """Return the folder of the update state."""
        return self.data / "updates"

    @property
    def downloads(self) -> Path:
        """Return the folder of downloaded updates."""
        return self.cache / "updates"

    @property
    def lock(self) -> Path:
        """Return the lock of the one instance that may use the library: in the home, because sessions have separate runtime folders."""
        return self.data / "agent.lock"

    @property
    def instance_lock(self) -> Path:
        """Return the lock of one of several servers that share the library."""
        return self.runtime / "instance.lock"

    @property
    def command_lock(self) -> Path:
        """Return the additional lock of an instance that is a command, not the agent."""
        return self.data / "command.lock"

    @property
    def settings(self) -> Path:
        """Return the user's settings file."""
        return self.config / "settings.toml"

    @property
    def settings_copy(self) -> Path:
        """Return the copy of the last valid settings: it goes where the library goes, also to another computer."""
        return self.data / "settings-copy.toml"

    def create(self) -> "AppPaths":
        """Create missing folders and check that they are private. Raises StoreUnwritable, StoreDiskFull."""
        for folder in astuple(self):
            make_private(folder)
        return self


def instance_name(environ: Mapping[str, str] = os.environ) -> str:
    """Return the name of this one of several servers; empty without one."""
    return environ.get(INSTANCE_VARIABLE, "")


def make_private(folder: Path) -> None:
    """Create a folder that only its owner can enter. Raises StoreUnwritable if it fails or belongs to another user, StoreDiskFull."""
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
    """Return the session's own folder, which the system empties at log-out; None if none is safe (`su` can leave another user's)."""
    named = environ.get("XDG_RUNTIME_DIR")
    if os.name != "posix" or not named:
        return None
    try:
        facts = Path(named).stat()
    except OSError:
        return None
    safe = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and not stat.S_IMODE(facts.st_mode) & 0o077
    return Path(named) / APP if safe else None
