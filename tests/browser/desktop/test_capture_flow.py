"""A capture as its user makes it: a hotkey, a region, one face left visible in the popup's own window, and the clipboard read back."""

import io
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Locator, expect

from agent.infrastructure.core.i18n import Texts
from tests.browser.conftest import need
from tests.support.drag_target import drop_target
from tests.support.image_window import shown

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

    from tests.browser.conftest import Desktop
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300)]

Until = Callable[[Callable[[], bool], str], None]
POPUP = "^AI Popup$"
# Two people beside each other, and a region around them: left, top, right, bottom.
PEOPLE = ((60, 60, 280, 420), (400, 60, 290, 420))
REGION = (40, 40, 740, 520)
# Where both pictures are bright, but for the picker's veil.
BRIGHT = (80, 80, 660, 460)
FREE = (300, 600)
# Another program on which the picture is dropped: left, top, width, height.
TARGET = (450, 570, 240, 160)
SECONDS = 2


@pytest.fixture
def people(desktop: "Desktop", samples_folder: Path) -> Iterator[None]:
    need("xclip")
    display = desktop.environment["DISPLAY"]
    with shown(display, samples_folder / "obama.jpg", *PEOPLE[0]), shown(display, samples_folder / "biden.jpg", *PEOPLE[1]):
        yield


def brightest(picture: Image.Image, box: tuple[int, int, int, int]) -> int:
    extrema = picture.crop(box).convert("L").getextrema()
    assert isinstance(extrema[1], int)
    return extrema[1]


def clipboard(desktop: "Desktop") -> Image.Image:
    command = ["xclip", "-selection", "clipboard", "-target", "image/png", "-out"]
    told = subprocess.run(command, env=desktop.environment, capture_output=True, timeout=100, check=True)
    return Image.open(io.BytesIO(told.stdout)).convert("RGB")


def click(desktop: "Desktop", element: Locator) -> None:
    box = element.bounding_box()
    assert box is not None
    left, top, _, _ = desktop.geometry(desktop.window(POPUP))
    desktop.click((round(left + box["x"] + box["width"] / 2), round(top + box["y"] + box["height"] / 2)))


