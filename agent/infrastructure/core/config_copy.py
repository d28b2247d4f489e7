"""The last valid settings, kept beside the library in case the settings file is lost."""

from pathlib import Path

import structlog

from agent.infrastructure.core.files import write_private

log = structlog.get_logger()


class SettingsCopy:
    """A copy of the settings file's text. Without the folder it is in, or write access there, nothing is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def exists(self) -> bool:
        """Whether there is one: commands update it, but only the agent and a server begin it."""
        return self._path.exists()

    def read(self) -> bytes:
        """Return the kept text; empty without one."""
        try:
            return self._path.read_bytes()
        except OSError:
            return b""

    def write(self, text: bytes) -> None:
        """Keep this text instead."""
        if self.read() == text:
            return
        try:
            write_private(self._path, text)
        except OSError as error:
            log.warning("settings.not_copied", reason=type(error).__name__)
