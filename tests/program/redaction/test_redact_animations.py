"""An animation through the real program: covered, put right by hand, and restored whole."""

from pathlib import Path

import numpy as np
import PIL.ImageSequence
import pytest
from PIL import Image

from tests.program.redaction.test_redact import files, safe
from tests.support.real_program import RealProgram

__all__ = ["safe"]  # a fixture

pytestmark = [pytest.mark.timeout(300)]


@pytest.fixture
def walk(tmp_path: Path, samples_folder: Path) -> Path:
    """Two faces; one goes, one stays."""
    with Image.open(samples_folder / "biden.jpg") as opened:
        face = opened.convert("RGB").reduce(4).crop((0, 0, 250, 200))
    frames = [Image.new("RGB", (600, 240), (120, 120, 120)) for _ in range(4)]
    for number, frame in enumerate(frames):
        frame.paste(face, (5 + 10 * number, 20))
        frame.paste(face, (320, 20))
    frames[0].save(tmp_path / "walk.png", save_all=True, append_images=frames[1:], duration=90, loop=0)
    return tmp_path / "walk.png"


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as opened:
        return [np.asarray(frame.convert("RGB")) for frame in PIL.ImageSequence.Iterator(opened)]


def test_an_animation_is_made_anew_as_it_was_edited(program: RealProgram, walk: Path, safe: Path) -> None:
    program.start()
    assert program.run("redact", str(walk), "-o", str(safe)).returncode == 0
    with program.api() as api:
        [batch] = api.get("/redactions").json()["items"]
        [item] = api.get(f"/redactions/{batch['uid']}/items").json()["items"]
        assert (item["clip"], item["editable"], item["found"]) == (True, True, 2)
        address = f"/redaction-items/{item['id']}"
        detail = api.get(address).json()
        assert (detail["moments"]["first"], detail["moments"]["last"], detail["moments"]["apart"]) == (0, 3, False)
        before = frames_of(safe / "walk.png")
        edited = [{**mark, "covered": mark["box"][0] > 200, "style": "emoji"} for mark in detail["marks"]]
        drawn = {"box": [10, 225, 40, 14], "shape": "box"}
        assert api.put(f"{address}/marks", json={"marks": [*edited, drawn]}).status_code == 200
        program.until(lambda _: api.get(address).json()["item"]["state"] == "done")
        again = api.get(address).json()
        assert [mark["covered"] for mark in again["marks"]] == [mark["covered"] for mark in edited] + [True]
        stills = [api.get(f"{address}/preview", params={"of": "original", "side": 300, "moment": at}).content for at in (0, 3)]
        assert all(still.startswith(b"\xff\xd8") for still in stills) and stills[0] != stills[1]

    assert files(safe) == {"walk.png"}
    for original, first, now in zip(frames_of(walk), before, frames_of(safe / "walk.png"), strict=True):
        assert (now[:220, :290] == original[:220, :290]).all() and (first[:220, :290] != original[:220, :290]).any()
        assert (now[:220, 330:] != original[:220, 330:]).any() and (now[:220, 330:] != first[:220, 330:]).any(), "in another style"
        assert not now[226:238, 12:48].any()


def test_pixels_alone_are_not_kept_and_the_whole_comes_back_byte_for_byte(program: RealProgram, walk: Path, safe: Path) -> None:
    program.start()
    refused = program.run("redact", str(walk), "-o", str(safe), "--restorable")
    assert refused.returncode == 1 and "[redact.video_keeps_no_regions]" in refused.stderr and "--keep-original" in refused.stderr
    assert files(safe) == set()

    assert program.run("redact", str(walk), "-o", str(safe), "--keep-original").returncode == 0
    back = program.run("restore", str(safe / "walk.png"))
    assert Path(back.stdout.strip()).read_bytes() == walk.read_bytes()
