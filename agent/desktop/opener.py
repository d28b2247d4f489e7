"""Opens the UI in the user's browser, and shows a file in its folder with the system's file manager."""

import contextlib
import subprocess
import sys
import webbrowser
from pathlib import Path

from agent.desktop import session_bus
from agent.desktop.display import display_available

_TIMEOUT_S = 10.0


def open_in_browser(url: str) -> bool:
    """Open a page in the user's browser. False if there is none, or no display."""
    # Without a display Python would fall back to a text browser, which takes over the terminal.
    with contextlib.suppress(webbrowser.Error, OSError):
        return display_available() and webbrowser.open(url)
    return False


def show_in_folder(path: Path) -> bool:
    """Open the folder of a file with the file selected, or just the folder where that can't be done. False if nothing could be opened.

    May take seconds: call it outside the event loop.
    """
    if sys.platform == "win32":
        # Explorer parses its command line itself: the path in quotes, after the comma. It returns 1 also when all went well.
        return _started(f'explorer /select,"{path}"', codes=(0, 1))
    if sys.platform == "darwin":
        return _started(["open", "-R", str(path)])
    return session_bus.show_items([path.absolute().as_uri()]) or _started(["xdg-open", str(path.absolute().parent)])


def _started(command: str | list[str], codes: tuple[int, ...] = (0,)) -> bool:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_TIMEOUT_S, check=False
        )
        return done.returncode in codes
    return False
