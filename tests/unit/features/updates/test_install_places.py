"""How each kind takes the place of the one that runs: the AppImage for real, macOS and Windows with fakes in place of their tools."""

import os
import plistlib
import shutil
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from agent.domain.errors import UpdateDiskFull, UpdateFailed, UpdateUnwritable
from agent.features.updates.install_places import AppImagePlace, MacPlace, NsisPlace, place_of
from agent.infrastructure.core.package_info import PackageKind

PROGRAM = Path("Contents/MacOS/ai-popup")


def app(folder: Path, version: str) -> Path:
    (folder / PROGRAM).parent.mkdir(parents=True)
    (folder / PROGRAM).write_text(version)
    (folder / "Contents" / "Info.plist").write_bytes(plistlib.dumps({"CFBundleShortVersionString": version}))
    return folder


class Mac:
    """A Mac's tools: a disk image is a folder beside the file, mounted by copying."""

    def __init__(self, root: Path) -> None:
        self.ran: list[str] = []
        self.images = root / "image"
        self.fails = ""
        self.busy = False
        app(self.images / "AI Popup.app", "0.2.0")

    def run(self, command: Sequence[str]) -> None:
        self.ran.append(" ".join(command[:2]) if command[0] == "hdiutil" else command[0])
        if command[0] == self.fails or (self.busy and command[1:2] == ["detach"] and "-force" not in command):
            raise subprocess.CalledProcessError(1, "tool")
        if command[:2] == ["hdiutil", "attach"]:
            shutil.copytree(self.images, command[command.index("-mountpoint") + 1], dirs_exist_ok=True)
        if command[0] == "ditto":
            shutil.copytree(command[1], command[2])

    def exchange(self, one: Path, other: Path) -> None:
        between = one.with_name("between")
        one.rename(between)
        other.rename(one)
        between.rename(other)


@pytest.fixture
def mac(tmp_path: Path) -> Mac:
    return Mac(tmp_path)


@pytest.fixture
def place(tmp_path: Path, mac: Mac) -> MacPlace:
    return MacPlace(app(tmp_path / "AI Popup.app", "0.1.0"), PROGRAM, "0.2.0", run=mac.run, exchange=mac.exchange)


def started(command: Sequence[str]) -> str:
    return Path(command[0]).read_text()


def test_a_mac_app_is_copied_out_tried_and_changes_places(place: MacPlace, mac: Mac, tmp_path: Path) -> None:
    place.stage(tmp_path / "new.dmg")
    assert mac.ran == ["hdiutil attach", "ditto", "hdiutil detach"]
    assert (started(place.command), started(place.staged_command)) == ("0.1.0", "0.2.0")
    place.swap()
    place.swap()  # again, after a kill
    assert started(place.command) == "0.2.0"
    place.settle()
    assert [path.name for path in tmp_path.glob("*.app")] == ["AI Popup.app"]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("swapped", [False, True])
def test_a_mac_app_is_taken_back_whether_it_lay_there_or_not(place: MacPlace, tmp_path: Path, swapped: bool) -> None:
    place.stage(tmp_path / "new.dmg")
    if swapped:
        place.swap()
    place.undo()
    place.undo()
    assert started(place.command) == "0.1.0" and not list(tmp_path.glob(".*"))


def test_a_disk_image_without_a_program_is_none_and_is_let_go(place: MacPlace, mac: Mac, tmp_path: Path) -> None:
    shutil.rmtree(mac.images / "AI Popup.app")
    with pytest.raises(UpdateFailed):
        place.stage(tmp_path / "new.dmg")
    assert mac.ran[-1] == "hdiutil detach"


def test_a_disk_image_that_is_looked_into_is_let_go_by_force_and_keeps_no_update_away(place: MacPlace, mac: Mac, tmp_path: Path) -> None:
    mac.busy = True
    place.stage(tmp_path / "new.dmg")
    assert mac.ran == ["hdiutil attach", "ditto", "hdiutil detach", "hdiutil detach"]
    assert started(place.staged_command) == "0.2.0"


