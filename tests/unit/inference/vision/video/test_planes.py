"""Covers on the planes of a frame."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Shape, Style
from agent.inference.vision.redactor import covered
from agent.inference.vision.video.planes import draw, drawable, planes_of

SIZE = (160, 120)


def noise(form: str, seed: int = 1, size: tuple[int, int] = SIZE) -> VideoFrame:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=form)


def planes(frame: VideoFrame) -> list[NDArray[np.generic]]:
    kind = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    found = []
    for plane in frame.planes:
        rows = np.frombuffer(bytes(plane), kind).reshape(plane.height, -1)
        found.append(rows[:, : plane.width])
    return found


def own(frame: VideoFrame) -> VideoFrame:
    plain = drawable(frame)
    plain.make_writable()
    return plain


COVERS = [Cover(Box(20.5, 31.2, 41, 33), Look(), 20.0), Cover(Box(-10, 90, 60, 60), Look(shape=Shape.BOX)), Cover(Box(150, 3, 7, 7))]


@pytest.mark.parametrize("form", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("style", list(Style))
def test_of_what_is_covered_brightness_and_colours_change_and_nothing_else_does(form: str, style: Style) -> None:
    covers = [Cover(each.box, Look(style, each.look.shape), each.tilt) for each in COVERS]
    before, after = drawable(noise(form)), own(noise(form))
    draw(after, covers)
    inside = covered(covers, *SIZE)
    tinted = inside.reshape(60, 2, 80, 2).any(axis=(1, 3))
    for one, other, mask in zip(planes(before), planes(after), (inside, tinted, tinted), strict=True):
        assert (one == other)[~mask].all()
        assert (one != other)[mask].mean() > 0.9  # noise has the cover's own value here and there


@pytest.mark.parametrize("style", [Style.SOLID, Style.EMOJI])
@pytest.mark.parametrize("form", ["yuv420p", "yuv420p10le", "yuvj420p"])
def test_what_is_covered_says_nothing_of_what_is_below(form: str, style: Style) -> None:
    covers = [Cover(each.box, Look(style, each.look.shape), each.tilt) for each in COVERS]
    one, other = own(noise(form, 1)), own(noise(form, 2))
    draw(one, covers)
    draw(other, covers)
    inside = covered(covers, *SIZE)
    tinted = inside.reshape(60, 2, 80, 2).any(axis=(1, 3))
    for here, there, mask in zip(planes(one), planes(other), (inside, tinted, tinted), strict=True):
        assert (here == there)[mask].all()


@pytest.mark.parametrize("form", ["yuv444p", "yuv422p", "nv12", "rgb24", "gray", "yuv422p10le", "pal8"])
def test_frames_of_other_forms_are_brought_into_one_that_can_be_drawn_on(form: str) -> None:
    frame = noise("rgb8" if form == "pal8" else form)
    assert drawable(frame).format.name == ("yuv420p10le" if "10" in form else "yuv420p")


@pytest.mark.parametrize("size", [(161, 120), (160, 121), (161, 121)])
def test_odd_sides_grow_by_their_last_pixels(size: tuple[int, int]) -> None:
    frame = noise("yuv420p", size=size)
    grown = drawable(frame)
    assert (grown.width, grown.height) == (162 if size[0] == 161 else 160, 122 if size[1] == 121 else 120)
    before, after = planes(frame), planes(grown)
    for one, other in zip(before, after, strict=True):
        rows, columns = one.shape
        assert (other[:rows, :columns] == one).all()
        assert (other[rows:] == other[rows - 1 : rows]).all()


def test_the_time_and_the_meaning_of_the_colours_stay() -> None:
    frame = noise("yuv422p", size=(161, 121))
    frame.pts, frame.colorspace, frame.color_primaries, frame.color_trc = 77, 9, 9, 16
    plain = drawable(frame)
    assert (plain.pts, plain.colorspace, plain.color_primaries, plain.color_trc) == (77, 9, 9, 16)


def test_a_frame_that_others_hold_is_not_written_to() -> None:
    """As those that a decoder needs for the next ones."""
    packets, encoder = [], av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *SIZE, "yuv420p", Fraction(1, 25)
    for number in range(4):
        frame = noise("yuv420p", 5)
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)

    def shown(covers: list[Cover]) -> list[NDArray[np.generic]]:
        decoder = av.CodecContext.create("h264", "r")
        found = []
        for packet in [*packets, None]:
            for frame in decoder.decode(packet):
                plain = own(frame)
                draw(plain, covers)
                found.append(planes(plain)[0])
        return found

    covers = [Cover(Box(20, 20, 60, 60))]
    mask = covered(covers, *SIZE)
    for plain, drawn in zip(shown([]), shown(covers), strict=True):
        assert (plain == drawn)[~mask].all()


@pytest.mark.parametrize("form", ["yuv420p", "yuv420p10le", "rgb24", "gray", "nv12"])
def test_the_brightness_of_a_frame_is_had_in_any_form(form: str) -> None:
    (luma, *chroma), depth = planes_of(noise(form))
    assert luma.shape == (120, 160)
    assert len(chroma) == (2 if form.startswith("yuv") else 0)
    assert depth == (10 if "10" in form else 8)
