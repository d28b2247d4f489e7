"""The .deb on a Debian that has nothing but apt: installed, used, upgraded while it runs, and removed. One story, in its order."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from agent import __version__
from installers.make import package
from tests.packages.bare_system import HOME, UID, BareSystem, until
from tests.packages.conftest import OLDER
from tests.packages.story import PHOTOS, Story, colours, windows

pytestmark = [pytest.mark.timeout(900)]  # the first one waits for PyInstaller and for a bare Debian, if neither is there

PROGRAM = "/usr/lib/ai-popup"
GUEST = ["env", "HOME=/home/guest", "AI_POPUP__LIBRARY__KEY_HOME=file", "setpriv", "--reuid=1001", "--regid=1001", "--clear-groups"]


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
        until(lambda: system.says("", "ai-popup", "status", **home), "its answer")  # it speaks of the tray before it is up
        system.run("ai-popup", "quit", **home)
        assert process.wait(60) == 0
    finally:
        for pid in system.agents():  # else it would hold the pipe that is read to its end below
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.communicate()
    system.run("rm", "-r", f"{HOME}/no display")


def test_without_a_tray_and_a_bus_it_says_so_and_does_all_else(story: Story, display_without_tray: str) -> None:
    system, home = story.system, f"{HOME}/没有 托盘"
    system.run("mkdir", home)
    alone = {
        "HOME": home,
        "DISPLAY": display_without_tray,
        "AI_POPUP__LIBRARY__KEY_HOME": "file",
        "AI_POPUP__GENERAL__AUTOSTART": "true",
        "AI_POPUP__CAPTURE__HOTKEY": "Ctrl+Shift+F9",
    }
    said = story.start("ai-popup", "run", **alone)
    until(lambda: "[desktop.no_tray]" in said.read_text(encoding="utf-8") or None, "a word of the tray")
    until(lambda: "AI Popup" in windows(display_without_tray) or None, "the popup that welcomes")
    entry = system.run("cat", f"{home}/.config/autostart/ai-popup.desktop")
    assert 'Exec="/usr/lib/ai-popup/ai-popup" "run"' in entry
    assert "no place for a tray icon" in system.run("ai-popup", "doctor", **alone)
    assert '"level": "error"' not in system.run("sh", "-c", "cat ~/.local/state/ai-popup/log/*.log", **alone)
    system.run("ai-popup", "quit", **alone)
    until(lambda: not system.agents() or None, "its end")
    system.run("rm", "-r", home)


def test_a_photo_that_is_dropped_shows_the_popup(story: Story, samples_folder: Path) -> None:
    system = story.system
    story.settle()
    system.run("setsid", "-f", "sh", "-c", "exec ai-popup run >/dev/null 2>&1 </dev/null")
    until(lambda: story.answers(), "the agent")
    story.drop(samples_folder / "obama.jpg", "一 one.jpg")
    until(lambda: "AI Popup" in story.windows() or None, f"the popup among {story.windows()}")
    until(lambda: story.status()["faces"] == 1 or None, "the face")
    until(lambda: colours(story.display) > 200 or None, "a photo in the popup")


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
    until(lambda: story.answers(), "the new agent")
    assert story.status()["faces"] == 1
    story.drop(samples_folder / "biden.jpg", "二 two.jpg")
    until(lambda: story.status()["faces"] == 2 or None, "the face on the second photo")
    until(lambda: "AI Popup" in story.windows() or None, "the popup of the new version")


def test_removed_it_leaves_nothing_but_the_library_and_the_settings(story: Story) -> None:
    system = story.system
    system.apt("purge", "ai-popup")
    assert system.agents() == []
    assert story.left() == set()
    assert f"{HOME.lstrip('/')}/.local/share/ai-popup/library/library.db" in system.files()


# -- the same system, now that the package is gone and what it needs is still there --------------------------------------------------------


def test_without_installing_it_runs_from_a_folder_with_blanks_and_chinese_characters(
    story: Story, program: Path, samples_folder: Path
) -> None:
    system, place = story.system, f"{HOME}/我的 程序 & 100%"
    system.run("mkdir", place)
    package(program, "appdir", system.root / place.lstrip("/"), version=__version__, quick=True)
    start = f"{place}/AI_Popup.AppDir/AppRun"
    story.start(start, "run", AI_POPUP__GENERAL__AUTOSTART="true")
    until(lambda: system.says("", start, "status"), "the agent")
    assert json.loads(system.run(start, "status", "--json"))["faces"] == 2, "the library of before is found"
    story.drop(samples_folder / "obama2.jpg", "三 three.jpg")
    until(lambda: json.loads(system.run(start, "status", "--json"))["faces"] == 3 or None, "the face")
    until(lambda: "AI Popup" in story.windows() or None, "the popup")
    entry = system.run("cat", f"{HOME}/.config/autostart/ai-popup.desktop")
    inside = f"{place}/AI_Popup.AppDir/usr/lib/ai-popup/ai-popup"
    assert f'Exec="{inside.replace("%", "%%")}" "run"' in entry and f"TryExec={inside}\n" in entry
    system.run(start, "quit")
    until(lambda: not system.agents() or None, "its end")
    shutil.rmtree(system.root / place.lstrip("/"))


def test_a_disk_that_is_too_small_keeps_the_package_out_until_there_is_room(story: Story) -> None:
    system = story.system
    system.root_run("mkdir", PROGRAM)
    system.root_run("mount", "-t", "tmpfs", "-o", "size=100m,mode=755", "tmpfs", PROGRAM)
    assert "No space left on device" in system.root_fails("apt-get", "-y", "install", f"/mnt/ai-popup-{OLDER}.deb")
    assert "No such file" in system.fails("ai-popup", "--version")
    assert system.run("find", PROGRAM, "-type", "f") == "", "nothing half installed is left"
    _resize(system, "2g")
    system.apt("install", f"/mnt/ai-popup-{OLDER}.deb")
    assert __version__ in system.run("ai-popup", "--version")


def test_a_disk_that_fills_up_on_an_upgrade_leaves_each_users_agent_in_the_version_before(story: Story) -> None:
    system = story.system
    system.root_run("useradd", "--create-home", "--uid", "1001", "guest")
    story.start("ai-popup", "run", "--no-tray")
    system.root_run(*GUEST, "setsid", "-f", "sh", "-c", "exec ai-popup run --no-tray >/dev/null 2>&1 </dev/null")
    until(lambda: _two_answer(story, set()), "both users' agents")
    before = set(system.agents())
    used = int(system.run("df", "--output=used", PROGRAM).split()[-1])
    _resize(system, f"{used + 64 * 1024}k")
    assert "No space left on device" in system.root_fails("apt-get", "-y", "install", f"/mnt/ai-popup-{__version__}.deb")
    assert system.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", "ai-popup") == f"{OLDER} installed"
    until(lambda: _two_answer(story, before), "both users' agents once more")
    assert story.status()["faces"] == 3


def test_while_another_program_installs_nothing_is_changed_and_it_is_said(story: Story) -> None:
    system = story.system
    running = set(system.agents())
    with (system.root / "var/lib/dpkg/lock-frontend").open("r+") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        said = system.root_fails("apt-get", "-y", "install", f"/mnt/ai-popup-{__version__}.deb")
    assert "/var/lib/dpkg/lock-frontend" in said
    assert set(system.agents()) == running


def test_with_room_again_the_upgrade_starts_the_new_version_for_each_user(story: Story) -> None:
    system = story.system
    before = set(system.agents())
    _resize(system, "2g")
    system.apt("install", f"/mnt/ai-popup-{__version__}.deb")
    assert __version__ in system.run("dpkg-query", "-W", "-f", "${Version}", "ai-popup")
    until(lambda: _two_answer(story, before), "both users' agents of the new version")
    assert story.status()["faces"] == 3


def _resize(system: BareSystem, size: str) -> None:
    system.root_run("mount", "-o", f"remount,size={size}", PROGRAM)


def _two_answer(story: Story, before: set[int]) -> bool | None:
    """Whether the user's and the guest's agents answer, and are none of those `before`."""
    agents = story.system.agents()
    theirs = {Path(f"/proc/{pid}").stat().st_uid for pid in agents if pid not in before}
    if not story.answers() or theirs != {UID, 1001} or len(agents) != 2:
        return None
    asked = story.system.command([*GUEST, "ai-popup", "status"], user=False)
    return subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode == 0 or None