def test_a_tool_that_fails_leaves_the_old_app(place: MacPlace, mac: Mac, tmp_path: Path) -> None:
    mac.fails = "ditto"
    with pytest.raises(UpdateUnwritable):
        place.stage(tmp_path / "new.dmg")
    place.undo()
    assert started(place.command) == "0.1.0"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_an_appimage_is_laid_beside_the_old_one_with_its_rights(tmp_path: Path) -> None:
    (tmp_path / "AI-Popup.AppImage").write_text("old")
    (tmp_path / "AI-Popup.AppImage").chmod(0o700)
    (tmp_path / "download").write_text("new")
    made = AppImagePlace(tmp_path / "AI-Popup.AppImage")
    made.stage(tmp_path / "download")
    assert Path(made.staged_command[0]).stat().st_mode & 0o777 == 0o700
    made.swap()
    made.swap()
    assert started(made.command) == "new"
    made.undo()
    made.undo()
    assert started(made.command) == "old" and sorted(path.name for path in tmp_path.iterdir()) == ["AI-Popup.AppImage", "download"]


def test_a_file_system_without_links_keeps_the_old_one_as_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "AI-Popup.AppImage").write_text("old")
    (tmp_path / "download").write_text("new")

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refused)
    made = AppImagePlace(tmp_path / "AI-Popup.AppImage")
    made.stage(tmp_path / "download")
    made.swap()
    made.undo()
    assert started(made.command) == "old"


@pytest.mark.parametrize(("number", "error"), [(28, UpdateDiskFull), (13, UpdateUnwritable)])
def test_a_place_without_room_or_right_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    (tmp_path / "AI-Popup.AppImage").write_text("old")

    def fails(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr("agent.features.updates.install_places.copy_to_new", fails)
    with pytest.raises(error):
        AppImagePlace(tmp_path / "AI-Popup.AppImage").stage(tmp_path / "download")


def test_windows_installer_unpacks_beside_and_takes_the_place_when_the_program_has_ended(tmp_path: Path) -> None:
    ran: list[list[str]] = []

    def run(command: Sequence[str]) -> None:
        ran.append([Path(command[0]).name, *command[1:]])
        (tmp_path / "AI Popup.new").mkdir(exist_ok=True)

    (tmp_path / "download.exe").write_text("setup")
    place = NsisPlace(tmp_path / "AI Popup", run=run, start=run, restart=True)
    place.stage(tmp_path / "download.exe")
    assert Path(place.staged_command[0]) == tmp_path / "AI Popup.new" / "ai-popup.exe"
    place.swap()
    assert ran == [["AI Popup.setup.exe", "/S", "/UNPACK"], ["AI Popup.setup.exe", "/S", "/START"]]
    place.settle()
    place.swap()  # nothing is left to be put there
    assert len(ran) == 2 and sorted(path.name for path in tmp_path.iterdir()) == ["download.exe"]
    place.undo()


def test_an_installer_that_can_not_unpack_is_said(tmp_path: Path) -> None:
    def fails(command: Sequence[str]) -> None:
        raise subprocess.CalledProcessError(2, command)

    (tmp_path / "download.exe").write_text("setup")
    place = NsisPlace(tmp_path / "AI Popup", run=fails, start=fails, restart=False)
    with pytest.raises(UpdateUnwritable):
        place.stage(tmp_path / "download.exe")


def test_what_can_be_replaced_is_known_by_its_kind(tmp_path: Path) -> None:
    ran: list[Sequence[str]] = []
    at = partial(place_of, start=ran.append)
    image = at(PackageKind.APPIMAGE, "0.2.0", environ={"APPIMAGE": "/apps/AI-Popup.AppImage"})
    assert image is not None and image.command == [str(Path("/apps/AI-Popup.AppImage"))]
    assert at(PackageKind.APPIMAGE, "0.2.0", environ={}) is None
    bundle = at(PackageKind.DMG, "0.2.0", executable="/Applications/AI Popup.app/Contents/MacOS/ai-popup")
    assert bundle is not None and bundle.command == [str(Path("/Applications/AI Popup.app/Contents/MacOS/ai-popup"))]
    assert at(PackageKind.DMG, "0.2.0", executable="/usr/bin/python3") is None
    windows = at(PackageKind.NSIS, "0.2.0", executable="/Programs/AI Popup/ai-popup-window.exe")
    assert windows is not None and windows.command == [str(Path("/Programs/AI Popup/ai-popup-window.exe"))]
    (tmp_path / "AI Popup.setup.exe").touch()
    placed = at(PackageKind.NSIS, "0.2.0", executable=str(tmp_path / "AI Popup" / "ai-popup.exe"))
    assert placed is not None
    placed.swap()
    assert ran == [[str(tmp_path / "AI Popup.setup.exe"), "/S"]]
    assert [each.at_once for each in (image, bundle, windows)] == [True, True, False]
    assert at(PackageKind.DEB, "0.2.0", environ={"APPIMAGE": "/x"}) is None
