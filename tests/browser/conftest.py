"""Real desktops for tests: an X server of their own with a window manager and a tray, of either kind, that are gone afterwards.

`desktop` has a tray that takes in windows (XEmbed, stalonetray); `panel_desktop` has a session bus and a panel with the newer kind
of tray (StatusNotifierItem, xfce4-panel). Both start once per session. Programs are started on them with `start` and `python`;
`on_desktop` and `on_panel_desktop` also point the test's own process there. `screenshot` gives the picture of the whole screen, and
writes it when it gets a path. `chromium` is a browser for the pages.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import mss
import pytest
from PIL import Image

from scripts.setup.console import Console
from scripts.setup.exclusive import exclusive
from scripts.setup.ui import Ui
from scripts.setup.venv import Venv

if TYPE_CHECKING:
    from mss.screenshot import ScreenShot
    from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

_PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=10;x=640;y=780"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="double" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty"><property name="plugin-1" type="string" value="systray"/></property>
</channel>
"""


class Program:
    """A started program; what it prints is read while waiting."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def lines(self) -> list[str]:
        return self._output.read_text(encoding="utf-8").splitlines()

    def printed(self, line: str) -> None:
        """Wait until it has printed a line that begins so."""
        _until(lambda: any(known.startswith(line) for known in self.lines), f"{line!r} in {self._output.read_text(encoding='utf-8')!r}")

    def ended(self) -> int:
        return self.process.wait(WAIT_S)


class Desktop:
    """One X display with its window manager and tray."""

    def __init__(self, folder: Path, display: str, bus: str | None = None) -> None:
        self._folder = folder
        self._count = 0
        self._programs: list[subprocess.Popen[bytes]] = []
        kept = {name: value for name, value in os.environ.items() if name not in ("WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")}
        self.environment = {
            **kept,
            "DISPLAY": display,
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_SESSION_TYPE": "x11",
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            # No bus, rather than one that some library starts by itself.
            "DBUS_SESSION_BUS_ADDRESS": bus or "disabled:",
        }

    # -- programs ----------------------------------------------------------------------------------------------------------------

    def start(self, command: Sequence[str]) -> Program:
        """Start a program on this desktop; it is ended with the test or the desktop."""
        self._count += 1
        output = self._folder / f"output-{self._count}.txt"
        with output.open("wb") as file, (self._folder / f"errors-{self._count}.txt").open("wb") as errors:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=errors, env=self.environment)
        self._programs.append(process)
        return Program(process, output)

    def start_window_manager(self) -> None:
        """Start it and wait until it manages: it announces itself earlier, and a window shown in between is never seen."""
        ready = self._folder / "managed"
        self.start(["openbox", "--startup", f"touch {shlex.quote(str(ready))}"])
        _until(ready.exists, "openbox")

    def python(self, script: str, *words: str) -> Program:
        return self.start([sys.executable, "-u", "-c", script, *words])

    def ask(self, *command: str) -> str:
        """What a short command prints; empty if it fails."""
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=WAIT_S, check=False)
        return done.stdout.strip()

    def end_programs(self, keep: int = 0) -> None:
        """End what was started, the latest first, all but the first `keep`."""
        while len(self._programs) > keep:
            end(self._programs.pop())

    @property
    def running(self) -> int:
        return len(self._programs)

    # -- eyes and hands ----------------------------------------------------------------------------------------------------------

    def screenshot(self, path: Path | None = None) -> Image.Image:
        shot = self._shot()
        picture = Image.frombytes("RGB", shot.size, shot.rgb)
        if path is not None:
            picture.save(path)
        return picture

    def _shot(self) -> "ScreenShot":
        with mss.MSS(display=self.environment["DISPLAY"]) as screen:
            return screen.grab(screen.monitors[0])

    def find(self, colour: tuple[int, int, int]) -> tuple[int, int] | None:
        """Middle of the screen's area that has exactly this colour."""
        shot = self._shot()
        # While it is waited for it is not there: to see that takes 1 ms, to look for its area 40.
        if bytes(reversed(colour)) not in shot.raw:
            return None
        picture = Image.frombytes("RGB", shot.size, shot.rgb)
        same = picture.point([255 * (value == channel) for channel in colour for value in range(256)])
        red, green, blue = (band.convert("1") for band in same.split())
        box = _both(_both(red, green), blue).getbbox()
        return None if box is None else ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2)

    def appears(self, colour: tuple[int, int, int]) -> tuple[int, int]:
        """Wait until that colour is on the screen, and say where."""
        seen: list[tuple[int, int]] = []

        def found() -> bool:
            place = self.find(colour)
            if place is not None:
                seen.append(place)
            return bool(seen)

        # Not looked for again once it was seen: a window may be drawn anew meanwhile.
        _until(found, f"colour {colour}")
        return seen[-1]

    def disappears(self, colour: tuple[int, int, int]) -> None:
        _until(lambda: self.find(colour) is None, f"no colour {colour}")

    def click(self, place: tuple[int, int], button: int = 1) -> None:
        self.ask("xdotool", "mousemove", str(place[0]), str(place[1]), "sleep", "0.1", "click", str(button))

    def open_menu(self, place: tuple[int, int]) -> None:
        """Click with the right button and wait until what opens stands still."""
        seen = [self.screenshot()]
        self.click(place, button=3)

        def stands() -> bool:
            time.sleep(0.2)
            seen.append(self.screenshot())
            return seen[-1] != seen[0] and seen[-1] == seen[-2]

        _until(stands, "menu")

    def keys(self, *keys: str) -> None:
        self.ask("xdotool", "key", "--delay", "80", *keys)

    def windows(self, name: str) -> list[str]:
        """Ids of the shown windows whose title matches."""
        return self.ask("xdotool", "search", "--onlyvisible", "--name", name).split()

    def window(self, name: str) -> str:
        """Wait for a window and give its id."""
        _until(lambda: bool(self.windows(name)), f"window {name!r}")
        return self.windows(name)[-1]

    def geometry(self, window: str) -> tuple[int, int, int, int]:
        """Left, top, width, height."""
        said = dict(line.split("=", 1) for line in self.ask("xdotool", "getwindowgeometry", "--shell", window).splitlines())
        return int(said["X"]), int(said["Y"]), int(said["WIDTH"]), int(said["HEIGHT"])

    def focused(self) -> str:
        """Id of the window that gets the keys."""
        return self.ask("xdotool", "getactivewindow")


