"""The .rpm, installed, used, upgraded while it runs and removed by the tool `rpm`, on a Debian that has none of the libraries it asks for.

That is no Fedora: nobody looks up what the package requires (`--nodeps`). And it is a bad day of its own: there is a display, but no libGL,
no other library of a window system, and no bus. One story, in its order.
"""

import json
from pathlib import Path

import pytest

from agent import __version__
from tests.packages.bare_system import HOME, BareSystem, until
from tests.packages.conftest import OLDER, both_versions
from tests.packages.story import Story

pytestmark = [pytest.mark.timeout(900)]  # the first one waits for PyInstaller and for a bare Debian, if neither is there

COMMON = ("applications", "icons", "metainfo")  # folders that a system with rpm has of its own, and this one did not
PROGRAM = "/usr/lib/ai-popup"
RPM = ("rpm", "--nodeps")


@pytest.fixture(scope="module")
def shared(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return both_versions(program, "rpm", tmp_path_factory)


@pytest.fixture(scope="module")
def story(system: BareSystem, display: str) -> Story:
    system.apt("install", "rpm", "libffi8")  # Python itself asks for the second: without it not even a word could be said
    return Story(system, display)


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(story: Story) -> None:
    system = story.system
    story.before = system.files()
    system.root_run("mkdir", PROGRAM)
    system.root_run("mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", PROGRAM)
    said = system.root_fails(*RPM, "--install", f"/mnt/ai-popup-{OLDER}.rpm")
    assert f"more space on the {PROGRAM} filesystem" in said
    assert system.run("ls", "-A", PROGRAM) == ""
    system.root_run("umount", PROGRAM)
    system.root_run("rmdir", PROGRAM)


def test_it_is_installed_and_says_what_it_is(story: Story) -> None:
    system = story.system
    system.root_run(*RPM, "--install", f"/mnt/ai-popup-{OLDER}.rpm")
    assert system.root_run("rpm", "--query", "ai-popup").startswith(f"ai-popup-{OLDER}-1")
    assert __version__ in system.run("ai-popup", "--version")
    assert json.loads(system.run("cat", f"{PROGRAM}/_internal/agent/_data/build/build.json"))["kind"] == "rpm"


def test_with_a_display_but_without_libgl_it_names_what_is_missing_and_goes_on(story: Story, samples_folder: Path) -> None:
    system = story.system
    story.settle()
    said = story.start("ai-popup", "run", AI_POPUP__GENERAL__AUTOSTART="true", AI_POPUP__CAPTURE__HOTKEY="Ctrl+Shift+F9")
    until(lambda: "[desktop.library_missing]" in said.read_text(encoding="utf-8") or None, "a word of the library")
    assert ".so" in said.read_text(encoding="utf-8")
    until(story.answers, "the agent")
    story.drop(samples_folder / "obama.jpg", "一 one.jpg")
    until(lambda: story.status()["faces"] == 1 or None, "the face")
    assert "[desktop.library_missing]" in system.fails("ai-popup", "doctor")
    assert "TryExec=/usr/lib/ai-popup/ai-popup" in system.run("cat", f"{HOME}/.config/autostart/ai-popup.desktop")
    assert '"level": "error"' not in system.run("sh", "-c", "cat ~/.local/state/ai-popup/log/*.log")


def test_an_upgrade_ends_the_running_agent_and_starts_the_new_one(story: Story, samples_folder: Path) -> None:
    system = story.system
    (before,) = system.agents()
    system.root_run(*RPM, "--upgrade", f"/mnt/ai-popup-{__version__}.rpm")
    assert __version__ in system.root_run("rpm", "--query", "ai-popup")
    until(lambda: [pid for pid in system.agents() if pid != before] or None, "the agent of the new version")
    until(story.answers, "the new agent")
    assert len(system.agents()) == 1 and story.status()["faces"] == 1
    story.drop(samples_folder / "biden.jpg", "二 two.jpg")
    until(lambda: story.status()["faces"] == 2 or None, "the face on the second photo")


def test_removed_it_leaves_nothing_but_the_library_and_the_settings(story: Story) -> None:
    system = story.system
    system.root_run(*RPM, "--erase", "ai-popup")
    assert system.agents() == []
    left = {path for path in system.files() - story.before if path.startswith("usr/")}
    assert left <= {f"usr/share/{name}" for name in COMMON}
    assert story.left() == {f"{HOME}/.config/autostart/ai-popup.desktop".lstrip("/")}
    assert f"{HOME.lstrip('/')}/.local/share/ai-popup/library/library.db" in system.files()