def dragged_out(desktop: "Desktop", page: "Page") -> Image.Image:
    """The picture that another program is given when the one in the popup is dropped on it."""
    with drop_target(desktop.environment["DISPLAY"], *TARGET) as dropped:
        desktop.window("drop here")
        box = page.locator(".picture img.there").bounding_box()
        assert box is not None
        left, top, _, _ = desktop.geometry(desktop.window(POPUP))
        x, y = round(left + box["x"] + box["width"] / 2), round(top + box["y"] + box["height"] - 20)
        over = (TARGET[0] + TARGET[2] // 2, TARGET[1] + TARGET[3] // 2)
        # A page begins a drag only once the pointer was moved with its button down, and asks the window it is over only then.
        ways = [(x, y), (x - 10, y), (x - 20, y), (over[0] + 9, over[1]), over]
        steps = [["mousemove", str(left), str(top), "sleep", "0.3"] for left, top in ways]
        desktop.ask("xdotool", *steps[0], "mousedown", "1", "sleep", "0.2", *(word for step in steps[1:] for word in step), "mouseup", "1")
        [(name, content)] = dropped()
    assert name.startswith("AI Popup 2") and name.endswith(".jpg")
    return Image.open(io.BytesIO(content)).convert("RGB")


def popup_page(playwright: "Playwright", port: int) -> "Page":
    """The popup's, among those of the picker."""
    browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
    return next(page for page in browser.contexts[0].pages if page.url.split("?")[0].endswith("/popup"))


@pytest.mark.usefixtures("people")
def test_what_is_on_the_clipboard_is_what_was_seen_without_the_faces_that_were_covered(
    desktop: "Desktop",
    playwright: "Playwright",
    make_program: "Callable[[Mapping[str, str]], RealProgram]",
    until: Until,
    tmp_path: Path,
) -> None:
    t = Texts("en")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shown_on = {each: desktop.environment[each] for each in ("DISPLAY", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    program = make_program({**shown_on, "QTWEBENGINE_CHROMIUM_FLAGS": f"--remote-debugging-port={port}"})
    wanted = {"general.language": "en", "capture.hotkey": "Ctrl+Shift+F9", "capture.copy_at_once": "false", "popup.seconds": str(SECONDS)}
    for key, value in wanted.items():
        program.file.set(key, value)
    program.start(tray=True)
    before = desktop.screenshot()
    # With the hotkey the picker's windows are made ready.
    until(lambda: bool(program.children("popup-window")), "the hotkey")

    desktop.keys("ctrl+shift+F9")
    # Black, it is not painted yet, and a click not for the page.
    until(lambda: 90 < brightest(desktop.screenshot(), BRIGHT) < brightest(before, BRIGHT) - 20, "the picker")
    left, top, right, bottom = map(str, REGION)
    drag = ["mousemove", left, top, "mousedown", "1", "mousemove", "300", "300", "mousemove", right, bottom, "mouseup", "1"]
    desktop.ask("xdotool", *drag, "mousemove", *map(str, FREE))
    until(lambda: bool(desktop.windows(POPUP)), "the popup")
    page = popup_page(playwright, port)
    faces = page.locator(".cover")
    expect(faces).to_have_count(2)
    said = page.locator(".rest [role=status]")
    expect(said).to_have_text(t("cover_page.capture.pending"))

    # A timer of the page that was set after the popup's own, and longer, ends after it.
    page.evaluate("seconds => new Promise((done) => setTimeout(done, seconds * 1000 + 500))", SECONDS)
    assert desktop.windows(POPUP), "it stays while nothing is copied"

    # One is shown, covered, and the other one shown: what the first click did is undone by the second.
    for index, pressed in ((0, "false"), (0, "true"), (1, "false")):
        click(desktop, faces.nth(index))
        expect(faces.nth(index)).to_have_attribute("aria-pressed", pressed)
    desktop.screenshot(tmp_path / "review.png")
    dragged = dragged_out(desktop, page)
    click(desktop, page.get_by_role("button", name=t("cover_page.capture.copy"), exact=True))
    expect(said).to_have_text(t("cover_page.capture.copied", what=t("ui.faces", count=1)))
    desktop.ask("xdotool", "mousemove", *map(str, FREE))

    taken, seen = clipboard(desktop), before.crop(REGION)
    taken.save(tmp_path / "clipboard.png")
    with program.api() as api:
        [capture] = api.get("/captures").json()["items"]
    (x, y, w, h), shown_face = (face["box"] for face in capture["faces"])
    assert taken.size == seen.size == (capture["width"], capture["height"])
    changed = ImageChops.difference(taken, seen).convert("L").point(lambda value: 255 * (value > 0)).getbbox()
    assert changed is not None
    assert changed[0] >= x - w / 2 and changed[1] >= y - h / 2 and changed[2] <= x + 1.5 * w and changed[3] <= y + 1.5 * h
    covered = (round(x), round(y), round(x + w), round(y + h))
    assert brightest(taken, covered) == 0, "nothing is left of the face"
    sx, sy, sw, sh = map(round, shown_face)
    face = (sx, sy, sx + sw, sy + sh)
    assert taken.crop(face).tobytes() == seen.crop(face).tobytes(), "whom the user shows is seen as on the screen"

    # What was dragged out is the same, but for what JPEG makes of it.
    assert dragged.size == taken.size
    assert brightest(dragged, covered) < 40
    assert max(ImageStat.Stat(ImageChops.difference(dragged, taken)).mean) < 6

    # It stays beside other work until it is closed.
    desktop.start(["xmessage", "-geometry", "200x100+300+600", "-title", "other", "in use"])
    desktop.ask("xdotool", "windowactivate", "--sync", desktop.window("other"))
    assert desktop.windows(POPUP)
