"""Where an installer puts the new version in its place after the old program has ended: tried before, and taken back all the same.

The library is real; the installer is a stand-in (the real one: tests/packages/windows, under Wine).
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.domain.errors import UpdateRolledBack
from agent.features.updates.install_journal import Phase
from agent.features.updates.install_places import NsisPlace
from tests.program.updates.test_installation import NEW, OLD, Machine


class Windows(Machine):
    """`started` is what was begun and outlives the program: `installs` has it done."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.program = root / "Programs" / "AI Popup" / "ai-popup.exe"
        self.program.parent.mkdir(parents=True)
        self.program.write_text(OLD)
        self.program.chmod(0o755)
        self.started: list[Path] = []

    def place(self) -> NsisPlace:
        return NsisPlace(self.program.parent, run=self._unpack, start=self._start, restart=False)

    def _unpack(self, command: Sequence[str]) -> None:
        assert list(command[1:]) == ["/S", "/UNPACK"]
        new = self.program.parent.with_name("AI Popup.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        shutil.copy(command[0], new / "ai-popup.exe")
        (new / "ai-popup.exe").chmod(0o755)

    def _start(self, command: Sequence[str]) -> None:
        assert list(command[1:]) == ["/S"]
        self.started.append(Path(command[0]))

    def installs(self) -> None:
        self.program.write_text(self.started.pop().read_text())

    def left(self) -> list[str]:
        return sorted(path.name for path in self.program.parent.parent.iterdir())


@pytest.fixture
def machine(tmp_path: Path) -> Windows:
    return Windows(tmp_path)


def test_a_version_that_comes_up_is_put_there_by_its_installer(machine: Windows) -> None:
    machine.install(machine.migrate)
    assert machine.version == OLD and len(machine.started) == 1
    machine.installs()
    assert machine.start() == machine.check() == NEW
    machine.installation().settle()
    assert machine.left() == ["AI Popup"] and machine.journal.read() is None


def test_a_version_that_migrates_and_fails_is_taken_back_and_no_installer_runs(machine: Windows) -> None:
    with pytest.raises(UpdateRolledBack):
        machine.install(lambda: machine.migrate() and False)
    assert machine.start() == machine.check() == OLD
    assert machine.started == [] and machine.left() == ["AI Popup"]
    assert machine.memory.read().outcome is not None


def test_an_installer_that_does_not_get_there_leaves_the_old_program_with_its_library(machine: Windows) -> None:
    machine.install(machine.migrate)
    assert machine.start() == machine.check() == OLD
    assert machine.left() == ["AI Popup"] and machine.journal.read() is None
    assert machine.memory.read().outcome is None, "it may be tried again"


def test_a_kill_before_the_installer_was_started_leaves_the_old_program_with_its_library(machine: Windows) -> None:
    machine.install(machine.migrate)
    journal = machine.journal.read()
    assert journal is not None
    machine.journal.write(journal.model_copy(update={"phase": Phase.PROVEN}))
    assert machine.start() == machine.check() == OLD


def test_an_installer_that_comes_later_than_the_old_programs_next_start_still_ends_well(machine: Windows) -> None:
    machine.install(machine.migrate)
    setup = machine.started[0].read_text()
    assert machine.start() == machine.check() == OLD
    machine.program.write_text(setup)
    machine.migrate()  # as it does when it starts
    assert machine.start() == machine.check() == NEW
