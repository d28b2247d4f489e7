"""Covered copies by the real program: nobody is left on them, and whatever is killed or full, nothing is half-made, lost or doubled."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import av
import numpy as np
import pytest
from PIL import Image

from agent.domain.errors import AgentError
from agent.features.redaction.schemas import RedactLine, RedactRequest
from tests.process.clips.test_clips import face_clip
from tests.support.real_program import RealProgram
from tests.support.synthetic_clips import Made, made_clip

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytestmark = [pytest.mark.timeout(300)]
Photo = Callable[[int], Image.Image]
NO_TEXT = "ÿ.jpg" if sys.platform == "win32" else os.fsdecode(b"\xff.jpg")
MANY = 24  # more than are made before a kill takes effect


@pytest.fixture
def album(tmp_path: Path, photo: Photo) -> Path:
    """Six photos with nine faces; names in several scripts, one of them no text at all where that can be."""
    folder = tmp_path / "album"
    (folder / "旅行").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "旅行/图.png", "旅行/שלום.jpg", "b c.webp", "é.jpg", NO_TEXT)):
        photo(number).save(folder / name)
    return folder


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return tmp_path / "safe"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else set()


def pixels(path: Path) -> "NDArray[np.uint8]":
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def faces_on(program: RealProgram, folder: Path) -> int:
    said = program.run("scan", "--json", str(folder))
    return sum(len(json.loads(line)["faces"]) for line in said.stdout.splitlines())


@pytest.mark.parametrize("running", [False, True])
def test_nobody_is_left_on_the_copies_of_a_folder(program: RealProgram, album: Path, safe: Path, running: bool) -> None:
    if running:
        program.start()

    said = program.run("redact", str(album), "-o", str(safe), "--strip-metadata", "--report")

    assert said.returncode == 0, said.stderr
    assert {name for name in files(safe) if not name.endswith(".redaction.json")} == files(album)
    assert len(files(safe)) == 2 * len(files(album))
    assert faces_on(program, album) == 9
    assert faces_on(program, safe) == 0
    again = program.run("redact", str(album), "-o", str(safe), "--strip-metadata", "--report")
    assert "6 of them already exist" in again.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="names there hold no bytes")
@pytest.mark.parametrize("running", [False, True])
def test_json_names_files_that_are_no_text_so_that_they_can_be_opened_again(
    program: RealProgram, album: Path, safe: Path, running: bool
) -> None:
    if running:
        program.start()
    [odd] = [path for path in album.iterdir() if path.name.startswith("\udcff")]

    def opened(uri: str) -> bytes:
        return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix("file://")))).read_bytes()

    made = program.run("redact", "--json", str(odd), "-o", str(safe))
    scanned = program.run("scan", "--json", str(odd))

    assert (made.returncode, scanned.returncode) == (0, 0), made.stderr + scanned.stderr
    copy, photo = json.loads(made.stdout), json.loads(scanned.stdout)
    assert photo["path"] == copy["source"] == str(album / "\ufffd.jpg")
    assert opened(photo["uri"]) == opened(copy["source_uri"]) == odd.read_bytes()
    assert opened(copy["target_uri"]) == (safe / odd.name).read_bytes()


def test_what_is_hidden_comes_back_exactly(program: RealProgram, album: Path, safe: Path) -> None:
    program.start()
    picture = album / "旅行" / "图.png"
    assert program.run("redact", str(picture), "-o", str(safe), "--restorable").returncode == 0
    words = ["redact", str(album / "a.jpg"), "--in-place", "--keep-original", "--passphrase"]
    assert program.run(*words, input="right horse battery\n").returncode == 0

    back = program.run("restore", str(safe / "图.png"))
    assert (pixels(Path(back.stdout.strip())) == pixels(picture)).all(), "a lossless copy is whole again"
    assert (pixels(safe / "图.png") != pixels(picture)).any()

    assert "[redact.wrong_key]" in program.run("restore", str(album / "a.jpg"), "--passphrase", input="wrong\n").stderr
    whole = program.run("restore", str(album / "a.jpg"), "--passphrase", input="right horse battery\n")
    assert whole.returncode == 0, whole.stderr
    assert faces_on(program, Path(whole.stdout.strip())) == 1


def test_a_copy_is_made_anew_as_it_was_edited(program: RealProgram, album: Path, safe: Path) -> None:
    program.start()
    assert program.run("redact", str(album / "b c.webp"), "-o", str(safe)).returncode == 0
    with program.api() as api:
        [batch] = api.get("/redactions").json()["items"]
        [item] = api.get(f"/redactions/{batch['uid']}/items").json()["items"]
        marks = api.get(f"/redaction-items/{item['id']}").json()["marks"]
        assert [mark["covered"] for mark in marks] == [True, True]
        edited = [{**marks[0], "covered": False}, *marks[1:], {"box": [1, 1, 30, 30], "shape": "box"}]
        assert api.put(f"/redaction-items/{item['id']}/marks", json={"marks": edited}).status_code == 200
        program.until(lambda _: api.get(f"/redaction-items/{item['id']}").json()["item"]["state"] == "done")
        shown = api.get(f"/redaction-items/{item['id']}/preview", params={"side": 200})
        assert shown.status_code == 200 and shown.content.startswith(b"\xff\xd8")

    assert files(safe) == {"b c.webp"}
    assert faces_on(program, safe) == 1
    assert pixels(safe / "b c.webp")[5:25, 5:25].std() < 5, "the area that was drawn by hand is covered"


def test_a_batch_goes_on_after_the_agent_was_killed(program: RealProgram, tmp_path: Path, photo: Photo, safe: Path) -> None:
    album = tmp_path / "many"
    album.mkdir()
    for number in range(MANY):
        photo(number).save(album / f"{number}.jpg")
    expected = {f"{number}.jpg{ending}" for number in range(MANY) for ending in ("", ".aipopup")}
    program.start()
    first = threading.Event()

    def listen() -> None:
        request = RedactRequest(paths=(str(album),), out=str(safe), keeping="original")
        with contextlib.suppress(AgentError), program.client() as client:
            for line in client.lines("/api/redact", RedactLine, request):
                if line.item is not None:
                    first.set()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        assert first.wait(60)
        program.kill()
        assert not expected <= files(safe), "it was killed in the middle"
    finally:
        listener.join(60)

    program.start()

    with program.api() as api:
        [batch] = api.get("/redactions").json()["items"]
        program.until(lambda _: api.get(f"/redactions/{batch['uid']}").json()["planned"] == 0)
        after = api.get(f"/redactions/{batch['uid']}").json()
    assert (after["done"] + after["needs_review"], after["failed"]) == (MANY, 0)
    assert files(safe) == expected, "nothing is doubled, and nothing half-made is left"
    back = program.run("restore", str(safe / "11.jpg"))
    assert Path(back.stdout.strip()).read_bytes() == (album / "11.jpg").read_bytes()


def test_a_clip_goes_on_after_the_agent_was_killed(program: RealProgram, tmp_path: Path, safe: Path) -> None:
    options = (("g", "16"), ("preset", "ultrafast"))
    clip = made_clip(tmp_path / "clip.mp4", Made(moments=range(0, 80 * 300, 300), size=(160, 120), options=options, sound=None))
    program.start()
    begun = threading.Event()

    def listen() -> None:
        with contextlib.suppress(AgentError), program.client() as client:
            for line in client.lines("/api/redact", RedactLine, RedactRequest(paths=(str(clip),), out=str(safe / "copy.mp4"))):
                if line.under_way is not None:
                    begun.set()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        assert begun.wait(60)
        program.kill()
        assert not (safe / "copy.mp4").exists(), "it was killed in the middle"
    finally:
        listener.join(60)
    assert list(program.paths.cache.glob("clips/*/*.seen")), "something is finished"

    program.start()

    with program.api() as api:
        [batch] = api.get("/redactions").json()["items"]
        program.until(lambda _: api.get(f"/redactions/{batch['uid']}").json()["planned"] == 0)
        [item] = api.get(f"/redactions/{batch['uid']}/items").json()["items"]
    assert (item["error"], item["doubts"], item["editable"]) == (None, ["no_face"], True)
    assert files(safe) == {"copy.mp4"}
    assert not list(program.paths.cache.glob("clips/*")), "nothing of it is kept"
    with av.open(str(safe / "copy.mp4")) as made:
        assert sum(1 for _ in made.decode(video=0)) == 80


@pytest.fixture
def small(program: RealProgram, safe: Path) -> Iterator[None]:
    """Where copies go there is room for less than one."""
    safe.mkdir()
    if (
        sys.platform != "linux"
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(safe)], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs to mount a disk")
    try:
        yield
    finally:
        program.quit()
        subprocess.run(["umount", str(safe)], check=True)


@pytest.mark.usefixtures("small")
def test_a_disk_that_is_full_in_the_middle_leaves_nothing_half_made(program: RealProgram, album: Path, safe: Path) -> None:
    program.start()

    said = program.run("redact", str(album), "-o", str(safe))

    assert said.returncode == 1
    assert "[redact.disk_full]" in said.stderr, said.stderr
    assert not any(name.endswith(".tmp") for name in files(safe))
    for name in files(safe):
        pixels(safe / name)  # what has its name is whole
    assert program.alive


def test_a_folder_in_which_nobody_may_write_is_said(program: RealProgram, album: Path) -> None:
    folder = "/proc/copies" if sys.platform == "linux" else str(album / "é.jpg" / "copies")
    said = program.run("redact", str(album / "a.jpg"), "-o", folder)

    assert said.returncode == 1
    assert "[redact.unwritable]" in said.stderr


def test_two_agents_that_look_after_one_folder_make_one_copy_of_each_photo(
    program: RealProgram, tmp_path: Path, models_folder: Path, photo: Photo, safe: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = RealProgram(tmp_path / "other", models_folder, {})
    try:
        for each in (program, other):
            each.file.remove_folder(str(each.watched))
            each.file.add_folder(program.watched, {"redact_to": str(safe)})
            each.start()
        for number in range(4):
            photo(number).save(tmp_path / "photo.jpg")
            (tmp_path / "photo.jpg").replace(program.watched / f"{number}.jpg")
        expected = {f"{number}.jpg" for number in range(4)}

        def done(each: RealProgram) -> bool:
            with each.api() as api:
                return [batch["done"] + batch["needs_review"] for batch in api.get("/redactions").json()["items"]] == [4]

        for each in (program, other):
            each.until(lambda _, each=each: done(each), within=90)  # type: ignore[misc]
        assert files(safe) == expected
    finally:
        other.quit()


def test_a_rule_of_a_folder_covers_a_clip_that_is_put_there(program: RealProgram, tmp_path: Path, samples_folder: Path, safe: Path) -> None:
    program.file.change_folder(str(program.watched), {"redact_to": str(safe)})
    program.start()
    original = program.watched / "clip.mp4"
    face_clip(tmp_path / "clip.mp4", samples_folder).rename(original)
    program.until(lambda _: files(safe) == {"clip.mp4"}, within=90)

    assert faces_on(program, stills(original, tmp_path / "before")) == 4
    assert faces_on(program, stills(safe / "clip.mp4", tmp_path / "after")) == 0


def stills(clip: Path, folder: Path) -> Path:
    """Each fifth frame as a picture. Returns the folder."""
    folder.mkdir()
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 5 == 0:
                Image.fromarray(frame.to_ndarray(format="rgb24")).save(folder / f"{number}.png")
    return folder


def test_a_rule_of_a_folder_is_followed_after_the_agent_was_killed(program: RealProgram, photo: Photo, safe: Path) -> None:
    program.file.change_folder(str(program.watched), {"redact_to": str(safe)})
    program.start()
    photo(0).save(program.watched / "0.jpg")
    program.until(lambda _: files(safe) == {"0.jpg"})
    program.kill()
    photo(1).save(program.watched / "1.jpg")

    program.start()

    program.until(lambda _: files(safe) == {"0.jpg", "1.jpg"})
    assert faces_on(program, safe) == 0
