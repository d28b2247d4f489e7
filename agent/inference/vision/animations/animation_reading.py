"""Yields the frames of an animation, or the pages of a TIFF, each whole and upright."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import PIL.Image

from agent.domain.errors import FilmTooLong
from agent.inference.vision.codecs import DecodeLimits, Pixels, pillow
from agent.inference.vision.codecs.decode import named
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.redacted.canvas import Canvas, of_pillow, upright

FORMATS: Final = frozenset({"gif", "png", "webp", "avif", "tiff"})
# Frames, and pixels in all of them together: an hour's work at most.
MOST_FRAMES, MOST_PIXELS = 5000, 1_000_000_000
_SUBFILE, _REDUCED = 254, 1  # a TIFF's tag: whether a picture is another one's thumbnail
_ON_ITS_SIDE = 5  # from this orientation on, width and height are swapped
_PROFILE = 34675  # the tag for its colour profile
_BITS, _DEEP = 258, 16  # the tag for bits per colour, and more than are kept
_EIGHT = 8  # bits that are kept


@dataclass(frozen=True, slots=True)
class Film:
    """Properties known before a frame is decoded."""

    name: str  # the format
    width: int  # pixels of the first frame, upright
    height: int
    numbers: tuple[int, ...]  # of the frames that are independent pictures
    loop: int | None = None  # repetitions, 0: endless; None: once, or unspecified
    default: bool = False  # the first frame is only shown by programs that can't show the others
    left: frozenset[str] = frozenset()  # kinds that no copy contains
    even: bool = True  # all have one size


@dataclass(slots=True)
class AnimationFrame:
    canvas: Canvas
    ms: float = 0.0  # duration


def frames_in(data: FileBytes, limits: DecodeLimits) -> int:
    """Return the number of frames; 1 if there are no others. Raises ImageError, or FilmTooLong."""
    return named(data, limits, lambda name: len(film_of(data, name, limits).numbers) if name in FORMATS else 1)


def film_of(data: FileBytes, name: str, limits: DecodeLimits) -> Film:
    """Return the properties. Raises FilmTooLong, or any error of the decoder."""
    opened = pillow.open_checked(data, name, limits)
    count = int(getattr(opened, "n_frames", 1))
    if name == "tiff" and count > 1:
        return _pages(opened, count, limits)
    _check(count, count * opened.width * opened.height)
    loop = opened.info.get("loop")
    size = opened.size if pillow.exif_read(opened, data, name).orientation < _ON_ITS_SIDE else opened.size[::-1]
    default = bool(opened.info.get("default_image")) and count > 1
    left = frozenset({"depth"} if pillow.bits_of(opened, data, name) > _EIGHT else ())
    return Film(name, *size, tuple(range(count)), None if loop is None else int(loop), default, left)


def frames(data: FileBytes, film: Film, limits: DecodeLimits) -> Iterator[AnimationFrame]:
    """Yield the frames. Raises ImageError."""
    yield from _read(data, film, limits, film.numbers)


def frame_at(data: FileBytes, film: Film, at: int, limits: DecodeLimits) -> AnimationFrame:
    """Return one frame, clamped to the first or last. Raises ImageError."""
    return next(_read(data, film, limits, (film.numbers[min(max(at, 0), len(film.numbers) - 1)],)))


def _read(data: FileBytes, film: Film, limits: DecodeLimits, numbers: Sequence[int]) -> Iterator[AnimationFrame]:
    opened = named(data, limits, lambda name: pillow.open_checked(data, name, limits))
    exif = pillow.exif_read(opened, data, film.name)
    read = _page if film.name == "tiff" else partial(_frame, size=opened.size)

    for number in numbers:
        frame = named(data, limits, lambda _, number=number: read(opened, number, limits))  # type: ignore[misc]  # the default has no type
        yield AnimationFrame(upright(frame.canvas, exif), frame.ms)


def shown(canvas: Canvas) -> Pixels:
    """Return the input of detection: RGB with eight bits, transparency as white."""
    plain = Canvas(canvas.colours.copy(), canvas.alpha, canvas.profile, canvas.order)
    plain.to_8bit()
    plain.flatten_alpha()
    colours = plain.ordered("RGB")
    return np.asarray(colours if colours.shape[2] == 3 else colours.repeat(3, axis=2), np.uint8)


def _pages(opened: PIL.Image.Image, count: int, limits: DecodeLimits) -> Film:
    numbers, pixels, left = [], 0, set[str]()
    width, height = opened.size
    even = True
    _check(count, 0)
    for number in range(count):
        opened.seek(number)
        tags = getattr(opened, "tag_v2", {})
        if number and tags.get(_SUBFILE, 0) & _REDUCED:
            left.add("thumbnail")
            continue
        limits.check_pixels(*opened.size)
        pixels += opened.width * opened.height
        if _DEEP in tags.get(_BITS, ()) and opened.mode in ("RGB", "RGBA"):
            left.add("depth")
        even = even and opened.size == (width, height)
        numbers.append(number)
    _check(len(numbers), pixels)
    return Film("tiff", width, height, tuple(numbers), left=frozenset(left) if len(numbers) > 1 else frozenset(), even=even)


def _check(count: int, pixels: int) -> None:
    if count > 1 and (count > MOST_FRAMES or pixels > MOST_PIXELS):
        raise FilmTooLong(frames=count, megapixels=round(pixels / 1e6), most=MOST_FRAMES, limit=round(MOST_PIXELS / 1e6))


def _frame(opened: PIL.Image.Image, number: int, limits: DecodeLimits, size: tuple[int, int]) -> AnimationFrame:
    """Return the part inside a picture of that size, always with an alpha channel: the next frame may have one."""
    opened.seek(number)
    limits.check_pixels(*opened.size)  # a GIF's frame may declare a larger size than the picture, which then grows
    whole = opened.convert("RGBA")
    pixels = np.asarray(whole if whole.size == size else whole.crop((0, 0, *size)))
    ms = float(opened.info.get("duration") or 0)
    canvas = Canvas(np.ascontiguousarray(pixels[:, :, :3]), np.ascontiguousarray(pixels[:, :, 3]), opened.info.get("icc_profile") or b"")
    return AnimationFrame(canvas, ms)


def _page(opened: PIL.Image.Image, number: int, limits: DecodeLimits) -> AnimationFrame:
    opened.seek(number)
    limits.make_room(*opened.size)
    opened.load()
    # The page's own: `info` still contains an earlier page's.
    profile = getattr(opened, "tag_v2", {}).get(_PROFILE)
    return AnimationFrame(of_pillow(opened, profile if isinstance(profile, bytes) else b""))
