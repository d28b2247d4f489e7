"""Films: covered pixels are gone from every frame, in every format; time and order stay; nothing flickers through."""

import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageSequence
import pytest
from PIL import ImageCms

from agent.domain.errors import FilmTooLong, ImageTooLarge, ImageTruncated
from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Shape, Style, around
from agent.domain.tracks import trails_of
from agent.domain.video import Covered, Keyframe, Trajectory, Video
from agent.inference.vision.animations import animation_reading
from agent.inference.vision.animations.animation_frames import look_through, probe, still
from agent.inference.vision.animations.animation_reading import Film, frames_in
from agent.inference.vision.animations.animation_writing import removed, write
from agent.inference.vision.animations.multi_frame_writer import DrawnFrames, write_gif
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.detection import Detection, five
from agent.inference.vision.detector import Decoder
from agent.inference.vision.redacted import icc
from agent.inference.vision.redacted.canvas import Canvas
from agent.inference.vision.redacted.kept_metadata import KeptMetadata
from agent.inference.vision.redacted.metadata import PhotoMetadata
from agent.inference.vision.redactor import SOLID, covered
from tests.support.covered_files import HEIGHT, LIMITS, WIDTH, Make, Pixels, saved, scene

BOX = Look(Style.SOLID, Shape.BOX)
TIMES = [50, 70, 90, 40]
SIDE = 24


def place(number: int) -> tuple[int, int]:
    """Where the face is in a frame: left, top."""
    return 10 + 20 * number, 30


def pictures(seed: int, count: int = 4) -> Iterator[Pixels]:
    """Smooth, with noise where the face is; something moves outside too."""
    for number in range(count):
        picture = scene(0) // 64 * 64
        picture[32:64, 48:80] = picture[0, 0]
        x, y = place(number)
        x %= WIDTH - SIDE
        picture[y : y + SIDE, x : x + SIDE] = np.random.default_rng(seed + number).integers(0, 3, (SIDE, SIDE, 3)) * 64
        picture[:8, 8 * (number % 9) : 8 * (number % 9) + 8] = 0
        yield picture.astype(np.uint8)


def film(kind: str, seed: int, count: int = 4, *, clear: bool = False, **options: Any) -> bytes:
    made = [PIL.Image.fromarray(picture) for picture in pictures(seed, count)]
    if clear:
        for number, picture in enumerate(made):
            alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
            alpha[80:, 10 * number : 10 * number + 40] = 0
            picture.putalpha(PIL.Image.fromarray(alpha))
    if kind == "GIF" and not clear:
        made = [picture.quantize(200) for picture in made]
    times = {} if kind == "TIFF" else {"duration": list(itertools.islice(itertools.cycle(TIMES), count))}
    return saved(made[0], kind, save_all=True, append_images=made[1:], **times, **options)


# Each is made but once.
MADE: Mapping[str, Make] = {
    "gif": cache(lambda seed: film("GIF", seed, loop=0)),
    "gif-clear": cache(lambda seed: film("GIF", seed, clear=True, loop=2, disposal=2)),
    "png": cache(lambda seed: film("PNG", seed, loop=3)),
    "png-clear": cache(lambda seed: film("PNG", seed, clear=True, loop=0)),
    "png-default": cache(lambda seed: film("PNG", seed, loop=0, default_image=True)),
    "webp-lossless": cache(lambda seed: film("WEBP", seed, lossless=True, loop=2)),
    "webp-clear": cache(lambda seed: film("WEBP", seed, clear=True, lossless=True, exact=True, loop=0)),
    "tiff": cache(lambda seed: film("TIFF", seed, compression="tiff_lzw")),
}
LOSSY: Mapping[str, Make] = {
    "webp": cache(lambda seed: film("WEBP", seed, quality=80, loop=1)),
    "avif": cache(lambda seed: film("AVIF", seed, quality=80)),
}
# One more pixel on each side, so that blocks that are coded together lie wholly inside.
WAY = Trajectory(tuple(Keyframe(number, Box(place(number)[0] - 2, place(number)[1] - 2, SIDE + 4, SIDE + 4)) for number in range(4)))


@cache
def copied(data: bytes, look: Look = BOX, *, strip: bool = False) -> bytes:
    out = io.BytesIO()
    assert write(data, [Covered(WAY, look)], LIMITS, out, strip=strip) == 4
    return out.getvalue()


def below(number: int, look: Look = BOX) -> Pixels:
    return covered([Cover(around(WAY.knots[number].box, look), look)], WIDTH, HEIGHT)


