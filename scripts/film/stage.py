"""The actions of a tutorial on the real program: its page in a browser window, its popup, and its watched folder.

An act is a verb and its object. A target is a key of the catalogue (`ui.first_run.start`, `ui.people.yes?name=Sam`: the element with
that name in the language of the video) or a CSS selector.

    open PLACE    point TARGET    click TARGET    wait TARGET    type TEXT    press KEY    rest SECONDS
    drop PHOTO    popup X Y (the pointer to that part of its window)    capture    drag X Y X Y (parts of the screen)
"""

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

import mss
from PIL import Image, ImageStat
from playwright.sync_api import Locator, Page, Playwright

from agent.desktop.capture.schemas import CaptureOut, CaptureRequest
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.client import Client
from agent.interfaces.web.schemas import Status
from scripts.film.camera import SIZE
from scripts.film.hands import Hand
from scripts.program import until
from scripts.signing_in import sign_in

LIMIT_S = 90.0
ROLES = ("button", "link", "radio", "textbox", "combobox", "heading", "option", "switch", "tab", "checkbox", "searchbox", "spinbutton")
_BETWEEN_LETTERS_MS = 70


@dataclass
class Stage:
    """The running program, the page that shows it, and the pointer that controls it."""

    client: Client
    page: Page
    hand: Hand
    texts: Texts
    samples: Path
    watched: Path
    _asked: list[threading.Thread] = field(default_factory=list)

    def act(self, told: str) -> None:
        """Perform one act. Raises ValueError for an unknown verb; Playwright's errors and TimeoutError if the act fails."""
        verb, _, rest = told.partition(" ")
        acts: dict[str, Callable[[str], object]] = {
            "open": lambda place: self.page.goto(f"{self.client.address}/{place}"),
            "point": lambda target: self._point(target),
            "click": self._click,
            "wait": lambda target: self._find(target).wait_for(),
            "type": lambda text: self.page.keyboard.type(self._typed(text), delay=_BETWEEN_LETTERS_MS),
            "press": self.page.keyboard.press,
            "rest": lambda seconds: time.sleep(float(seconds)),
            "drop": self._drop,
            "popup": self._popup,
            "capture": lambda _: self._capture(),
            "drag": self._drag,
        }
        if verb not in acts:
            raise ValueError(f"unknown verb {verb!r}")
        acts[verb](rest)

    def enter(self) -> None:
        """Sign in."""
        sign_in(self.page, self.client)

    def hide_popup(self) -> None:
        """Hide the popup of the first photos."""
        _popup_place()
        self.client.post("/api/popup/hide")

    def leave(self) -> None:
        for asked in self._asked:
            asked.join(LIMIT_S)

    def until(self, done: Callable[[Status], bool]) -> None:
        until(self.client, done, limit_s=LIMIT_S)

    def _find(self, target: str) -> Locator:
        key, _, params = target.partition("?")
        name = self.texts(key, **dict(parse_qsl(params)))
        if name == key:
            return self.page.locator(target).first
        found = self.page.get_by_role("button", name=name, exact=True)
        for role in ROLES[1:]:
            found = found.or_(self.page.get_by_role(role, name=name, exact=True))  # type: ignore[arg-type]  # one of the roles it knows
        return found.first

    def _typed(self, text: str) -> str:
        """Return the text: a catalogue key is resolved; {folder} is the watched folder as the owner of this home would write it."""
        return self.texts(text).format(folder=f"~/{self.watched.name}")

    def _point(self, target: str) -> None:
        found = self._find(target)
        found.scroll_into_view_if_needed()
        box = found.bounding_box()
        assert box is not None
        left, top = self.page.evaluate("[screenX + (outerWidth - innerWidth) / 2, screenY + outerHeight - innerHeight]")
        self.hand.move(round(left + box["x"] + min(box["width"] / 2, 160)), round(top + box["y"] + box["height"] / 2))

    def _click(self, target: str) -> None:
        self._point(target)
        self.hand.click()

    def _drop(self, photo: str) -> None:
        before = self.client.status().images
        name = photo if not (self.watched / photo).exists() else f"new-{photo}"
        shutil.copy(self.samples / photo, self.watched / name)
        self.until(lambda status: status.images > before and not status.queued)

    def _popup(self, place: str) -> None:
        window = _popup_place()
        across, down = map(float, place.split())
        self.hand.move(window["X"] + round(window["WIDTH"] * across), window["Y"] + round(window["HEIGHT"] * down))

    def _capture(self) -> None:
        """Capture as the tray menu does. The call returns once a region was selected and covered, and stays open for review."""

        def ask() -> None:
            self.client.post_long("/api/captures", CaptureOut, CaptureRequest())
            self.client.post("/api/popup/show")

        before, deadline = _brightness(), time.monotonic() + LIMIT_S
        self._asked.append(threading.Thread(target=ask))
        self._asked[-1].start()
        while _brightness() > before * 0.85:  # the picker darkens it
            if time.monotonic() > deadline:
                raise TimeoutError("nothing can be chosen")
            time.sleep(0.1)

    def _drag(self, places: str) -> None:
        left, top, right, bottom = (round(float(part) * SIZE[number % 2]) for number, part in enumerate(places.split()))
        self.hand.move(left, top)
        with self.hand.dragging():
            self.hand.move(right, bottom)


def _popup_place() -> dict[str, int]:
    """Return the popup's position (X, Y, WIDTH, HEIGHT), once it is visible."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        # A popup that disappears during the search is an error.
        with contextlib.suppress(subprocess.CalledProcessError):
            window = _ask("xdotool", "search", "--onlyvisible", "--name", "^AI Popup$").split()[-1]
            said = dict(line.split("=", 1) for line in _ask("xdotool", "getwindowgeometry", "--shell", window).splitlines())
            return {name: int(said[name]) for name in ("X", "Y", "WIDTH", "HEIGHT")}
        time.sleep(0.1)
    raise TimeoutError("the popup is not seen")


def _brightness() -> float:
    """Return the brightness of the screen, 0 to 255."""
    with mss.MSS() as screen:
        shot = screen.grab(screen.monitors[0])
    return float(ImageStat.Stat(Image.frombytes("RGB", shot.size, shot.rgb).convert("L")).mean[0])


def _ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout.strip()


@contextlib.contextmanager
def browser_window(playwright: Playwright, profile: Path, language: str) -> Iterator[Page]:
    """Yield a browser's one window, as large as the recorded screen."""
    executable = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=executable,
        headless=False,
        no_viewport=True,
        locale=language,
        env=dict(os.environ),
        args=["--test-type", "--window-position=0,0", "--window-size={},{}".format(*SIZE)],
        ignore_default_args=["--enable-automation"],
    )
    page = context.pages[0]
    page.set_default_timeout(LIMIT_S * 1000)
    yield page
    context.close()
