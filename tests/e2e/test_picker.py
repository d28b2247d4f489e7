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

from tests.e2e.conftest import need, x_server
from tests.program import RealProgram
from tests.shown import shown

pytestmark = pytest.mark.slow

PHOTO = (200, 100, 427, 640)
# Bright without the picker's veil; and the photo's lower part, where nothing is covered.
BRIGHT, BELOW = (398, 347), (200, 520, 600, 700)
WAIT_S = 40.0

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


def dim(display: str) -> bool:
    """Whether the picker's veil lies over the photo."""
    pixel = grabbed(display).getpixel(BRIGHT)
    assert isinstance(pixel, tuple)
    return max(pixel) < 190


def ask(display: str, *words: str) -> None:
    subprocess.run(words, env={**os.environ, "DISPLAY": display}, check=True, timeout=20, stdout=subprocess.DEVNULL)


@contextmanager
def choosing(program: RealProgram, display: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A capture that waits for its region, with the picker on the screen."""
    command = [sys.executable, "-m", "agent", "capture", "--json", *words]
    with subprocess.Popen(command, env=program.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + WAIT_S
        while not dim(display):
            assert time.monotonic() < deadline, "the picker was not seen"
            time.sleep(0.05)
        yield process


@pytest.mark.parametrize(("scale", "two"), [("1", False), ("2", False), ("1", True)])
def test_what_is_chosen_is_what_was_seen_to_the_pixel(
    make_program: MakeProgram, screen: str, tmp_path: Path, scale: str, two: bool
) -> None:
    if two:
        halves = (("L", "0", "screen"), ("R", "640", "none"))
        ask(screen, "xrandr", *(word for name, x, out in halves for word in ("--setmonitor", name, f"640/200x800/200+{x}+0", out)))
    before = grabbed(screen)
    program = make_program({"DISPLAY": screen, "QT_SCALE_FACTOR": scale})
    program.start()
    with choosing(program, screen, "-o", str(tmp_path / "a.png")) as process:
        ask(
            screen,
            *["xdotool", "mousemove", "100", "20", "mousedown", "1", "mousemove", "300", "300", "mousemove", "600", "700", "mouseup", "1"],
        )
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    [face] = json.loads(out)["faces"]
    picture = Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())).convert("RGB")
    x, y, w, h = face["box"]
    assert picture.size == (500, 680) and picture.crop((int(x) + 1, int(y) + 1, int(x + w), int(y + h))).getextrema() == ((0, 0),) * 3
    left, top, right, bottom = BELOW
    assert picture.crop((left - 100, top - 20, right - 100, bottom - 20)).tobytes() == before.crop(BELOW).tobytes()
    assert grabbed(screen).tobytes() == before.tobytes(), "the picker is gone"


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