def _both(one: Image.Image, other: Image.Image) -> Image.Image:
    from PIL import ImageChops

    return ImageChops.logical_and(one, other)


def _until(ask: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not ask():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {WAIT_S:g} s in vain for {what}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], bool], str], None]:
    """Wait for something to become true; its name is for the failure."""
    return _until


def end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


@contextlib.contextmanager
def x_server(*options: str) -> Iterator[str]:
    """An X server on a free display; gives the display's name."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset", *options]
    server = subprocess.Popen(command, pass_fds=[writer], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            number = numbers.readline().strip()
        if not number:
            pytest.fail("Xvfb did not start")
        yield f":{number}"
    finally:
        end(server)


def need(*programs: str) -> None:
    """Skip where the desktop's programs are not there (Windows, macOS, a machine without them)."""
    if missing := [program for program in programs if shutil.which(program) is None]:
        pytest.skip(f"needs {', '.join(missing)}")


@pytest.fixture(scope="session")
def xembed_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    need("Xvfb", "openbox", "stalonetray", "xdotool")
    with x_server() as display:
        desktop = Desktop(tmp_path_factory.mktemp("desktop"), display)
        try:
            desktop.start_window_manager()
            desktop.start(["stalonetray", "--geometry", "3x1+0-0", "--icon-size", "24", "--window-strut", "none"])
            _until(lambda: bool(desktop.ask("xdotool", "search", "--onlyvisible", "--class", "stalonetray")), "stalonetray")
            yield desktop
        finally:
            desktop.end_programs()


@pytest.fixture(scope="session")
def panel_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    need("Xvfb", "openbox", "xfce4-panel", "xdotool", "dbus-daemon")
    folder = tmp_path_factory.mktemp("panel-desktop")
    settings = folder / "config" / "xfce4" / "xfconf" / "xfce-perchannel-xml" / "xfce4-panel.xml"
    settings.parent.mkdir(parents=True)
    settings.write_text(_PANEL, encoding="utf-8")
    with x_server() as display:
        desktop = Desktop(folder, display, "unset")
        try:
            bus = desktop.start(["dbus-daemon", "--session", "--nofork", "--print-address=1"])
            _until(lambda: bool(bus.lines), "dbus-daemon")
            desktop.environment["DBUS_SESSION_BUS_ADDRESS"] = bus.lines[0]
            desktop.start_window_manager()
            desktop.start(["xfce4-panel", "--disable-wm-check"])
            _until(lambda: "org.kde.StatusNotifierWatcher" in _bus_names(desktop), "xfce4-panel")
            yield desktop
        finally:
            desktop.end_programs()


def _bus_names(desktop: Desktop) -> str:
    names = ["--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.ListNames"]
    return desktop.ask("dbus-send", "--session", "--print-reply", *names)


@contextlib.contextmanager
def _for_one_test(session: Desktop) -> Iterator[Desktop]:
    """Take back what a test started, and put the pointer where it hovers over nothing."""
    standing = session.running
    session.ask("xdotool", "mousemove", "640", "300")
    try:
        yield session
    finally:
        session.end_programs(keep=standing)


@pytest.fixture
def desktop(xembed_session: Desktop) -> Iterator[Desktop]:
    """A desktop whose tray takes in windows (XEmbed)."""
    with _for_one_test(xembed_session) as session:
        yield session


@pytest.fixture
def panel_desktop(panel_session: Desktop) -> Iterator[Desktop]:
    """A desktop with a session bus and a StatusNotifierItem tray."""
    with _for_one_test(panel_session) as session:
        yield session


@pytest.fixture
def on_desktop(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    """The first, with the test's own process and its children on it."""
    return _enter(desktop, monkeypatch)


@pytest.fixture
def on_panel_desktop(panel_desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    """The second, with the test's own process and its children on it."""
    return _enter(panel_desktop, monkeypatch)


def _enter(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_SESSION_TYPE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, desktop.environment[name])
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return desktop


@pytest.fixture(scope="session")
def built_ui() -> None:
    """The pages as their sources are now; workers that start at the same time build them once."""
    with exclusive(ROOT / "build" / "setup.lock", lambda: None):
        Ui(ROOT).build(Console(ROOT / "build" / "setup.log"), Venv(ROOT))


# -- a browser -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def playwright() -> "Iterator[Playwright]":
    """Only as long as a module: its loop would be in the way of the asynchronous tests after it."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT_S * 1000)  # ours is longer than its own: a busy machine is no failure
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(playwright: "Playwright") -> "Iterator[Browser]":
    executable = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip("needs Chromium")
    browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
    yield browser
    browser.close()
