"""The old program hands over to a new one, or takes all of it back.

The programs are stand-ins (`tests/support/packaged_program.py`), the rest is real.
"""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.app.library_home import home_of_key
from agent.features.updates.install_journal import JournalFile, Phase
from agent.features.updates.releases import UpdateStep
from agent.features.updates.updater import Updater
from agent.infrastructure.store.backup import NEWER
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.migrator import revision_of
from agent.infrastructure.store.schema import REVISION
from agent.interfaces.web.schemas import Status
from tests.support.packaged_program import CRASHES_AT_ONCE, CRASHES_LATER, HANGS_LATER, NEW_REVISION, Packaged, script
from tests.support.release_server import Publisher, publisher

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(sys.platform != "linux", reason="AppImages are Linux'")]


@pytest.fixture
def served() -> Iterator[Publisher]:
    with publisher() as found:
        yield found


class Desk:
    """The old program 0.1.0 with a library that holds a word of the user's, and the newer one on its way."""

    def __init__(self, program: "RealProgram", root: Path, served: Publisher) -> None:
        self.program = program
        self.root = root
        self.served = served
        self.old = script(root, "0.1.0", served.build())
        self.packaged = Packaged(program, root, self.old)
        self.updater = Updater(
            served.build(), folder=program.paths.updates, cache=program.paths.downloads, installed="0.1.0", clock=lambda: datetime.now(UTC)
        )
        with program.library() as library:
            library.set_flags({"mine": 7})

    def publish(self, *, migrates: bool = True, code: str = "") -> None:
        """0.2.0, which is downloaded then."""
        content = script(self.root, "0.2.0", self.served.build(), migrates=migrates, code=code)
        self.served.announce("0.2.0", self.served.entry(content))
        self.updater.check("stable")
        self.updater.download("stable")
        assert self.updater.state("stable").step is UpdateStep.READY

    @property
    def revision(self) -> str | None:
        return self.revision_in(self.program.paths.library)

    def revision_in(self, folder: Path) -> str | None:
        key = LibraryKeys(self.program.paths.library, home_of_key(self.program.file.load(), self.program.paths)).unlock()
        return revision_of(folder / "library.db", key)

    def taken_over(self) -> Status:
        """Start the old one, which goes on as the new one."""
        self.packaged.start(wait=False)
        until(lambda: self.packaged.file.read_bytes() != self.old)  # before that the new one answers too, on trial
        return self.program.until(lambda status: status.version == "0.2.0")

    def is_as_before(self) -> None:
        """The old program runs, on its own library, and says what happened."""
        self.program.until(lambda status: status.version == "0.1.0")
        self.program.quit()
        assert self.packaged.file.read_bytes() == self.old
        assert self.revision == REVISION
        with self.program.library() as library:
            assert library.note("mine") == 7

    def was_told(self) -> None:
        outcome = self.updater.state("stable").outcome
        assert outcome is not None and outcome.code == "update.rolled_back" and outcome.params == {"version": "0.2.0"}


@pytest.fixture
def desk(program: "RealProgram", tmp_path: Path, served: Publisher) -> Desk:
    return Desk(program, tmp_path, served)


def test_a_version_that_waits_takes_over_at_the_next_start_with_the_library_migrated(desk: Desk) -> None:
    desk.publish()
    assert desk.taken_over().problem is None
    assert not (desk.program.paths.downloads / "AI-Popup.AppImage").exists()
    desk.program.quit()
    assert desk.revision == NEW_REVISION
    assert [path.name for path in desk.root.iterdir() if path.name.startswith(".AI")] == [], "after a good run the old one goes"
    assert JournalFile(desk.program.paths.updates).read() is None


def test_a_version_that_waits_is_installed_when_the_user_quits_but_not_when_the_system_ends(desk: Desk) -> None:
    desk.packaged.start()
    desk.publish()
    desk.program.quit()  # by a signal
    assert desk.packaged.file.read_bytes() == desk.old
    desk.program.file.set("updates.enabled", "false")
    desk.packaged.start()
    desk.program.file.set("updates.enabled", "true")
    desk.program.until(lambda _: True)
    desk.program.post("/api/quit")
    assert desk.program.process is not None and desk.program.process.wait(60) == 0
    assert desk.packaged.file.read_bytes() != desk.old
    assert desk.revision == NEW_REVISION
    desk.packaged.start()
    assert desk.program.status().version == "0.2.0"


def test_a_version_that_crashes_at_every_start_never_takes_over(desk: Desk) -> None:
    desk.publish(migrates=False, code=CRASHES_AT_ONCE)
    desk.packaged.start()
    desk.is_as_before()
    desk.was_told()
    assert not list(desk.program.paths.library.glob(f"{NEWER}*"))
    assert "update.rolled_back" in (desk.program.paths.logs / "agent.log").read_text(encoding="utf-8")


