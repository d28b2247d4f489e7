"""Replaces a damaged library by its newest intact backup while the agent runs."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.domain.errors import AgentError, NotFound
from agent.infrastructure.store.backup import Backup, BackupStore, RestoreOffer
from agent.infrastructure.store.database import Database


@dataclass(frozen=True, slots=True)
class RestoreOutcome:
    """The last restore: the backup, or the error that left the library as it was."""

    number: int = 0  # of restores since the program started
    backup: Backup | None = None
    problem: AgentError | None = None


class LibraryRestore:
    """Offers the restore of a damaged library. All methods block."""

    def __init__(
        self,
        store: Callable[[], BackupStore],
        database: Database,
        *,
        damaged: Callable[[], bool],
        close: Callable[[str], None],
        last: RestoreOutcome,
    ) -> None:
        """`damaged` reads the whole library; `close` ends all work and restores the backup with that name."""
        self._store = store
        self._database = database
        self._damaged = damaged
        self._close = close
        self.last = last

    def offer(self) -> RestoreOffer | None:
        """None if the library is intact. Raises BackupMissing, BackupDamaged, KeyHomeError, StoreError."""
        return self._store().offer(self._database) if self._damaged() else None

    def begin(self, name: str) -> None:
        """Close the library and restore the backup `name`. Raises NotFound if the library is intact, and as `BackupStore.verify`."""
        if not self._damaged():
            raise NotFound
        store = self._store()
        store.verify(store.get(name))
        self._close(name)
