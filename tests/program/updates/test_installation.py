"""An installation ends in one of two states: the old program with its library, or the new one with its own. Files and library are real.

The programs are stand-ins: files whose content is their version. `test_handover.py` starts real ones.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from agent.domain.errors import UpdateRolledBack, UpdateUnwritable, UpdateWrongFile
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.features.updates.install import MOST_STARTS, Installation
from agent.features.updates.install_journal import JournalFile, Phase
from agent.features.updates.install_places import AppImagePlace, InstallPlace
from agent.features.updates.library_care import LibraryCare
from agent.features.updates.manifest import FileEntry
from agent.features.updates.memory import MemoryFile, Offer
from agent.features.updates.updater import MOST_ATTEMPTS
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.migrator import revision_of
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.schema import REVISION
from agent.infrastructure.store.secret_stores import FileSecretStore

OLD, NEW = "0.1.0", "0.2.0"
LATER = "9999"  # the new version's schema


class Killed(BaseException):
    """As by `kill -9`: nothing is done any more, not even cleaning up."""


class Machine:
    """A program, its library with a row in it, and the download of a newer one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.program = root / "apps" / "AI-Popup.AppImage"
        self.program.parent.mkdir(parents=True)
        self.program.write_text(OLD)
        self.program.chmod(0o755)
        self.folder = root / "library"
        self.home = FileSecretStore(root / "keys")
        library = RedactionQueries(open_library(self.folder, self.home))
        library.set_flags({"mine": 7})
        library.database.close()
        self.download = root / "downloads" / "AI-Popup-new.AppImage"
        self.download.parent.mkdir()
        self.download.write_text(NEW)
        self.memory = MemoryFile(root / "updates")
        self.journal = JournalFile(root / "updates")
        self.trials = 0

    @property
    def version(self) -> str:
        return self.program.read_text()

    @property
    def revision(self) -> str | None:
        return revision_of(self.folder / "library.db", LibraryKeys(self.folder, self.home).unlock())

    def migrate(self) -> bool:
        """What the new version makes of the library; it is well then."""
        database = Database.in_file(self.folder / "library.db", LibraryKeys(self.folder, self.home).unlock())
        with database.write() as tx:
            tx.execute(text("CREATE TABLE novelty (id INTEGER)"))
            tx.execute(text("UPDATE alembic_version SET version_num = :later"), {"later": LATER})
        database.close()
        return True

    def place(self) -> InstallPlace:
        return AppImagePlace(self.program)

    def installation(self, health_check: Callable[[], bool] = lambda: False) -> Installation:
        """Of the program that lies there now."""

        def trial(place: InstallPlace, version: str) -> bool:
            self.trials += 1
            assert Path(place.staged_command[0]).read_text() == version == NEW
            assert os.access(place.staged_command[0], os.X_OK)
            return health_check()

        return Installation(
            installed=self.version,
            journal=self.journal,
            memory=self.memory,
            care=LibraryCare(self.folder, self.home, keep=3, clock=lambda: datetime.now(UTC)),
            place=lambda version: self.place(),
            health_check=trial,
            alone=nullcontext,
        )

    def install(self, health_check: Callable[[], bool]) -> None:
        content = self.download.read_bytes()
        entry = FileEntry(
            kind="appimage",
            platform="linux-x86_64",
            address="https://example.org/AI-Popup-new.AppImage",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        offer = Offer(version=NEW, channel="stable", file=entry)
        self.memory.change(offer=offer)
        self.installation(health_check).install(offer, self.download)

    def start(self) -> str:
        """Start what lies there until it stays; gives its version."""
        for _ in range(4):
            place = self.installation().end()
            if place is None:
                return self.version
        raise AssertionError("it never stays")

    def check(self) -> str:
        """One of the two states, with all that the user said."""
        version = self.version
        assert self.revision == (REVISION if version == OLD else LATER)
        if version == OLD:
            library = RedactionQueries(open_library(self.folder, self.home))
            assert library.note("mine") == 7
            library.database.close()
        return version


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_version_that_comes_up_takes_the_place_and_the_old_one_waits(machine: Machine) -> None:
    def health_check() -> bool:
        assert machine.version == OLD, "the old one stays until the new one is known to live"
        machine.migrate()
        return True

    machine.install(health_check)
    assert machine.start() == machine.check() == NEW
    assert not machine.download.exists()
    kept = machine.program.with_name(".AI-Popup.AppImage.old")
    assert kept.read_text() == OLD
    machine.installation().settle()
    assert not kept.exists() and machine.journal.read() is None
    assert [path.name for path in machine.program.parent.iterdir()] == [machine.program.name]


def test_a_version_that_does_not_come_up_never_lay_there(machine: Machine) -> None:
    with pytest.raises(UpdateRolledBack):
        machine.install(lambda: False)
    assert machine.start() == machine.check() == OLD
    assert [path.name for path in machine.program.parent.iterdir()] == [machine.program.name]
    assert not list(machine.folder.glob("newer-*")), "a library that was not changed is not copied aside"


def test_a_version_that_migrates_and_fails_is_taken_back_with_its_library_and_that_is_kept(machine: Machine) -> None:
    def fails() -> bool:
        machine.migrate()
        return False

    with pytest.raises(UpdateRolledBack):
        machine.install(fails)
    assert machine.start() == machine.check() == OLD
    [aside] = machine.folder.glob("newer-*")
    assert revision_of(aside / "library.db", LibraryKeys(machine.folder, machine.home).unlock()) == LATER
    memory = machine.memory.read()
    assert memory.outcome is not None and memory.outcome.error().params == {"version": NEW}
    assert memory.given_up[NEW] >= MOST_ATTEMPTS


def test_a_version_that_damages_the_library_is_taken_back_also_when_it_says_it_is_well(machine: Machine) -> None:
    def damages() -> bool:
        path = machine.folder / "library.db"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 255
        path.write_bytes(content)
        return True

    with pytest.raises(UpdateRolledBack):
        machine.install(damages)
    assert machine.start() == machine.check() == OLD


def test_a_version_that_never_runs_for_long_is_taken_back_after_some_starts(machine: Machine) -> None:
    machine.install(machine.migrate)
    for _ in range(MOST_STARTS):
        assert machine.installation().end() is None
        assert machine.check() == NEW
    assert machine.start() == machine.check() == OLD
    assert machine.memory.read().outcome is not None


def test_a_file_that_changed_since_its_download_is_not_even_tried(machine: Machine) -> None:
    entry = FileEntry(kind="appimage", platform="linux-x86_64", address="https://example.org/a/b", size=5, sha256="0" * 64)
    with pytest.raises(UpdateWrongFile):
        machine.installation().install(Offer(version=NEW, channel="stable", file=entry), machine.download)
    assert machine.trials == 0 and not machine.download.exists() and machine.check() == OLD


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX")
def test_a_place_that_can_not_be_written_is_said(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr("agent.features.updates.install_places.copy_to_new", refused)
    with pytest.raises(UpdateUnwritable):
        machine.install(lambda: True)
    assert machine.trials == 0 and machine.start() == machine.check() == OLD


# -- kills ----------------------------------------------------------------------------------------------------------------------------

# Whatever changes a file or a folder for others to see goes through one of these.
STEPS = [(Path, "replace"), (Path, "rename"), (Path, "unlink"), (os, "link"), (os, "fsync"), (shutil, "copyfileobj"), (shutil, "copy2")]


@contextmanager
def killed_at(number: int) -> Iterator[list[int]]:
    """Inside, the process dies before its step of that number; gives how many there were."""
    made = [0]

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **named: Any) -> Any:
            made[0] += 1
            if made[0] >= number:
                raise Killed
            return real(*args, **named)

        return step

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in STEPS:
            patch.setattr(owner, name, deadly(getattr(owner, name)))
        yield made


def goes_well(machine: Machine) -> None:
    machine.install(machine.migrate)
    machine.installation().end()
    machine.installation().settle()


def fails_late(machine: Machine) -> None:
    with suppress(UpdateRolledBack):
        machine.install(lambda: not machine.migrate())


def never_stays(machine: Machine) -> None:
    machine.install(machine.migrate)
    for _ in range(MOST_STARTS + 1):
        machine.installation().end()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("story", [goes_well, fails_late, never_stays])
def test_a_kill_at_any_step_leaves_one_of_the_two_states(tmp_path: Path, story: Callable[[Machine], None]) -> None:
    whole = Machine(tmp_path / "whole")
    with killed_at(10**9) as made:
        story(whole)
    ends = set()
    for number in range(1, made[0] + 1):
        shutil.rmtree(tmp_path / "cut", ignore_errors=True)
        machine = Machine(tmp_path / "cut")
        with suppress(Killed), killed_at(number):
            story(machine)
        version = machine.start()
        assert version == machine.check(), f"step {number}"
        journal = machine.journal.read()
        assert journal is None or (journal.phase is Phase.SWAPPED and version == NEW), f"step {number}"
        ends.add(version)
    assert ends == ({OLD} if story is fails_late else {OLD, NEW})