def test_a_version_that_migrates_and_then_crashes_is_taken_back_with_the_library(desk: Desk) -> None:
    desk.publish(code=CRASHES_LATER)
    desk.packaged.start()
    desk.is_as_before()
    desk.was_told()
    [aside] = desk.program.paths.library.glob(f"{NEWER}*")
    assert desk.revision_in(aside) == NEW_REVISION
    assert not list(desk.program.paths.library.glob("library.db.before-*"))
    desk.packaged.start()
    assert desk.program.status().version == "0.1.0", "it is not tried again by itself"


def test_a_file_that_is_another_version_than_announced_is_not_taken(desk: Desk) -> None:
    content = script(desk.root, "0.1.9", desk.served.build())
    desk.served.announce("0.2.0", desk.served.entry(content))
    desk.updater.check("stable")
    desk.updater.download("stable")
    desk.packaged.start()
    desk.is_as_before()
    desk.was_told()


@pytest.mark.parametrize("migrates", [False, True])
def test_a_kill_during_the_trial_leaves_the_old_program_with_its_library(desk: Desk, migrates: bool) -> None:
    desk.publish(migrates=migrates, code=HANGS_LATER)
    journal = JournalFile(desk.program.paths.updates)
    desk.packaged.start(wait=False)

    def under_way() -> bool:
        found = journal.read()
        return found is not None and found.phase is Phase.TRIAL and bool(desk.program.children())

    until(under_way)
    if migrates:
        until(lambda: bool(list(desk.program.paths.library.glob("library.db.before-*"))))
    trial = desk.program.children()
    desk.program.kill()
    for child in trial:
        child.wait(60)
    desk.program.file.set("updates.enabled", "false")  # the next start would try it once more
    desk.packaged.start()
    desk.is_as_before()
    assert journal.read() is None


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_library_of_a_newer_version_is_refused_with_a_clear_word_and_not_touched(desk: Desk) -> None:
    desk.publish()
    desk.taken_over()
    desk.program.quit()
    before = (desk.program.paths.library / "library.db").read_bytes()
    said = desk.program.run("run", "--no-tray")
    assert said.returncode == 1 and "store.newer" in said.stderr and "newer version" in said.stderr
    assert (desk.program.paths.library / "library.db").read_bytes() == before


def test_the_agent_checks_downloads_and_goes_on_as_the_new_version_at_a_word(desk: Desk) -> None:
    desk.packaged.start()
    said = desk.packaged.run("update", "check")
    assert said.returncode == 1 and "update.unreachable" in said.stderr, "nothing is announced yet"
    content = script(desk.root, "0.2.0", desk.served.build(), migrates=True)
    desk.served.announce("0.2.0", desk.served.entry(content), news={"en": "It is smaller."})
    said = desk.packaged.run("update", "check")
    assert said.returncode == 0 and "Version 0.2.0 is" in said.stdout and "It is smaller." in said.stdout
    assert desk.packaged.run("update", "download").returncode == 0
    assert desk.program.status().update == "0.2.0"
    assert "0.2.0" in desk.packaged.run("status").stdout
    assert desk.packaged.run("update", "install").returncode == 0
    until(lambda: desk.packaged.file.read_bytes() == content)
    assert desk.program.until(lambda status: status.version == "0.2.0").update is None
    assert desk.packaged.run("update", "status").stdout.startswith("No newer version is known")
    assert desk.packaged.run("update", "channel", "beta").stdout == "beta\n"
    assert desk.packaged.run("update", "check").stdout.startswith("No newer version is known (beta versions)"), "there is no beta"


def test_the_user_is_told_and_may_try_it_once_more(desk: Desk) -> None:
    desk.publish(code=CRASHES_LATER)
    said = desk.packaged.run("update", "install")
    assert said.returncode == 1 and "update.rolled_back" in said.stderr and "0.2.0" in said.stderr
    said = desk.packaged.run("update", "status")
    assert "update.rolled_back" in said.stdout and "No newer version" in said.stdout
    desk.packaged.start()
    taken_back = desk.program.status().taken_back
    assert taken_back is not None and taken_back.code == "update.rolled_back"
    assert "update.rolled_back" in desk.packaged.run("status").stdout
    with desk.program.api() as api:
        assert api.delete("/update/outcome").is_success
    assert desk.program.status().taken_back is None
    desk.program.quit()
    desk.packaged.start()
    assert desk.program.status().taken_back is None, "put away, it stays away"
    assert "update.rolled_back" not in desk.packaged.run("update", "status").stdout
    desk.program.quit()
    assert "update.not_ready" in desk.packaged.run("update", "install").stderr
    assert "update.rolled_back" in desk.packaged.run("update", "install", "--again").stderr, "it still crashes"