def shown(data: bytes) -> list[Pixels]:
    return [np.asarray(frame.convert("RGBA")) for frame in PIL.ImageSequence.Iterator(PIL.Image.open(io.BytesIO(data)))]


@pytest.mark.parametrize("style", [Style.SOLID, Style.EMOJI])
@pytest.mark.parametrize("name", MADE)
def test_what_was_below_leaves_no_trace_in_any_byte(name: str, style: Style) -> None:
    one, other = (MADE[name](seed) for seed in (1, 100))
    assert one != other
    assert copied(one, Look(style, Shape.BOX)) == copied(other, Look(style, Shape.BOX))


@pytest.mark.parametrize("name", MADE)
def test_every_frame_is_covered_where_its_face_is_and_nowhere_else(name: str) -> None:
    data = MADE[name](1)
    before, after = shown(data), shown(copied(data))
    assert len(before) == len(after) == 4
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        hidden = below(number)
        assert (new[hidden] == (*SOLID, 255)).all()
        visible = ~hidden & (old[:, :, 3] > 0)
        assert np.array_equal(new[visible], old[visible])
        assert np.array_equal(new[:, :, 3][~hidden], old[:, :, 3][~hidden])


@pytest.mark.parametrize("name", LOSSY)
def test_where_a_format_loses_every_frame_is_covered_as_well(name: str) -> None:
    data = LOSSY[name](1)
    before, after = shown(data), shown(copied(data))
    assert len(before) == len(after) == 4
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        hidden = below(number)
        assert np.abs(new[hidden][:, :3].astype(int) - SOLID).mean() < 6
        assert np.abs(new[~hidden].astype(int) - old[~hidden]).mean() < 6


@pytest.mark.parametrize("name", [*MADE, *LOSSY])
def test_time_and_how_often_it_is_shown_stay(name: str) -> None:
    data = {**MADE, **LOSSY}[name](1)
    before, after = (PIL.Image.open(io.BytesIO(each)) for each in (data, copied(data)))
    assert after.format == before.format == name.split("-")[0].upper()
    for number in range(4):
        for each in (before, after):
            each.seek(number)
            each.load()
        assert after.info.get("duration") == before.info.get("duration")
    for said in ("loop", "default_image"):
        assert after.info.get(said) == before.info.get(said)


def test_a_copy_is_looked_at_like_its_original_and_says_no_more() -> None:
    data = film("PNG", 1, loop=0) + b"what was left here before"
    assert b"left here" not in copied(data)
    assert removed(data, LIMITS, strip=False) == ("trailing",)
    told = film("GIF", 1, comment="Mei at the lake")
    for strip in (False, True):
        assert b"Mei" not in copied(told, strip=strip)
        assert removed(told, LIMITS, strip=strip) == ("comment",)


def test_pages_keep_their_sizes_and_a_page_that_is_a_thumbnail_goes() -> None:
    pages = [PIL.Image.new("L", (60, 80), 200), PIL.Image.new("RGB", (90, 40), (9, 99, 199)), PIL.Image.new("1", (50, 50), 1)]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    out = io.BytesIO()
    write(data, [Covered(Trajectory((Keyframe(1, Box(10, 10, 10, 10)),)), BOX)], LIMITS, out, strip=False)
    opened = PIL.Image.open(out)
    sizes, marks = [], []
    for page in PIL.ImageSequence.Iterator(opened):
        sizes.append(page.size)
        marks.append(page.convert("RGB").getpixel((15, 15)))
    assert sizes == [(60, 80), (90, 40), (50, 50)]
    assert marks == [(200, 200, 200), SOLID, (255, 255, 255)]


@pytest.mark.parametrize("strip", [False, True])
def test_each_page_keeps_the_profile_of_its_colours(strip: bool) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pages = [PIL.Image.new("RGB", (60, 80), colour) for colour in ("red", "green", "blue")]
    for page in (pages[0], pages[2]):
        page.info["icc_profile"] = profile
    out = io.BytesIO()
    write(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]), [], LIMITS, out, strip=strip)
    kept = [getattr(page, "tag_v2").get(34675) for page in PIL.ImageSequence.Iterator(PIL.Image.open(out))]  # noqa: B009 - only a TIFF has it
    assert kept == [icc.cleaned(profile), None, icc.cleaned(profile)]


def red(decoder: Decoder, _: float) -> list[Detection]:
    """In the place of a detector: what is red."""
    pixels = decoder(1).pixels.astype(int)
    rows, columns = np.nonzero((pixels[:, :, 0] > 200) & (pixels[:, :, 1] < 50))
    if not rows.size:
        return []
    box = Box(float(columns.min()), float(rows.min()), float(np.ptp(columns) + 1), float(np.ptp(rows) + 1))
    return [Detection(box, 0.3, five([(box.x, box.y)] * 5))]


