"""`ai-popup capture` on a real screen: what is saved and pasted is covered, and the rest of the screen is as it was."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mss
import pytest
from PIL import Image

from tests.program import RealProgram
from tests.shown import shown

# The photo, where it is shown: its face is inside FACE.
PLACE = (200, 100, 427, 640)
# Bright without the picker's veil.
BRIGHT = (398, 347)
BLACK = ((0, 0),) * 3
# What another program gets when it pastes.
PASTE = """
import sys
from PySide6.QtGui import QGuiApplication
application = QGuiApplication([])
sys.stdout.buffer.write(application.clipboard().mimeData().data("image/png").data())
"""


@pytest.fixture
def screen(x_display: str, samples_folder: Path) -> Iterator[str]:
    with shown(x_display, samples_folder / "obama.jpg", *PLACE):
        yield x_display


def captured(program: RealProgram, *words: str) -> dict[str, object]:
    done = program.run("capture", "--json", *words)
    assert done.returncode == 0, done.stderr
    said: dict[str, object] = json.loads(done.stdout)
    return said


def covered_inside(picture: Image.Image, said: dict[str, object]) -> bool:
    """Whether every face's box is black."""
    faces = said["faces"]
    assert isinstance(faces, list) and faces
    boxes = [face["box"] for face in faces]
    return all(picture.crop((int(x) + 1, int(y) + 1, int(x + w), int(y + h))).getextrema() == BLACK for x, y, w, h in boxes)


def grabbed(display: str) -> Image.Image:
    with mss.MSS(display=display) as screen:
        shot = screen.grab(screen.monitors[0])
    return Image.frombytes("RGB", shot.size, shot.rgb)


def dim(display: str) -> bool:
    """Whether the picker's veil lies over the photo's bright part."""
    return max(grabbed(display).getpixel(BRIGHT)) < 190  # type: ignore[arg-type]


def picker_shown(display: str) -> None:
    deadline = time.monotonic() + 40
    while not dim(display):
        assert time.monotonic() < deadline, "the picker was not seen"
        time.sleep(0.05)


def xdotool(display: str, *words: str) -> None:
    subprocess.run(["xdotool", *words], env={**os.environ, "DISPLAY": display}, check=True, timeout=20)


