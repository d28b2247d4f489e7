"""Detects faces in every frame of an animation, as thoroughly as in a photo."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.redaction import head_of
from agent.domain.tracks import BEGINS
from agent.domain.video import FrameDetections, PartDetections, Video, VideoDetection, VideoPart
from agent.inference.vision.animations.animation_reading import film_of, frame_at, frames, shown
from agent.inference.vision.codecs import DecodeLimits, Image, Pixels, encode_small
from agent.inference.vision.codecs.colour import to_srgb
from agent.inference.vision.codecs.decode import named
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.detection import Detection
from agent.inference.vision.detector import THOROUGH_FACE, Decoder
from agent.inference.vision.flatten_alpha import joined, without_alpha
from agent.inference.vision.frame_embeddings import Prints

# Seconds that count for one frame, however long it is shown: a face missed in one frame is covered by its neighbours.
TICK: Final = 0.1
Thorough = Callable[[Decoder, float], list[Detection]]


def probe(data: FileBytes, limits: DecodeLimits) -> Video:
    """Return its properties, as for a video; moments are frame numbers. Raises ImageError, FilmTooLong."""
    film = named(data, limits, lambda name: film_of(data, name, limits))
    count = len(film.numbers)
    return Video(
        hashlib.sha256(data).hexdigest(),
        len(data),
        film.width,
        film.height,
        TICK,
        TICK,
        count,
        film.name,
        (VideoPart(0, count),),
        sound=False,
        film=True,
        even=film.even,
    )


def look_through(data: FileBytes, limits: DecodeLimits, thorough: Thorough, prints: Prints | None = None) -> PartDetections:
    """Return the detections of all frames. Raises ImageError.

    Pages are independent. Cuts in an animation are not detected: small ones change much from frame to frame, and a
    cover that lingers over a cut does less harm than one that ends without a cut.
    """
    film = named(data, limits, lambda name: film_of(data, name, limits))
    sights: list[FrameDetections] = []
    before = np.zeros((0, 0, 3), np.uint8)
    for number, frame in enumerate(frames(data, film, limits)):
        pixels = shown(frame.canvas)
        faint = without_alpha(frame.canvas)
        looked = pixels if faint is None else np.dstack([pixels, faint])
        found = sights[-1].finds if np.array_equal(looked, before) else _finds(pixels, faint, thorough, prints)
        sights.append(FrameDetections(number, found))
        before = looked
    return PartDetections(tuple(sights), tuple(range(1, len(sights))) if film.name == "tiff" else ())


def still(data: FileBytes, limits: DecodeLimits, seconds: float, side: int) -> bytes:
    """Return the frame of that moment, clamped to the range, as JPEG, its longer side at most `side` pixels. Raises ImageError."""
    film = named(data, limits, lambda name: film_of(data, name, limits))
    canvas = frame_at(data, film, round(seconds / TICK), limits).canvas
    pixels = shown(canvas)
    return encode_small(Image(pixels, 1.0, canvas.width, canvas.height, film.name, to_screen=to_srgb(canvas.profile)), side)


def _finds(pixels: Pixels, faint: Pixels | None, thorough: Thorough, prints: Prints | None) -> tuple[VideoDetection, ...]:
    """Return the faces; `faint` is the picture without transparency, if that may hide a face."""
    found: list[Detection] = []
    for each in (pixels,) if faint is None else (pixels, faint):
        image = Image(each, 1.0, each.shape[1], each.shape[0], "rgb")
        found = joined(found, thorough(lambda _, image=image: image, BEGINS))  # type: ignore[misc]  # the default has no type
    found = [face for face in found if max(face.box.w, face.box.h) >= THOROUGH_FACE]
    printed: Sequence[UnsavedEmbedding | None] = prints(lambda: pixels, found) if prints is not None else [None] * len(found)
    # Every detection counts as a face: a page has no other frames that could confirm it.
    return tuple(
        VideoDetection(head_of(face.box, face.landmarks), max(face.score, BEGINS), print)
        for face, print in zip(found, printed, strict=True)
    )
