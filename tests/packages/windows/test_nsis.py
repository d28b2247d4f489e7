"""The installer for one user under Wine, of a stand-in for the program: what it writes, keeps and takes away. Not the program."""

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from installers.windows.nsis import nsis
from tests.packages.windows.conftest import UNINSTALL, MakeStandIn, Wine, files_of, until

Setup = Callable[..., Path]
CLASSES = r"Software\Classes"
ACTIONS = [rf"{kind}\shell\AI Popup {verb}" for kind in (r"SystemFileAssociations\image", "Directory") for verb in ("find", "redact")]

pytestmark = pytest.mark.timeout(300)  # the first one waits for a whole Windows to be made


@pytest.fixture(scope="module")
def setup(stand_in: MakeStandIn, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """Makes the installer of a stand-in by version."""

    def make(version: str = "0.1.0", **defines: str) -> Path:
        folder = tmp_path_factory.mktemp("setup")
        return nsis(stand_in(version), folder, folder, version=version, defines={"PATIENCE_S": "2", **defines})

    return functools.cache(make)


@pytest.fixture
def place(wine: Wine) -> Path:
    return wine.local / "Programs" / "AI Popup"


@pytest.fixture
def library(wine: Wine) -> Path:
    """What the program keeps of its user's."""
    folder = wine.local / "ai-popup"
    folder.mkdir(parents=True)
    (folder / "library").mkdir()
    (folder / "library" / "library.db").write_bytes(b"names")
    return folder


def running(library: Path) -> str | None:
    """The version of the stand-in that runs now."""
    try:
        return (library / "running").read_text() or None
    except FileNotFoundError:
        return None


def test_a_stand_in_is_installed_for_the_user_alone_without_a_question(wine: Wine, setup: Setup, place: Path) -> None:
    assert wine.run(setup(), "/S") == 0
    assert {"ai-popup.exe", "ai-popup-window.exe", "uninstall.exe"} <= set(files_of(place))
    assert (place / "_internal" / "some files" / "only in 0.1.0.txt").is_file()
    assert json.loads((place / "_internal" / "agent" / "_data" / "build" / "build.json").read_text())["kind"] == "nsis"
    assert (wine.start_menu / "AI Popup.lnk").is_file()
    entry = wine.registry(UNINSTALL)[""]
    assert entry["DisplayName"] == "AI Popup"
    assert entry["DisplayVersion"] == "0.1.0"
    assert entry["QuietUninstallString"] == r'"C:\users\tester\AppData\Local\Programs\AI Popup\uninstall.exe" /S'
    classes = wine.registry(CLASSES)
    for key in ACTIONS:
        verb = key.rpartition(" ")[2]
        assert "AI Popup" in classes[key]["@"]
        program = r"C:\users\tester\AppData\Local\Programs\AI Popup\ai-popup-window.exe"
        assert classes[rf"{key}\command"]["@"] == f'"{program}" hand-over {verb} "%1"'
    assert wine.registry(UNINSTALL, "HKLM") == {}
    assert not (wine.local / "ai-popup" / "running").exists()  # nobody asked for a start


def test_a_stand_in_that_runs_is_asked_to_end_and_the_new_version_runs_in_its_place(
    wine: Wine, setup: Setup, place: Path, library: Path
) -> None:
    assert wine.run(setup("0.1.0"), "/S", "/START") == 0
    until(lambda: running(library) == "0.1.0")
    assert wine.run(setup("0.2.0"), "/S") == 0
    until(lambda: running(library) == "0.2.0")
    assert [file.name for file in (place / "_internal" / "some files").iterdir()] == [
        "only in 0.2.0.txt"
    ]  # nothing of the old one is mixed in
    assert [folder.name for folder in place.parent.iterdir()] == ["AI Popup"]
    assert (library / "library" / "library.db").read_bytes() == b"names"
    assert wine.registry(UNINSTALL)[""]["DisplayVersion"] == "0.2.0"


def test_a_stand_in_that_does_not_end_is_left_as_it_is(wine: Wine, setup: Setup, place: Path, library: Path) -> None:
    assert wine.run(setup("0.1.0"), "/S", "/START") == 0
    until(lambda: running(library) == "0.1.0")
    (library / "deaf").touch()
    before = files_of(place)
    assert wine.run(setup("0.2.0"), "/S") == 4
    assert files_of(place) == before
    # As Windows' list of programs calls it, but not from a copy of itself, whose exit code nobody hears.
    assert wine.line(r'"%LOCALAPPDATA%\Programs\AI Popup\uninstall.exe" /S _?=%LOCALAPPDATA%\Programs\AI Popup') == 4
    assert files_of(place) == before


@pytest.mark.parametrize(("defines", "code"), [({}, 4), ({"SIZE_MB": "1000000000"}, 3)])
def test_who_ended_for_a_version_that_does_not_come_is_started_again(
    wine: Wine, setup: Setup, place: Path, library: Path, defines: dict[str, str], code: int
) -> None:
    assert wine.run(setup("0.1.0"), "/S", "/START") == 0
    until(lambda: running(library) == "0.1.0")
    (library / "deaf").touch()  # something of it still holds its files
    (library / "running").unlink()
    before = files_of(place)
    assert wine.run(setup("0.2.0", **defines), "/S", "/START") == code
    until(lambda: running(library) == "0.1.0")
    assert files_of(place) == before


def test_a_stand_in_is_unpacked_beside_to_be_tried_and_nothing_else_changes(wine: Wine, setup: Setup, place: Path, library: Path) -> None:
    assert wine.run(setup("0.1.0"), "/S", "/START") == 0
    until(lambda: running(library) == "0.1.0")
    before, entry = files_of(place), wine.registry(UNINSTALL)
    assert wine.run(setup("0.2.0"), "/S", "/UNPACK") == 0
    new = place.with_name("AI Popup.new")
    assert (new / "ai-popup.exe").is_file() and (new / "_internal" / "some files" / "only in 0.2.0.txt").is_file()
    assert files_of(place) == before and wine.registry(UNINSTALL) == entry and running(library) == "0.1.0"
    wine.run(place / "uninstall.exe", "/S")
    wine.settle()
    assert not place.parent.exists()


def test_installing_again_repairs(wine: Wine, setup: Setup, place: Path) -> None:
    wine.run(setup(), "/S")
    whole = files_of(place)
    (place / "_internal" / "some files" / "only in 0.1.0.txt").unlink()
    (place / "ai-popup-window.exe").write_bytes(b"half")
    assert wine.run(setup(), "/S") == 0
    assert files_of(place) == whole


def test_an_installation_that_broke_off_is_repaired_and_removed_too(wine: Wine, setup: Setup, place: Path) -> None:
    wine.run(setup(), "/S")
    whole = files_of(place)
    (place / "ai-popup.exe").unlink()
    assert wine.run(setup(), "/S") == 0
    assert files_of(place) == whole
    (place / "ai-popup.exe").unlink()
    wine.run(place / "uninstall.exe", "/S")
    wine.settle()
    assert not (place / "_internal").exists()
    assert wine.registry(UNINSTALL) == {}


def test_uninstalling_silently_keeps_the_library(wine: Wine, setup: Setup, place: Path, library: Path) -> None:
    wine.run(setup(), "/S", "/START")
    until(lambda: running(library) == "0.1.0")
    key = wine.local / "key of the library"
    key.touch()
    wine.set_registry(r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run", "AI Popup", "written by the program")
    wine.run(place / "uninstall.exe", "/S")
    wine.settle()
    assert not place.parent.exists()
    assert not (wine.start_menu / "AI Popup.lnk").exists()
    assert wine.registry(UNINSTALL) == {}
    assert not any("AI Popup" in key for key in wine.registry(CLASSES))
    assert "AI Popup" not in wine.registry(r"Software\Microsoft\Windows\CurrentVersion\Run").get("", {})
    assert running(library) is None
    assert (library / "library" / "library.db").read_bytes() == b"names"
    assert key.exists()


def test_a_script_can_have_the_library_removed_too(wine: Wine, setup: Setup, place: Path, library: Path) -> None:
    wine.run(setup(), "/S")
    beside = library.with_name("ai-popup-of-somebody-else")
    beside.mkdir()
    key = wine.local / "key of the library"  # the program's own keeper of secrets
    key.touch()
    wine.run(place / "uninstall.exe", "/S", "/PURGE")
    wine.settle()
    assert not key.exists()
    assert not place.exists()
    assert not library.exists()
    assert beside.exists()


def test_too_little_disk_space_is_found_before_anything_is_written(wine: Wine, setup: Setup, place: Path) -> None:
    assert wine.run(setup(SIZE_MB="1000000000"), "/S") == 3
    assert not place.parent.exists()


def test_a_disk_that_fills_up_on_the_way_leaves_the_version_before(
    wine: Wine, setup: Setup, stand_in: MakeStandIn, place: Path, library: Path
) -> None:
    wine.run(setup("0.1.0"), "/S", "/START")
    until(lambda: running(library) == "0.1.0")
    before = files_of(place)
    # Larger than the limit, which leaves Windows' own registry its room.
    (stand_in("0.9.0") / "_internal" / "large.bin").write_bytes(bytes(24_000_000))
    assert wine.run(setup("0.9.0"), "/S", largest_file=16_000_000) == 2
    assert files_of(place) == before
    assert [folder.name for folder in place.parent.iterdir()] == ["AI Popup"]
    until(lambda: running(library) == "0.1.0")  # it runs again


def test_a_chinese_user_whose_folders_have_blanks_and_chinese_characters(wine: Wine, setup: Setup) -> None:
    wine.speak_chinese()
    local = wine.prefix / "drive_c" / "用户 资料" / "Local"
    local.mkdir(parents=True)
    key = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"
    wine.set_registry(key, "Local AppData", r"C:\用户 资料\Local")
    assert wine.run(setup("0.1.0"), "/S", "/START") == 0
    until(lambda: running(local / "ai-popup") == "0.1.0")
    assert wine.run(setup("0.2.0"), "/S") == 0
    until(lambda: running(local / "ai-popup") == "0.2.0")
    place = local / "Programs" / "AI Popup"
    classes = wine.registry(CLASSES)
    assert [classes[key]["@"] for key in ACTIONS] == ["用 AI 弹窗助手查找人脸", "用 AI 弹窗助手打码"] * 2
    assert wine.registry(UNINSTALL)[""]["InstallLocation"] == r"C:\用户 资料\Local\Programs\AI Popup"
    wine.run(place / "uninstall.exe", "/S")
    wine.settle()
    assert not place.exists()
    assert (local / "ai-popup").exists()
