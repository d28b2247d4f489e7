"""A region chosen in the real windows: what was seen is what comes out, to the pixel, whatever the scale and however many monitors."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import mss
import pytest
from PIL import Image

from tests.browser.conftest import need, x_server
from tests.support.image_window import shown
from tests.support.real_program import RealProgram

PHOTO = (200, 100, 427, 640)
# Bright without the picker's veil; and the photo's lower part, where nothing is covered.
BRIGHT, BELOW = (398, 347), (200, 520, 600, 700)
# The same right of the middle, and outside of the region.
BRIGHT_TOO, OUTSIDE = (425, 285), (610, 500)
WAIT_S = 60.0

MakeProgram = Callable[[Mapping[str, str]], RealProgram]


@pytest.fixture
def screen(samples_folder: Path) -> Iterator[str]:
    need("Xvfb", "xdotool", "xrandr")
    with x_server("-screen", "0", "1280x800x24") as display, shown(display, samples_folder / "obama.jpg", *PHOTO):
        yield display


def grabbed(display: str) -> Image.Image:
    with mss.MSS(display=display) as server:
        shot = server.grab(server.monitors[0])
    return Image.frombytes("RGB", shot.size, shot.rgb)


def dim(display: str, spot: tuple[int, int] = BRIGHT) -> bool:
    """Whether the picker's veil lies over the photo there."""
    pixel = grabbed(display).getpixel(spot)
    assert isinstance(pixel, tuple)
    return 90 < max(pixel) < 190  # black, it is not painted yet, and a click not for the page


def ask(display: str, *words: str) -> None:
    subprocess.run(words, env={**os.environ, "DISPLAY": display}, check=True, timeout=100, stdout=subprocess.DEVNULL)


@contextmanager
def choosing(program: RealProgram, display: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A capture that waits for its region, with the picker on the screen."""
    command = [sys.executable, "-m", "agent", "capture", "--json", *words]
    with subprocess.Popen(command, env=program.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: dim(display), "the picker was not seen")
            yield process
        finally:
            process.kill()  # unless it has ended: it waits as long as somebody may choose


def until(there: Callable[[], bool], failure: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not there():
        assert time.monotonic() < deadline, failure
        time.sleep(0.05)


# Of two monitors beside each other the second begins in the middle of the photo, so that the region lies on both.
@pytest.mark.parametrize(("scales", "middle"), [("1", None), ("2", None), ("1;1", 400), ("1;2", 400)])
def test_what_is_chosen_is_what_was_seen_to_the_pixel(
    make_program: MakeProgram, screen: str, tmp_path: Path, scales: str, middle: int | None
) -> None:
    if middle is not None:
        parts = (("L", 0, middle, "screen"), ("R", middle, 1280 - middle, "none"))
        ask(screen, "xrandr", *(word for name, x, w, out in parts for word in ("--setmonitor", name, f"{w}/200x800/200+{x}+0", out)))
    before = grabbed(screen)
    program = make_program({"DISPLAY": screen, "QT_SCREEN_SCALE_FACTORS": scales})
    program.start()
    with choosing(program, screen, "-o", str(tmp_path / "a.png")) as process:
        ask(screen, *["xdotool", "mousemove", "100", "20", "mousedown", "1", "mousemove", "300", "300", "mousemove", "600", "700"])
        # Chosen, it is seen without the veil: on both monitors, if there are two.
        until(lambda: not any(dim(screen, spot) for spot in (BRIGHT, BRIGHT_TOO)), "the region is not seen")
        assert dim(screen, OUTSIDE)
        grabbed(screen).save(tmp_path / "chosen.png")
        ask(screen, "xdotool", "mouseup", "1")
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    [face] = json.loads(out)["faces"]
    picture = Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())).convert("RGB")
    x, y, w, h = face["box"]
    assert picture.size == (500, 680) and picture.crop((int(x) + 1, int(y) + 1, int(x + w), int(y + h))).getextrema() == ((0, 0),) * 3
    left, top, right, bottom = BELOW
    assert picture.crop((left - 100, top - 20, right - 100, bottom - 20)).tobytes() == before.crop(BELOW).tobytes()
    assert grabbed(screen).tobytes() == before.tobytes(), "the picker is gone"


def test_a_monitor_that_is_plugged_in_ends_the_choice_with_a_word_and_leaves_no_window(
    make_program: MakeProgram, screen: str, tmp_path: Path
) -> None:
    program = make_program({"DISPLAY": screen})
    program.start()
    before = grabbed(screen)
    with choosing(program, screen, "-o", str(tmp_path / "a.png")) as process:
        ask(screen, "xrandr", "--setmonitor", "L", "400/200x800/200+0+0", "screen", "--setmonitor", "R", "880/200x800/200+400+0", "none")
        _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1 and "[capture.failed]" in err
    until(lambda: grabbed(screen).tobytes() == before.tobytes(), "a window is left")
    assert not list(tmp_path.glob("*.png"))


def test_keys_choose_a_region_and_call_it_off(make_program: MakeProgram, screen: str, tmp_path: Path) -> None:
    program = make_program({"DISPLAY": screen})
    program.start()
    with choosing(program, screen, "-o", str(tmp_path / "a.png")) as process:
        ask(screen, "xdotool", "key", "Escape")
        _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1 and "[capture.cancelled]" in err and not dim(screen) and not list(tmp_path.glob("*.png"))
    with choosing(program, screen, "-o", str(tmp_path / "a.png")) as process:
        ask(screen, "xdotool", "key", "Right", "shift+Right", "Down", "Return")
        out, err = process.communicate(timeout=WAIT_S)
    # At first a quarter of the screen in from its edges; then ten pixels wider.
    assert process.returncode == 0 and (json.loads(out)["width"], json.loads(out)["height"]) == (650, 400), err