def opened(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def pasted(display: str) -> bytes:
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    return subprocess.run([sys.executable, "-c", PASTE], env=environment, capture_output=True, check=True, timeout=30).stdout


def test_a_region_is_saved_with_its_face_covered_by_a_command_alone(program_with_display: RealProgram, screen: str, tmp_path: Path) -> None:
    program = program_with_display
    said = captured(program, "--region", "150,50,500,700", "-o", str(tmp_path / "a.png"))
    picture = opened(tmp_path / "a.png").convert("RGB")
    assert said["path"] == str(tmp_path / "a.png") and picture.size == (500, 700) == (said["width"], said["height"])
    assert covered_inside(picture, said) and picture.getpixel((250, 600)) != (0, 0, 0)
    assert not [each for each in tmp_path.iterdir() if each.suffix == ".tmp"]

    again = program.run("capture", "--region", "150,50,500,700", "-o", str(tmp_path / "a.png"))
    assert again.stdout.strip() == str(tmp_path / "a (2).png") and "1 face covered." in again.stderr

    empty = program.run("capture", "--region", "0,0,100,50", "-o", str(tmp_path / "b.jpg"))
    assert "No face found. That doesn’t prove there is none: look before you share." in empty.stderr
    assert opened(tmp_path / "b.jpg").format == "JPEG"

    alone = program.run("capture", "--copy", "--all")
    assert alone.returncode == 1 and "[agent.not_running]" in alone.stderr


def test_what_is_copied_is_pasted_covered_while_the_agent_lives(program_with_display: RealProgram, screen: str) -> None:
    program = program_with_display
    program.start()
    said = captured(program, "--screen", "1", "--copy")
    picture = Image.open(io.BytesIO(pasted(screen))).convert("RGB")
    assert said["copied"] and said["path"] is None and picture.size == (1280, 800)
    assert covered_inside(picture, said)
    with program.api() as api:
        assert api.get("/captures").json() == {"items": []}
    [holder] = program.children("clipboard-holder")
    program.quit()
    assert not holder.is_running()


def test_a_capture_is_reviewed_over_the_api(program_with_display: RealProgram, screen: str, tmp_path: Path) -> None:
    program = program_with_display
    program.start()
    with program.api() as api:
        api.timeout = 60
        made = api.post("/captures", json={"what": "all"}).json()
        [face] = made["faces"]
        address = f"/captures/{made['id']}"
        assert made["open"] and face["covered"] and face["person"] is None
        assert api.get("/monitors").json()["items"][0]["region"] == [0, 0, 1280, 800]

        def inside() -> object:
            answer = api.get(f"{address}/picture")
            assert answer.headers["cache-control"] == "no-store" and answer.headers["content-type"] == "image/png"
            x, y, w, h = face["box"]
            return Image.open(io.BytesIO(answer.content)).convert("RGB").crop((int(x) + 1, int(y) + 1, int(x + w), int(y + h))).getextrema()

        assert inside() == BLACK
        assert not api.patch(address, json={"covered": {"0": False}}).json()["faces"][0]["covered"]
        assert inside() != BLACK
        x, y, w, h = face["box"]
        assert api.patch(address, json={"drawn": [[x, y, w, h]], "style": "emoji"}).json()["drawn"] == [face["box"]]
        assert inside() != BLACK
        assert api.patch(address, json={"style": "solid"}).status_code == 200
        assert inside() == BLACK
        assert api.post(f"{address}/save", json={"path": str(tmp_path / "a.webp")}).json() == {"path": str(tmp_path / "a.webp")}
        assert api.delete(address).status_code == 204
        assert api.get(f"{address}/picture").status_code == 404 and api.get(address).json()["code"] == "capture.gone"
    assert opened(tmp_path / "a.webp").size == (1280, 800)


def test_a_region_is_chosen_on_a_picture_that_stands_still(program_with_display: RealProgram, screen: str, tmp_path: Path) -> None:
    program = program_with_display
    program.start()
    command = [sys.executable, "-m", "agent", "capture", "--json", "-o", str(tmp_path / "a.png")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=program.environment, stdout=pipe, stderr=pipe, text=True) as choosing:
        picker_shown(screen)
        xdotool(screen, "mousemove", "150", "50", "mousedown", "1", "mousemove", "300", "300", "mousemove", "650", "750", "mouseup", "1")
        out, err = choosing.communicate(timeout=40)
    assert choosing.returncode == 0, err
    said = json.loads(out)
    picture = opened(tmp_path / "a.png").convert("RGB")
    assert picture.size == (500, 700) and covered_inside(picture, said)
    assert dim(screen) is False  # the picker is gone, and was not on the picture
    assert picture.crop((0, 450, 500, 700)).tobytes() == grabbed(screen).crop((150, 500, 650, 750)).tobytes()


def test_keys_choose_a_region_and_call_it_off(program_with_display: RealProgram, screen: str, tmp_path: Path) -> None:
    program = program_with_display
    program.start()
    out = ""
    for keys, code in ((("Escape",), 1), (("Right", "shift+Right", "Down", "Return"), 0)):
        command = [sys.executable, "-m", "agent", "capture", "--json", "-o", str(tmp_path / "a.png")]
        with subprocess.Popen(command, env=program.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as choosing:
            picker_shown(screen)
            xdotool(screen, "key", *keys)
            out, err = choosing.communicate(timeout=40)
        assert choosing.returncode == code, err
        assert ("[capture.cancelled]" in err) is (code == 1) and not dim(screen)
    # A quarter of the screen in from its edges, ten pixels wider, ten further down.
    assert (json.loads(out)["width"], json.loads(out)["height"]) == (650, 400)


def test_what_can_not_be_captured_is_said(program_with_display: RealProgram, screen: str, tmp_path: Path) -> None:
    program = program_with_display

    def said(*words: str) -> str:
        done = program.run("capture", *words, "-o", str(tmp_path / "a.png"))
        assert done.returncode == 1 and not (tmp_path / "a.png").exists()
        return done.stderr

    assert "[agent.not_running]" in said()  # who chooses needs the agent's window
    program.start()
    assert "There is no screen 7; those there are: 1." in said("--screen", "7")
    assert "[capture.no_window]" in said("--window")  # no window manager says which
    assert "[capture.outside]" in said("--region", "5000,5000,10,10")
    assert "[people.recognition_off]" in said("--all", "--keep", "Mei")
