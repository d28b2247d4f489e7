"""Opens the UI in the user's browser, files in the file manager, images in their viewer and texts in an editor."""

import contextlib
import os
import subprocess
import sys
import threading
import webbrowser
from pathlib import Path

from agent.desktop.system import session_bus
from agent.desktop.system.display import display_available
from agent.domain.image import is_image

_TIMEOUT_S = 10.0
_STAYS_S = 3.0  # some desktops' opener lives as long as the viewer


def open_in_browser(url: str) -> bool:
    """Open a page in the user's browser. False without a browser or display."""
    # Without a display Python would use a text browser, which takes over the terminal.
    with contextlib.suppress(webbrowser.Error, OSError):
        return display_available() and webbrowser.open(url)
    return False


def show_in_folder(path: Path) -> bool:
    """Open the folder of a file with the file selected, or only the folder if that is impossible. False if neither could be opened.

    May take seconds: call it outside the event loop.
    """
    if sys.platform == "win32":
        # Explorer parses its command line itself: the path in quotes, after the comma. It returns 1 even on success.
        return _started(f'"{_of_windows("explorer.exe")}" /select,"{path}"', codes=(0, 1))
    if sys.platform == "darwin":
        return _started(["open", "-R", str(path)])
    return session_bus.show_items([path.absolute().as_uri()]) or _started(["xdg-open", str(path.absolute().parent)])


def open_image(path: Path) -> bool:
    """Open an image with the user's viewer. False if it could not be opened.

    A file without an image extension is only shown in its folder: the system goes by extensions and might run it. May take seconds.
    """
    if not is_image(path.name):
        return show_in_folder(path)
    if sys.platform == "win32":
        return _opened_by_windows(path)
    return _launched(["open" if sys.platform == "darwin" else "xdg-open", str(path.absolute())])


def open_text(path: Path) -> bool:
    """Open one of our own text files in the user's editor, or show it in its folder if there is none. False if both failed.

    May take seconds: call it outside the event loop.
    """
    if sys.platform == "win32":
        # Windows has no program for .toml until the user chooses one; its own editor is always available.
        return _opened_by_windows(path) or _launched([_of_windows("notepad.exe"), str(path)])
    command = ["open", "-t"] if sys.platform == "darwin" else ["xdg-open"]
    return _launched([*command, str(path.absolute())]) or show_in_folder(path)


def _of_windows(program: str) -> str:
    """Return the path of a program of Windows: by its name alone, one in the current folder would be started."""
    return f"{os.environ['SYSTEMROOT']}\\{program}"


def _opened_by_windows(path: Path) -> bool:
    if sys.platform == "win32":
        with contextlib.suppress(OSError):
            os.startfile(path)
            return True
    return False


def _launched(command: list[str]) -> bool:
    """Start a program that may keep running: it counts as started when it ends successfully or keeps running."""
    none = subprocess.DEVNULL
    with contextlib.suppress(OSError):
        process = subprocess.Popen(command, stdin=none, stdout=none, stderr=none, start_new_session=True)
        try:
            return process.wait(_STAYS_S) == 0
        except subprocess.TimeoutExpired:
            threading.Thread(target=process.wait, daemon=True).start()  # so that its exit is collected
            return True
    return False


def _started(command: str | list[str], codes: tuple[int, ...] = (0,)) -> bool:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_TIMEOUT_S, check=False
        )
        return done.returncode in codes
    return False
