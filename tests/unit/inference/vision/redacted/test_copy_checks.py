"""A copy is looked at before it is said to be done: what another decoder sees is what was drawn, and covered areas are flat."""

import io
from collections.abc import Callable, Iterator
from itertools import product
from typing import BinaryIO

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.domain.errors import CopyUnproven
from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Shape, Style
from agent.inference.vision import redactor
from agent.inference.vision.animations import animation_writing, multi_frame_writer
from agent.inference.vision.animations.animation_reading import Film, shown
from agent.inference.vision.animations.multi_frame_writer import DrawnFrames
from agent.inference.vision.codecs import decode
from agent.inference.vision.redacted import RenderOptions, encoders, render
from agent.inference.vision.redacted.canvas import open_canvas
from agent.inference.vision.redacted.cover_check import is_flat
from agent.inference.vision.redacted.kept_metadata import KeptMetadata
from agent.inference.vision.redacted.metadata import PhotoMetadata
from tests.support.covered_files import COVER, FILES, LIMITS, scene
from tests.support.unusual_images import ODD
from tests.unit.inference.vision.animations.test_animations import LOSSY, MADE

WISH = RenderOptions((COVER,))
READ = [name for name in ODD if name != "bigtiff-motorola"]
# Into one another, beside one another, over an edge, tiny.
COVERS = [(8, 8, 60, 50), (40, 20, 60, 60), (70, 60, 80, 80), (100, 5, 9, 9), (-20, 40, 40, 30)]


def covers(style: Style, other: Style) -> list[Cover]:
    return [Cover(Box(*box), Look((style, other)[number % 2], list(Shape)[number % 2])) for number, box in enumerate(COVERS)]


@pytest.mark.parametrize("name", [*FILES, *READ])
def test_what_is_covered_is_what_faces_were_looked_for_in(name: str) -> None:
    data = FILES[name](1) if name in FILES else ODD[name](scene(1))
    image = decode(data, LIMITS)
    canvas, _ = open_canvas(data, image.format, LIMITS)
    assert np.abs(image.pixels.astype(int) - shown(canvas)).max() <= 1


@pytest.mark.parametrize("name", READ)
def test_an_odd_layout_shows_the_picture(name: str) -> None:
    pixels = scene(1)
    off = np.abs(decode(ODD[name](pixels), LIMITS).pixels.astype(int) - pixels).max()
    assert off <= (16 if name == "bmp-4444" else 0)


@pytest.mark.parametrize(("style", "other", "deep"), [*product(Style, Style, [False, True])])
def test_what_was_drawn_is_told_to_be(style: Style, other: Style, deep: bool) -> None:
    for channels in (1, 3):
        pixels = scene(1, channels, deep=deep)
        assert not is_flat(pixels, covers(style, other))
        redactor.redact(pixels, covers(style, other))
        assert is_flat(pixels, covers(style, other))


@pytest.mark.parametrize("style", [Style.SOLID, Style.MOSAIC, Style.EMOJI])
def test_one_pixel_that_shines_through_is_seen(style: Style) -> None:
    cover = Cover(Box(10, 10, 70, 70), Look(style))
    for y, x in ((45, 45), (12, 45), (45, 78)):
        pixels = scene(1)
        redactor.redact(pixels, [cover])
        assert redactor.covered([cover], 128, 96)[y, x]
        pixels[y, x] ^= 1
        assert not is_flat(pixels, [cover])


def test_an_edge_in_a_blurred_area_is_seen() -> None:
    cover = Cover(Box(10, 10, 70, 70), Look(Style.BLUR))
    pixels = scene(1)
    redactor.redact(pixels, [cover])
    pixels[45, 45] = 255 - pixels[45, 45] // 2
    assert not is_flat(pixels, [cover])


@pytest.mark.parametrize("style", Style)
def test_a_copy_whose_covers_were_not_drawn_is_none(style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(redactor._STYLES, style, lambda *_: None)
    with pytest.raises(CopyUnproven):
        render(FILES["png"](1), RenderOptions((Cover(COVER.box, Look(style)),)), LIMITS)


def uncovered(pixels: NDArray[np.uint8]) -> None:
    pixels[40:60, 50:76] = 220


def moved(pixels: NDArray[np.uint8]) -> None:
    pixels[:] = np.roll(pixels, 40, axis=1)


@pytest.mark.parametrize("harm", [uncovered, moved])
@pytest.mark.parametrize("format", sorted(encoders.FORMATS))
def test_a_copy_in_which_something_else_was_written_is_none(
    format: str, harm: Callable[[NDArray[np.uint8]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if memory had changed, or an encoder had a defect."""
    encode = encoders.encode

    def encoded(canvas, *rest):  # type: ignore[no-untyped-def]
        kept = canvas.ordered("RGB").copy()
        harm(canvas.colours)
        found = encode(canvas, *rest)
        canvas.colours, canvas.order = kept, "RGB"
        return found

    wish = RenderOptions((COVER,), format)
    assert render(FILES["png"](1), wish, LIMITS).format == format
    monkeypatch.setattr(encoders, "encode", encoded)
    with pytest.raises(CopyUnproven):
        render(FILES["png"](1), wish, LIMITS)


@pytest.mark.parametrize("format", sorted(encoders.FORMATS))
def test_opencv_is_asked_for_no_format_that_its_packages_lack(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of this program (`installers/slim_opencv.py`) and of Windows read no AVIF."""
    decoded = cv2.imdecode

    def imdecode(data: NDArray[np.uint8], flags: int) -> object:
        return decoded(data, flags) if data.tobytes().startswith((b"\xff\xd8", b"\x89PNG", b"RIFF", b"II", b"MM", b"BM")) else None

    monkeypatch.setattr(cv2, "imdecode", imdecode)
    for name in FILES:
        assert render(FILES[name](1), RenderOptions((COVER,), format), LIMITS).format == format


def test_a_large_jpeg_is_looked_at_at_half_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.inference.vision.redacted.copy_checks.HALF", 1000)
    for name in ("jpeg", "jpeg-grey"):
        assert render(FILES[name](1), WISH, LIMITS).format == "jpeg"
    test_a_copy_in_which_something_else_was_written_is_none("jpeg", uncovered, monkeypatch)


def test_a_copy_that_cant_be_read_again_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "encode", lambda *args: (b"\x89PNG broken", args[2]))
    with pytest.raises(CopyUnproven):
        render(FILES["png"](1), WISH, LIMITS)


@pytest.mark.parametrize("name", [*MADE, *LOSSY])
def test_a_film_of_which_one_frame_shows_something_else_is_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (MADE.get(name) or LOSSY[name])(1)
    kind = name.partition("-")[0]
    written = getattr(multi_frame_writer, f"write_{kind}")

    def each(drawn: Iterator[DrawnFrames]) -> Iterator[DrawnFrames]:
        for number, frame in enumerate(drawn):
            kept = frame.canvas.ordered("RGB").copy()
            if number == 2:
                frame.canvas.colours[30:60, 50:90] = 255
            yield frame
            frame.canvas.colours, frame.canvas.order = kept, "RGB"

    def harmed(output: BinaryIO, film: Film, drawn: Iterator[DrawnFrames], kept: KeptMetadata, notes: PhotoMetadata) -> None:
        written(output, film, each(drawn), kept, notes)

    monkeypatch.setitem(animation_writing._WRITERS, kind, harmed)
    with pytest.raises(CopyUnproven):
        animation_writing.write(data, (), LIMITS, io.BytesIO(), strip=False)