def walk(frames: Sequence[int | None], kind: str = "GIF") -> bytes:
    """Grey, with a red square at that place, if any; no two frames are equal, or Pillow would make one of them."""
    made = []
    for number, x in enumerate(frames):
        picture = np.full((64, 320, 3), 90, np.uint8)
        picture[0, number] = 0
        if x is not None:
            picture[20:44, x : x + 24] = (255, 0, 0)
        made.append(PIL.Image.fromarray(picture))
    return saved(made[0], kind, save_all=True, append_images=made[1:], **({} if kind == "TIFF" else {"duration": 5000}))


def ways(data: bytes) -> tuple[Video, list[Trajectory]]:
    clip, seen = probe(data, LIMITS), look_through(data, LIMITS, red)
    trails = trails_of(seen.sights, seen.cuts, (clip.width, clip.height), clip.tick, clip.frame, (0, clip.frames))
    return clip, [each.way for each in trails]


def test_in_a_frame_in_which_a_face_is_missed_it_is_covered_all_the_same() -> None:
    """However long each is shown."""
    data = walk([10, 20, 30, None, None, 60, 70, 70, 70])
    clip, (way,) = ways(data)
    assert (clip.frames, clip.format, clip.film) == (9, "gif", True)
    for number, x in enumerate([10, 20, 30, 40, 50, 60, 70, 70, 70]):
        box = way.at(number)
        assert box is not None and box.intersection(Box(x, 20, 24, 24)) >= 0.99 * 24 * 24


def test_of_a_head_that_is_upside_down_more_is_covered_than_the_box_that_was_found() -> None:
    def found(*heights: float) -> Box:
        def look(decoder: Decoder, score: float) -> list[Detection]:
            (face,) = red(decoder, score)
            return [replace(face, landmarks=five([(22, 20 + height) for height in heights]))]

        (find,) = look_through(walk([10]), LIMITS, look).sights[0].finds
        return find.box

    assert found(8, 8, 13, 18, 18) == Box(10, 20, 24, 24)
    upside_down = found(16, 16, 11, 6, 6)
    assert (upside_down.x, upside_down.y, upside_down.w, upside_down.h) == pytest.approx((6.4, 16.4, 31.2, 31.2))


def test_a_film_that_lies_on_its_side_has_the_size_of_what_is_seen() -> None:
    exif = PIL.Image.Exif()
    exif[0x112] = 6
    frames = [PIL.Image.new("RGB", (60, 40), (shade, 0, 0)) for shade in (10, 200)]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], exif=exif.tobytes(), lossless=True)
    clip = probe(data, LIMITS)
    with PIL.Image.open(io.BytesIO(still(data, LIMITS, 0.1, 30))) as seen:
        assert (clip.width, clip.height, seen.size) == (40, 60, (20, 30))


def test_pages_of_several_sizes_are_told() -> None:
    first, second = PIL.Image.new("RGB", (60, 40)), PIL.Image.new("RGB", (40, 60))
    for pages, even in (([first, first], True), ([first, second], False)):
        assert probe(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]), LIMITS).even is even


def test_of_pages_each_is_by_itself() -> None:
    _, found = ways(walk([10, 10, None, 200], "TIFF"))
    assert [[knot.moment for knot in way.knots] for way in found] == [[0], [1], [3]]


