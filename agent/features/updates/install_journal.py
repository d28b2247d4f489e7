"""Records the progress of an installation on disk, so that the next start after a kill can complete it."""

from enum import StrEnum
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from agent.infrastructure.core.files import sync_folder, write_private
from agent.infrastructure.core.paths import AppPaths, make_private

log = structlog.get_logger()

JOURNAL_FILE = "install.json"


def waits(paths: AppPaths) -> bool:
    """Whether there may be work before a start or after a quit: a cheap check, usually False."""
    return (paths.updates / JOURNAL_FILE).exists() or any(paths.downloads.glob("*"))


class Phase(StrEnum):
    TRIAL = "trial"  # the new version may have changed the library; the program is the old one: roll back
    PROVEN = "proven"  # it started: complete the installation
    BACK = "back"  # it did not start: roll back, and don't retry automatically
    SWAPPED = "swapped"  # it is in place; the old one is kept until the new one has run long enough


class InstallJournal(BaseModel):
    model_config = ConfigDict(frozen=True)

    phase: Phase
    version: str  # the new one
    before: str  # the old one
    revision: str | None  # of the library before; None if there was none
    backup: str | None  # its backup's name
    starts: int = 0  # of the new one since it was put in place


class JournalFile:
    """The file in `folder`; write it with the instance's lock held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / JOURNAL_FILE

    def read(self) -> InstallJournal | None:
        try:
            return InstallJournal.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            log.error("updates.journal_unreadable")
            return None

    def write(self, journal: InstallJournal) -> InstallJournal:
        """Write the journal; it is on disk when the call returns. Raises OSError, StoreError."""
        make_private(self._folder)
        write_private(self.path, journal.model_dump_json(indent=1).encode())
        return journal

    def clear(self) -> None:
        """Delete the journal. Raises OSError."""
        self.path.unlink(missing_ok=True)
        sync_folder(self._folder)
