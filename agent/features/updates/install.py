"""Installs a new version so that a kill at any line leaves either the old program with its library or the new one with its own.

The old program tries the new one before replacing itself; the journal records the progress, and `end` completes an interrupted run.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import structlog

from agent.domain.errors import AgentError, UpdateNotReady, UpdateRolledBack, UpdateWrongFile
from agent.features.updates.download import is_whole
from agent.features.updates.install_journal import InstallJournal, JournalFile, Phase
from agent.features.updates.install_places import InstallPlace
from agent.features.updates.library_care import LibraryCare
from agent.features.updates.memory import MemoryFile, Offer, ToldError
from agent.features.updates.releases import ReleaseFile
from agent.features.updates.updater import MOST_ATTEMPTS

log = structlog.get_logger()

MOST_STARTS = 3  # of a new version that never ran long enough to be kept


class Installation:
    """Installs updates of one program, `installed` being its version. `alone` holds the instance's lock and raises LifecycleError."""

    def __init__(
        self,
        *,
        installed: str,
        journal: JournalFile,
        memory: MemoryFile,
        care: LibraryCare,
        place: Callable[[str], InstallPlace | None],
        health_check: Callable[[InstallPlace, str], bool],
        alone: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`place` is where the version is installed; `health_check` starts the staged version, checks it and ends it again."""
        self._installed = installed
        self._journal = journal
        self._memory = memory
        self._care = care
        self._place = place
        self._comes_up = health_check
        self._alone = alone

    def install(self, offer: Offer, file: Path) -> InstallPlace:
        """Try the new version and put it in place. Raises UpdateError (without any change), StoreError, KeyHomeError, LifecycleError.

        UpdateRolledBack: it did not start, and everything is as before.
        """
        place = self._place(offer.version)
        if place is None or offer.file is None:
            raise UpdateNotReady
        with self._alone():
            if not is_whole(file, ReleaseFile(**offer.file.model_dump())):
                file.unlink(missing_ok=True)
                raise UpdateWrongFile
            place.stage(file)
            backup, revision = self._care.copy()
            journal = self._journal.write(
                InstallJournal(phase=Phase.TRIAL, version=offer.version, before=self._installed, revision=revision, backup=backup)
            )
        log.info("update.trial", version=offer.version)
        came_up = self._comes_up(place, offer.version)
        with self._alone():
            if not (came_up and self._care.sound()):
                self._give_up(journal, place)
                raise UpdateRolledBack(version=offer.version)
            self._forwards(self._journal.write(journal.model_copy(update={"phase": Phase.PROVEN})), place)
            file.unlink(missing_ok=True)
        return place

    def end(self) -> InstallPlace | None:
        """Complete an interrupted installation, with the instance's lock held. Returns the place to start instead of this program, if any.

        Raises OSError, StoreError, KeyHomeError: the next start then tries again.
        """
        journal = self._journal.read()
        place = self._place(journal.version) if journal else None
        if journal is None or place is None:
            return None
        here = journal.version == self._installed
        if journal.phase in (Phase.TRIAL, Phase.BACK):
            self._back(journal, place, attempts=1 if journal.phase is Phase.TRIAL else MOST_ATTEMPTS)
            return place if here else None
        if not here and not place.at_once:
            self._back(journal, place, attempts=1)  # its installer failed: it was stopped, or could not write
            return None
        if journal.phase is Phase.PROVEN:
            self._forwards(journal, place)
            return None if here else place
        if not here:
            return place if journal.before == self._installed else None  # the old one, started in the middle of the swap
        if journal.starts < MOST_STARTS or not place.at_once:
            self._journal.write(journal.model_copy(update={"starts": journal.starts + 1}))
            return None
        self._give_up(journal, place)
        return place

    def settle(self) -> None:
        """Delete the previous version: this one has run long enough for its user. Raises OSError, StoreError."""
        journal = self._journal.read()
        if journal is None or journal.phase is not Phase.SWAPPED or journal.version != self._installed:
            return
        place = self._place(journal.version)
        if place is not None:
            place.settle()
        with suppress(AgentError):
            self._care.drop(journal.backup)
        self._journal.clear()

    def _forwards(self, journal: InstallJournal, place: InstallPlace) -> None:
        place.swap()
        self._memory.change(offer=None, outcome=None, problem=None)
        self._journal.write(journal.model_copy(update={"phase": Phase.SWAPPED}))
        log.info("update.installed", version=journal.version)

    def _give_up(self, journal: InstallJournal, place: InstallPlace) -> None:
        self._back(self._journal.write(journal.model_copy(update={"phase": Phase.BACK})), place, attempts=MOST_ATTEMPTS)

    def _back(self, journal: InstallJournal, place: InstallPlace, *, attempts: int) -> None:
        """Roll back; `attempts` is how many this one counts for: an interrupted one may be tried again."""
        put_back = self._care.put_back(journal.backup, journal.revision)
        place.undo()
        memory = self._memory.read()
        tried = memory.given_up.get(journal.version, 0) + attempts
        told = ToldError.of(UpdateRolledBack(version=journal.version)) if tried >= MOST_ATTEMPTS else memory.outcome
        self._memory.change(given_up={**memory.given_up, journal.version: tried}, outcome=told)
        self._journal.clear()
        log.warning("update.rolled_back", version=journal.version, library=put_back)
