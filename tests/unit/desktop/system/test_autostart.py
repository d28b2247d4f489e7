"""Starting at log-in: what each system is told, and that it can be told to forget it."""

import configparser
import os
import plistlib
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType, TracebackType

import pytest

from agent.desktop.system import autostart
from agent.desktop.system.autostart import Autostart, DesktopEntry, LaunchAgent, RunKey, follow
from agent.domain.errors import AutostartFailed

COMMAND = ['/opt/my apps/50% "off"/python$3', "-m", "agent", "run"]
GENERATOR = Path("/usr/lib/systemd/user-generators/systemd-xdg-autostart-generator")


class Key:
    """A registry key: also a context manager, as winreg's are."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def __enter__(self) -> "Key":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class Registry(ModuleType):
    """Stands for `winreg` with the one key that is used."""

    HKEY_CURRENT_USER, REG_SZ = 1, 1

    def __init__(self) -> None:
        super().__init__("winreg")
        self.values: dict[str, str] = {}

    def OpenKey(self, root: int, path: str) -> Key:
        assert path.endswith("CurrentVersion\\Run")
        return Key(self.values)

    CreateKey = OpenKey

    def QueryValueEx(self, key: Key, name: str) -> tuple[str, int]:
        if name not in key.values:
            raise FileNotFoundError
        return key.values[name], 1

    def SetValueEx(self, key: Key, name: str, _: int, kind: int, value: str) -> None:
        key.values[name] = value

    def DeleteValue(self, key: Key, name: str) -> None:
        del key.values[name]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    made = Registry()
    monkeypatch.setitem(sys.modules, "winreg", made)
    return made


@pytest.fixture(params=["linux", "darwin", "win32"])
def place(request: pytest.FixtureRequest, tmp_path: Path, registry: Registry) -> Autostart:
    folder = tmp_path / "not there yet"
    places: dict[str, Autostart] = {"linux": DesktopEntry(folder), "darwin": LaunchAgent(folder), "win32": RunKey()}
    return places[request.param]


def test_switched_on_it_stays_and_switched_off_it_goes(place: Autostart) -> None:
    follow(False, place, COMMAND)
    assert place.read() is None
    follow(True, place, COMMAND)
    assert place.read() == place.entry(COMMAND)
    follow(False, place, COMMAND)
    assert place.read() is None


def test_a_program_that_moved_is_found_again(place: Autostart) -> None:
    follow(True, place, ["/old/ai-popup", "run"])
    follow(True, place, COMMAND)
    assert place.read() == place.entry(COMMAND)


def test_what_says_so_already_is_not_touched(tmp_path: Path) -> None:
    place = DesktopEntry(tmp_path)
    follow(True, place, COMMAND)
    path = tmp_path / "ai-popup.desktop"
    before = path.stat().st_ino, path.stat().st_mtime_ns
    follow(True, place, COMMAND)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_the_desktop_entry_starts_the_program_whatever_its_path(tmp_path: Path) -> None:
    entry = configparser.RawConfigParser()
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read_string(DesktopEntry(tmp_path).entry(COMMAND).decode())
    values = entry["Desktop Entry"]
    assert (values["Type"], values["Terminal"]) == ("Application", "false")
    # As the specification has it: first the escapes of every text, then field codes, then quoting, which a shell reads alike.
    assert values["TryExec"].replace("\\\\", "\\") == COMMAND[0], "gone with the program, it is passed over"
    told = values["Exec"].replace("\\\\", "\\").replace("%%", "%")
    assert shlex.split(told.replace("\\$", "$")) == COMMAND


@pytest.mark.skipif(sys.platform == "win32", reason="the unit's name has a backslash")
def test_an_addition_to_the_sessions_unit_starts_a_killed_agent_again(tmp_path: Path) -> None:
    place = DesktopEntry(tmp_path / "autostart", tmp_path / "units")
    follow(True, DesktopEntry(tmp_path / "autostart"), COMMAND)  # as an earlier version left it
    assert place.read() == b""
    follow(True, place, COMMAND)
    [addition] = (tmp_path / "units").glob("*/restart.conf")
    assert "Restart=on-abnormal" in addition.read_text()
    assert place.read() == place.entry(COMMAND)
    follow(False, place, COMMAND)
    assert not addition.exists() and place.read() is None


@pytest.mark.skipif(sys.platform == "win32", reason="the unit's name has a backslash")
def test_the_addition_is_to_the_unit_that_systemd_makes_of_the_entry(tmp_path: Path) -> None:
    place = DesktopEntry(tmp_path / "autostart", tmp_path / "units")
    follow(True, place, [sys.executable, "run"])
    additions = [folder.name for folder in (tmp_path / "units").iterdir()]
    assert additions == [r"app-ai\x2dpopup@autostart.service.d"]
    if not GENERATOR.exists():  # where it does, it says so itself
        return
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "none"), "HOME": str(tmp_path), "PATH": os.defpath}
    folders = [str(tmp_path / name) for name in ("normal", "early", "late")]
    for folder in folders:
        Path(folder).mkdir()
    subprocess.run([GENERATOR, *folders], env=environment, check=True, timeout=60, capture_output=True)
    assert [f"{unit.name}.d" for unit in tmp_path.glob("late/*.service")] == additions


def test_the_launch_agent_starts_it_in_the_graphical_session(tmp_path: Path) -> None:
    facts = plistlib.loads(LaunchAgent(tmp_path).entry(COMMAND))
    assert facts["ProgramArguments"] == COMMAND
    assert facts["RunAtLoad"] is True
    assert facts["LimitLoadToSessionType"] == "Aqua"
    assert facts["KeepAlive"] == {"Crashed": True}
    assert (facts["ProcessType"], facts["AssociatedBundleIdentifiers"]) == ("Interactive", ["ai-popup.agent"])


def test_windows_quotes_what_has_blanks(registry: Registry) -> None:
    follow(True, RunKey(), [r"C:\Program Files\ai-popup.exe", "run"])
    assert registry.values == {"AI Popup": r'"C:\Program Files\ai-popup.exe" run'}


def test_a_refusal_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AutostartFailed):
        follow(True, DesktopEntry(tmp_path / "file" / "autostart"), COMMAND)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the desktop's own folder")
def test_the_session_s_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = autostart.of_system({"XDG_CONFIG_HOME": str(tmp_path)})
    monkeypatch.setattr(autostart, "of_system", lambda: place)
    follow(True)
    assert b' "run"' in (tmp_path / "autostart" / "ai-popup.desktop").read_bytes()


def test_windows_starts_the_program_that_opens_no_console(tmp_path: Path) -> None:
    program = str(tmp_path / "ai-popup.exe")
    assert autostart.windowless(program) == program
    (tmp_path / "ai-popup-window.exe").touch()
    assert autostart.windowless(program) == str(tmp_path / "ai-popup-window.exe")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="AppImages are Linux'")
def test_an_appimage_starts_by_its_file_not_by_where_it_is_mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("APPIMAGE", "/apps/AI-Popup.AppImage")
    place = DesktopEntry(tmp_path)
    follow(True, place)
    assert place.read() == place.entry(["/apps/AI-Popup.AppImage", "run"])