def test_a_film_of_hundreds_of_frames_is_whole_and_equal_frames_are_looked_at_once() -> None:
    looks = itertools.count()

    def look(decoder: Decoder, least: float) -> list[Detection]:
        next(looks)
        return red(decoder, least)

    def drawn() -> Iterator[DrawnFrames]:
        for number in range(240):
            yield DrawnFrames(Canvas(np.full((32, 32, 3), number // 3, np.uint8), np.full((32, 32), 255, np.uint8), b""), 40, [])

    made, out = io.BytesIO(), io.BytesIO()
    write_gif(made, Film("gif", 32, 32, tuple(range(240))), drawn(), KeptMetadata(), PhotoMetadata())
    assert len(look_through(made.getvalue(), LIMITS, look).sights) == 240
    assert next(looks) == 80
    write(made.getvalue(), (), LIMITS, out, strip=False)
    assert frames_in(out.getvalue(), LIMITS) == 240


@pytest.mark.parametrize(("limit", "value"), [("MOST_FRAMES", 3), ("MOST_PIXELS", 4 * WIDTH * HEIGHT - 1)])
@pytest.mark.parametrize("name", ["gif", "png", "webp-lossless", "avif", "tiff"])
def test_more_than_can_be_looked_through_is_refused(name: str, limit: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animation_reading, limit, value)
    with pytest.raises(FilmTooLong):
        frames_in({**MADE, **LOSSY}[name](1), LIMITS)


def outgrown(side: int) -> bytes:
    """A GIF of 40 by 40 pixels whose second frame says that it is larger, and is."""

    def gif(side: int) -> bytes:
        return saved(PIL.Image.fromarray(np.full((side, side), 200, np.uint8)), "GIF", optimize=False)

    small, large = gif(40), gif(side)
    frame = b"\x2c\0\0\0\0" + side.to_bytes(2, "little") * 2
    return small[:-1] + large[large.rindex(frame) :]


def test_a_frame_that_is_larger_than_its_picture_ends_at_the_pictures_edge() -> None:
    data = outgrown(60)
    film = animation_reading.film_of(data, "gif", LIMITS)
    assert [(frame.canvas.width, frame.canvas.height) for frame in animation_reading.frames(data, film, LIMITS)] == [(40, 40)] * 2
    out = io.BytesIO()
    assert write(data, [], LIMITS, out, strip=False) == 2
    assert [each.shape[:2] for each in shown(out.getvalue())] == [(40, 40)] * 2


def test_a_frame_of_more_pixels_than_allowed_is_refused_even_if_its_picture_has_few() -> None:
    data, limits = outgrown(120), DecodeLimits(megapixels=0.01, megabytes=1)
    film = animation_reading.film_of(data, "gif", limits)
    with pytest.raises(ImageTooLarge):
        list(animation_reading.frames(data, film, limits))
    with pytest.raises(ImageTooLarge):
        look_through(data, limits, lambda _decoder, _score: [])


def test_a_film_that_is_cut_off_has_no_copy() -> None:
    data = MADE["gif"](1)
    with pytest.raises(ImageTruncated):
        write(data[: len(data) // 2], (), LIMITS, io.BytesIO(), strip=False)


def test_a_still_picture_has_one_frame() -> None:
    for kind in ("GIF", "PNG", "WEBP", "AVIF", "TIFF", "JPEG", "BMP"):
        assert frames_in(saved(PIL.Image.fromarray(scene(1)), kind), DecodeLimits(20, 20)) == 1


def test_moments_that_are_no_whole_thousandths_stay_what_they_were() -> None:
    times = [1000 / 60, 1000 / 24, 0.0, 50.0, 65_540.0, 7_000_000.0]
    pictures = [PIL.Image.new("RGB", (8, 8), (30 * number, 0, 0)) for number in range(len(times))]
    data = saved(pictures[0], "PNG", save_all=True, append_images=pictures[1:], duration=times)
    out = io.BytesIO()
    write(data, [], LIMITS, out, strip=False)
    before, after = (PIL.Image.open(io.BytesIO(each)) for each in (data, out.getvalue()))
    for number in range(len(times)):
        before.seek(number)
        after.seek(number)
        assert after.info["duration"] == pytest.approx(before.info["duration"], abs=0.001)


@pytest.mark.parametrize("name", [*MADE, *LOSSY])
def test_two_copies_of_one_film_are_the_same_whenever_they_are_made(name: str) -> None:
    """The encoder of AVIF notes when it wrote, in seconds."""
    data = (MADE.get(name) or LOSSY[name])(1)
    copy, out = copied(data), io.BytesIO()
    write(data, [Covered(WAY, BOX)], LIMITS, out, strip=False)
    assert out.getvalue() == copy
    if name == "avif":
        for kind in (b"mvhd", b"tkhd", b"mdhd"):
            at = copy.index(kind) + 4
            assert not any(copy[at + 4 : at + (20 if copy[at] == 1 else 12)])


def test_frames_that_are_the_same_below_their_covers_may_become_one() -> None:
    pictures = [PIL.Image.new("RGB", (64, 64), (50 * (number // 3), 10, 10)) for number in range(12)]
    for number, picture in enumerate(pictures):
        picture.putpixel((5, 5), (20 * number, 0, 0))
    data = saved(pictures[0], "WEBP", save_all=True, append_images=pictures[1:], duration=50, lossless=True)
    out = io.BytesIO()
    assert (
        write(data, [Covered(Trajectory((Keyframe(0, Box(0, 0, 20, 20)), Keyframe(11, Box(0, 0, 20, 20)))), BOX)], LIMITS, out, strip=False)
        == 12
    )
    assert frames_in(out.getvalue(), LIMITS) == 4
