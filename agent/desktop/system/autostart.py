"""Starts the program when the user logs in: an XDG autostart entry, a value of Windows' Run key, a LaunchAgent on macOS."""

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from agent.domain.errors import AutostartFailed
from agent.infrastructure.core.json_child import own_command

NAME = "AI Popup"
_FILE = "ai-popup"
_UNIT = r"app-ai\x2dpopup@autostart.service.d"  # as systemd-xdg-autostart-generator names what it makes of the entry
_LABEL = "ai-popup.agent"
_RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"


class Autostart(Protocol):
    """The place where this system looks for programs to start at login. Both methods raise OSError."""

    def read(self) -> bytes | None:
        """The current entry; None if there is none."""
        ...

    def write(self, command: Sequence[str]) -> None: ...

    def remove(self) -> None: ...

    def entry(self, command: Sequence[str]) -> bytes:
        """The entry that `write` writes."""
        ...


def follow(wanted: bool, place: Autostart | None = None, command: Sequence[str] | None = None) -> None:
    """Start at login, or don't; an entry that is already right stays untouched. Raises AutostartFailed."""
    place, command = place or of_system(), command or _command()
    try:
        now = place.read()
        if wanted and now != place.entry(command):
            place.write(command)
        elif not wanted and now is not None:
            place.remove()
    except OSError as error:
        raise AutostartFailed from error


def of_system(environ: Mapping[str, str] = os.environ) -> Autostart:
    if sys.platform == "win32":
        return RunKey()
    if sys.platform == "darwin":
        return LaunchAgent(Path.home() / "Library" / "LaunchAgents")
    config = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return DesktopEntry(config / "autostart", config / "systemd" / "user")


class EntryFile(ABC):
    """A separate file in a folder that the session reads."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name

    @abstractmethod
    def entry(self, command: Sequence[str]) -> bytes: ...

    def read(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, command: Sequence[str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(self._path.name + ".new")
        beside.unlink(missing_ok=True)
        with beside.open("xb") as file:  # if a link was there, it is not followed
            file.write(self.entry(command))
        beside.replace(self._path)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


class DesktopEntry(EntryFile):
    """Linux: a file that every desktop's session reads.

    Where systemd runs the session it makes a unit of that file, which `units` has an addition for: a killed agent starts again.
    """

    def __init__(self, folder: Path, units: Path | None = None) -> None:
        super().__init__(folder, f"{_FILE}.desktop")
        self._addition = None if units is None else _Addition(units / _UNIT)

    def read(self) -> bytes | None:
        """An entry without its addition is read as empty, so that both are written."""
        entry = super().read()
        complete = self._addition is None or self._addition.read() == self._addition.entry(())
        return entry if entry is None or complete else b""

    def write(self, command: Sequence[str]) -> None:
        if self._addition is not None:
            self._addition.write(command)
        super().write(command)

    def remove(self) -> None:
        super().remove()
        if self._addition is not None:
            self._addition.remove()

    def entry(self, command: Sequence[str]) -> bytes:
        words = " ".join(map(_quoted, command))
        lines = ["[Desktop Entry]", "Type=Application", f"Name={NAME}", f"Exec={words}", "Icon=ai-popup", "Terminal=false"]
        # After the program is removed, the session skips the entry left in the user's home.
        program = command[0].replace("\\", "\\\\").replace("\n", "\\n")
        return os.fsencode("\n".join([*lines, f"TryExec={program}", "X-GNOME-Autostart-enabled=true", ""]))


class _Addition(EntryFile):
    """To the unit of the session's systemd. An end with an error code is the program's own decision: it isn't started again then."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "restart.conf")

    def entry(self, command: Sequence[str]) -> bytes:
        return b"[Unit]\nStartLimitIntervalSec=600\nStartLimitBurst=5\n\n[Service]\nRestart=on-abnormal\nRestartSec=5\n"


class LaunchAgent(EntryFile):
    """macOS: launchd starts it in the user's graphical session."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, f"{_LABEL}.plist")

    def entry(self, command: Sequence[str]) -> bytes:
        import plistlib  # only here: it loads an XML parser, which this process has no other use for

        facts: dict[str, object] = {"Label": _LABEL, "ProgramArguments": list(command), "RunAtLoad": True, "LimitLoadToSessionType": "Aqua"}
        facts["KeepAlive"] = {"Crashed": True}
        facts["ProcessType"] = "Interactive"  # as when the user starts it: otherwise processor and disk are throttled
        facts["AssociatedBundleIdentifiers"] = [_LABEL]  # the list of login items names the app
        return plistlib.dumps(facts)


class RunKey:
    """Windows: a value of the user's own registry."""

    # winreg's names are known on Windows only.

    def read(self) -> bytes | None:
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key:  # type: ignore[attr-defined,unused-ignore]
                return str(winreg.QueryValueEx(key, NAME)[0]).encode()  # type: ignore[attr-defined,unused-ignore]
        except FileNotFoundError:
            return None

    def write(self, command: Sequence[str]) -> None:
        import winreg

        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key:  # type: ignore[attr-defined,unused-ignore]
            winreg.SetValueEx(key, NAME, 0, winreg.REG_SZ, self.entry(command).decode())  # type: ignore[attr-defined,unused-ignore]

    def remove(self) -> None:
        import winreg

        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key:  # type: ignore[attr-defined,unused-ignore]
            winreg.DeleteValue(key, NAME)  # type: ignore[attr-defined,unused-ignore]

    def entry(self, command: Sequence[str]) -> bytes:
        return subprocess.list2cmdline(command).encode()


def _command() -> list[str]:
    if image := os.environ.get("APPIMAGE"):
        return [image, "run"]  # the program itself is in a temporary mount of its image
    program, *words = own_command("run")
    return [windowless(program) if sys.platform == "win32" else program, *words]


def windowless(program: str) -> str:
    """The program's variant that opens no console at login, installed or from a checkout's Python; the program itself if there is none."""
    beside = (Path(program).with_name(name) for name in ("ai-popup-window.exe", "pythonw.exe"))
    return next((str(path) for path in beside if path.exists()), program)


def _quoted(word: str) -> str:
    """A word of an Exec line: quoted for it, then escaped like every text of the file; `%` would begin a field code."""
    for mark in ("\\", '"', "`", "$"):
        word = word.replace(mark, "\\" + mark)
    return '"' + word.replace("\\", "\\\\").replace("%", "%%").replace("\n", "\\n") + '"'
