"""`ai-popup capture` on a real screen: what is saved and pasted is covered, and the rest of the screen is as it was."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.image_window import shown
from tests.support.real_program import RealProgram

# The photo, where it is shown: its face is inside FACE.
PLACE = (200, 100, 427, 640)
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


def opened(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def pasted(display: str) -> bytes:
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    return subprocess.run([sys.executable, "-c", PASTE], env=environment, capture_output=True, check=True, timeout=100).stdout


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
    assert "No face found. That doesn’t prove there is none: review before sharing." in empty.stderr
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
        assert api.post(f"{address}/copy").status_code == 204
        [kept] = api.get("/captures").json()["items"]
        assert (kept["copied"], kept["path"]) == (True, str(tmp_path / "a.webp"))
        changed = api.patch(address, json={"covered": {}, "drawn": []}).json()
        assert (changed["copied"], changed["path"]) == (False, None)
        assert api.delete(address).status_code == 204
        assert api.get(f"{address}/picture").status_code == 404 and api.get(address).json()["code"] == "capture.gone"
    assert opened(tmp_path / "a.webp").size == (1280, 800)


def test_what_can_not_be_captured_is_said(program_with_display: RealProgram, screen: str, tmp_path: Path) -> None:
    program = program_with_display

    def said(*words: str) -> str:
        done = program.run("capture", *words, "-o", str(tmp_path / "a.png"))
        assert done.returncode == 1 and not (tmp_path / "a.png").exists()
        return done.stderr

    assert "[agent.not_running]" in said()  # who chooses needs the agent's window
    program.start()
    assert "There is no screen 7; the number of screens is 1." in said("--screen", "7")
    assert "[capture.no_window]" in said("--window")  # no window manager says which
    assert "[capture.outside]" in said("--region", "5000,5000,10,10")
    assert "[people.recognition_off]" in said("--all", "--keep", "Mei")
