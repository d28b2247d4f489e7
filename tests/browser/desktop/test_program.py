"""The whole program on a real desktop: the icon is clicked, photos are dropped, the popup shows them, and Quit ends every process."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from PIL import Image, ImageChops

from agent.desktop.popup.window_backend import HEIGHT, WIDTH

if TYPE_CHECKING:
    from tests.browser.conftest import Desktop
    from tests.support.real_program import RealProgram

Until = Callable[[Callable[[], bool], str], None]
POPUP = "^AI Popup$"
# Colours that nothing else on the screen is near to.
MAGENTA, LIME = (255, 0, 200), (120, 255, 0)
ACCENT = (11, 107, 93)  # of the light theme


@pytest.fixture
def tray_icon(desktop: "Desktop") -> tuple[int, int]:
    """Where the first icon of the tray stands, once there is one."""
    tray = desktop.ask("xdotool", "search", "--onlyvisible", "--class", "stalonetray").split()[-1]
    left, top, _, height = desktop.geometry(tray)
    return left + height // 2, top + height // 2


@pytest.fixture
def running(
    desktop: "Desktop", make_program: "Callable[[Mapping[str, str]], RealProgram]", tray_icon: tuple[int, int], until: Until
) -> "RealProgram":
    """The program with its icon in the tray."""
    program = make_program({name: desktop.environment[name] for name in ("DISPLAY", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")})
    program.file.set("general.language", "en")
    program.file.set("general.theme", "light")
    program.start(tray=True)
    until(lambda: colours(desktop, tray_icon, 10) > 3, "tray icon")
    return program


def colours(desktop: "Desktop", middle: tuple[int, int], reach: int) -> int:
    x, y = middle
    return len(desktop.screenshot().crop((x - reach, y - reach, x + reach, y + reach)).getcolors(1 << 20) or ())


def popup_picture(desktop: "Desktop") -> Image.Image:
    left, top, width, height = desktop.geometry(desktop.window(POPUP))
    assert (width, height) == (WIDTH, HEIGHT)
    return desktop.screenshot().crop((left, top, left + width, top + height))


def near(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many pixels have about this colour."""
    bands = [
        band.point([255 if abs(value - wanted) < 40 else 0 for value in range(256)])
        for band, wanted in zip(picture.split(), colour, strict=True)
    ]
    same = ImageChops.darker(ImageChops.darker(bands[0], bands[1]), bands[2])
    return same.histogram()[255]


def bar(desktop: "Desktop") -> int:
    """How many pixels the progress card's bar has."""
    return near(popup_picture(desktop).crop((10, 240, WIDTH - 10, 265)), ACCENT)


def framed(photo: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """A photo with a broad coloured edge, to be found on the screen by it."""
    picture = Image.new("RGB", (photo.width + 300, photo.height + 300), colour)
    picture.paste(photo, (150, 150))
    return picture


def test_from_the_icon_to_the_popup_to_the_end(
    desktop: "Desktop",
    running: "RealProgram",
    tray_icon: tuple[int, int],
    photo: Callable[[int], Image.Image],
    until: Until,
    tmp_path: Path,
) -> None:
    # A click on the icon opens the popup.
    assert not desktop.windows(POPUP)
    desktop.click(tray_icon)
    until(lambda: len(popup_picture(desktop).getcolors(1 << 20) or ()) > 30, "the popup's page")
    desktop.screenshot(tmp_path / "1-opened.png")

    # A photo is dropped: its card shows it, and says what was found.
    framed(photo(0), MAGENTA).save(running.watched / "dropped.png")
    until(lambda: near(popup_picture(desktop), MAGENTA) > 5_000, "the photo in the popup")
    desktop.screenshot(tmp_path / "2-photo.png")
    assert len(running.images()["dropped.png"].faces) == 1

    # A second start shows the first one's popup, and ends.
    running.post("/api/popup/hide")
    until(lambda: not desktop.windows(POPUP), "no popup")
    second = running.run("run")
    assert second.returncode == 0
    until(lambda: near(popup_picture(desktop), MAGENTA) > 5_000, "the popup again")

    # Quit ends every process.
    processes = [psutil.Process(running.process.pid), *running.children()] if running.process else []
    assert {"engine-worker", "popup-window"} <= {word for process in processes for word in process.cmdline()}
    desktop.open_menu(tray_icon)
    desktop.screenshot(tmp_path / "3-menu.png")
    desktop.keys("Up", "Return")
    _, left = psutil.wait_procs(processes, timeout=100)
    assert not left
    assert running.process is not None and running.process.wait(1) == 0
    until(lambda: not desktop.windows(POPUP), "no popup")


def test_a_burst_is_one_card_with_its_progress(
    desktop: "Desktop", running: "RealProgram", photo: Callable[[int], Image.Image], until: Until, tmp_path: Path
) -> None:
    for number in range(30):
        framed(photo(number), LIME).resize((2000, 1500)).save(tmp_path / f"{number}.jpg", quality=95)
    for number in range(30):
        shutil.copy(tmp_path / f"{number}.jpg", running.watched / f"{number}.jpg")

    # The card has the newest photos, small, and a bar that grows.
    until(lambda: bar(desktop) > 100, "the bar of the progress card")
    desktop.screenshot(tmp_path / "1-burst.png")
    burst = running.status().burst
    assert burst is not None and burst.total <= 30

    # Its end: what came of it.
    finished = running.settled(30).finished
    assert finished is not None and (finished.photos, finished.with_faces, finished.failed) == (30, 30, 0)
    until(lambda: near(popup_picture(desktop), LIME) == 0 and bar(desktop) < 20, "the account of the burst")
    desktop.screenshot(tmp_path / "2-after.png")
