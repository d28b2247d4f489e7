"""The .deb on a Debian that has nothing but apt: installed, used, upgraded while it runs, and removed. One story, in its order."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from agent import __version__
from tests.installers.bare_system import HOME, BareSystem, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first one waits for PyInstaller and for a bare Debian, if neither is there

PHOTOS = f"{HOME}/Pictures/家 and friends"
SETTINGS = f"""
[library]
key_home = "file"
[sources]
settle_ms = 100
[[folders]]
path = "{PHOTOS}"
"""


@dataclass
class Story:
    """What later chapters must know of earlier ones."""

    system: BareSystem
    display: str
    before: set[str] = field(default_factory=set)

    def windows(self) -> list[str]:
        """Names of the visible windows."""
        asked = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", ".*", "getwindowname", "%@"],
            env={"DISPLAY": self.display, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return asked.stdout.splitlines()

    def status(self) -> dict[str, object]:
        told: dict[str, object] = json.loads(self.system.run("ai-popup", "status", "--json"))
        return told

    def drop(self, photo: Path, name: str) -> None:
        target = self.system.root / PHOTOS.lstrip("/") / name
        shutil.copyfile(photo, target)
        shutil.chown(target, 1000, 1000)


@pytest.fixture(scope="module")
def story(system: BareSystem, display: str) -> Story:
    return Story(system, display)


def test_it_is_installed_by_apt_and_brings_what_it_needs(story: Story, program: Path) -> None:
    system = story.system
    story.before = system.files()
    system.apt("install", "/mnt/ai-popup-0.0.1.deb")
    assert "0.0.1" in system.run("dpkg-query", "-W", "-f", "${Version}", "ai-popup")
    assert __version__ in system.run("ai-popup", "--version")
    build = system.run("cat", "/usr/lib/ai-popup/_internal/agent/_data/build/build.json")
    assert json.loads(build)["kind"] == "deb"


def test_every_library_finds_what_it_is_linked_to(story: Story) -> None:
    # As the loader sees it when the program has started: from the program's own folder first.
    found = story.system.run(
        "sh",
        "-c",
        "cd /usr/lib/ai-popup/_internal && find . -name '*.so*' -type f ! -name 'libqgtk3.so' ! -name '*gpu_plugin*' "
        "-exec env LD_LIBRARY_PATH=$PWD ldd {} + 2>/dev/null | grep 'not found' | sort -u || true",
    )
    assert found.strip() == ""


def test_without_a_bus_it_says_that_there_is_no_keyring_and_what_to_do(story: Story) -> None:
    said = story.system.fails("ai-popup", "run")
    assert "keys.no_keyring" in said and "library.key_home file" in said


def test_without_a_display_it_runs_without_a_tray_and_says_so(story: Story) -> None:
    system = story.system
    home = {"AI_POPUP_HOME": f"{HOME}/no display", "AI_POPUP__LIBRARY__KEY_HOME": "file", "DISPLAY": ""}
    process = system.start("ai-popup", "run", **home)
    try:
        until(lambda: system.agents() or None, "the agent")
        assert process.stderr is not None
        said = ""
        while "ai-popup open" not in said:
            line = process.stderr.readline()
            assert line, f"it ended without a word of the tray: {said}"
            said += line
        system.run("ai-popup", "quit", **home)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    system.run("rm", "-r", f"{HOME}/no display")


def test_a_photo_that_is_dropped_shows_the_popup(story: Story, samples_folder: Path) -> None:
    system = story.system
    system.run("mkdir", "-p", PHOTOS, f"{HOME}/.config/ai-popup")
    system.run("sh", "-c", 'printf %s "$1" > ~/.config/ai-popup/settings.toml', "sh", SETTINGS)
    system.run("setsid", "-f", "sh", "-c", "exec ai-popup run >/dev/null 2>&1 </dev/null")
    until(lambda: _answers(story), "the agent")
    story.drop(samples_folder / "obama.jpg", "一 one.jpg")
    until(lambda: "AI Popup" in story.windows() or None, f"the popup among {story.windows()}")
    until(lambda: story.status()["faces"] == 1 or None, "the face")
    until(lambda: _colours(story.display) > 200 or None, "a photo in the popup")


def test_commands_work_beside_it_and_redact_without_a_network(story: Story) -> None:
    system = story.system
    system.run("ai-popup", "redact", f"{PHOTOS}/一 one.jpg", "-o", f"{HOME}/打码/")
    copy = next((system.root / HOME.lstrip("/") / "打码").iterdir())
    with Image.open(copy) as made, Image.open(system.root / PHOTOS.lstrip("/") / "一 one.jpg") as original:
        assert made.size == original.size and made.tobytes() != original.tobytes()


def test_an_upgrade_ends_the_running_agent_and_starts_the_new_one_in_its_session(story: Story, samples_folder: Path) -> None:
    system = story.system
    (before,) = system.agents()
    system.apt("install", f"/mnt/ai-popup-{__version__}.deb")
    (after,) = until(lambda: [pid for pid in system.agents() if pid != before] or None, "the agent of the new version")
    assert system.agents() == [after] and Path(f"/proc/{after}").stat().st_uid == 1000
    until(lambda: _answers(story), "the new agent")
    assert story.status()["faces"] == 1
    story.drop(samples_folder / "biden.jpg", "二 two.jpg")
    until(lambda: story.status()["faces"] == 2 or None, "the face on the second photo")
    until(lambda: "AI Popup" in story.windows() or None, "the popup of the new version")


def test_removed_it_leaves_nothing_but_the_library_and_the_settings(story: Story) -> None:
    system = story.system
    system.apt("purge", "ai-popup")
    assert system.agents() == []
    left = {path for path in system.files() - story.before if "ai-popup" in path.lower() or "ai_popup" in path.lower()}
    home = HOME.lstrip("/")
    kept = (f"{home}/.local/share/ai-popup", f"{home}/.config/ai-popup", f"{home}/.cache/ai-popup", f"{home}/.local/state/ai-popup")
    assert {path for path in left if not path.startswith(kept)} == set()
    assert f"{home}/.local/share/ai-popup/library/library.db" in left


def _answers(story: Story) -> bool | None:
    """Whether the agent answers, which it does a moment after it is there."""
    return story.system.says("", "ai-popup", "status")


def _colours(display: str) -> int:
    """How many colours are on the screen: an empty page has a few."""
    import mss

    with mss.MSS(display=display) as screen:
        shot = screen.grab(screen.monitors[0])
    small = Image.frombytes("RGB", shot.size, shot.rgb).resize((320, 200))
    return len(set(small.get_flattened_data()))
