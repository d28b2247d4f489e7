"""The path from a file's bytes to its analysis: decode, detect, and, only while recognition is on, align and embed."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Analysis, Face, Landmarks, StageTimes
from agent.domain.image import Recipe
from agent.vision.aligner import EYE_DISTANCE, face_of
from agent.vision.animations.animation_reading import frames_in
from agent.vision.bare import bare_image
from agent.vision.codecs import Image, Limits, Pixels, decode, encode_jpeg, encode_small
from agent.vision.detector import Decoder, Detection
from agent.vision.embedder import to_bytes
from agent.vision.quality import quality

CHIP_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages, ready to run. Without an embedder the aligner is never called."""

    recipe: Recipe
    precision: str
    detector: Callable[[Decoder, float], list[Detection]]
    aligner: Callable[[Image, Landmarks], Pixels]
    embedder: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The requested results."""

    min_score: float = 0.5
    min_face: float = 20.0  # longer side of the box, pixels of the full image
    keep_chips: bool = True
    thumbnail: int | None = None  # longer side of the thumbnail, if wanted
    count_frames: bool = False  # report the number of frames or pages


class FileDecoder:
    """Decodes one file as finely as its stages need, keeps the finest result, and adds up the seconds."""

    def __init__(self, data: bytes, limits: Limits, clock: Callable[[], float]) -> None:
        self._data, self._limits, self._clock = data, limits, clock
        self._image: Image | None = None
        self.seconds = 0.0

    def __call__(self, side: int) -> Image:
        """Return the image with a longer side of at least `side` pixels, if the file has them. Raises ImageError."""
        if self._image is None or (self._image.reduced and max(self._image.pixels.shape) < side):
            begun = self._clock()
            self._image = None  # release the coarser one before allocating the finer
            self._image = decode(self._data, self._limits, side)
            self.seconds += self._clock() - begun
        return self._image

    def bare(self) -> Image | None:
        """Return its colours without transparency, if that may hide a face. Raises ImageError."""
        begun = self._clock()
        image = bare_image(self._data, self._limits)
        self.seconds += self._clock() - begun
        return image


@dataclass(frozen=True, slots=True)
class Held:
    """A decoded picture, in place of a decoder."""

    image: Image
    seconds: float = 0.0

    def __call__(self, side: int) -> Image:
        return self.image


def analyse(data: bytes, pipeline: Pipeline, wanted: Wanted, limits: Limits, clock: Callable[[], float]) -> Analysis:
    """Return the analysis of one image. `clock` gives seconds. Raises ImageError."""
    begun = clock()
    decoder = FileDecoder(data, limits, clock)
    faces, detected, aligned, decoding = _faces(decoder, pipeline, wanted, clock)
    spans = StageTimes(
        decode=_ms(decoder.seconds),
        detect=_ms(detected - begun - decoding),
        align=_ms(aligned - detected - (decoder.seconds - decoding)),
        embed=_ms(clock() - aligned),
    )
    image = decoder(1)
    return Analysis(
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        width=image.width,
        height=image.height,
        format=image.format,
        recipe=pipeline.recipe,
        precision=pipeline.precision,
        faces=faces,
        ms=spans,
        taken_at=image.taken_at,
        frames=frames_in(data, limits) if wanted.count_frames else 1,
        thumbnail=None if wanted.thumbnail is None else encode_small(decoder(wanted.thumbnail), wanted.thumbnail),
    )


def faces_on(image: Image, pipeline: Pipeline, wanted: Wanted, clock: Callable[[], float]) -> tuple[Face, ...]:
    """Return the faces of a decoded picture."""
    return _faces(Held(image), pipeline, wanted, clock)[0]


def _faces(
    decoder: "FileDecoder | Held", pipeline: Pipeline, wanted: Wanted, clock: Callable[[], float]
) -> tuple[tuple[Face, ...], float, float, float]:
    """Return the faces of one picture; the times of detection and of cropping; and the seconds of decoding until detection."""
    detections = [face for face in pipeline.detector(decoder, wanted.min_score) if max(face.box.w, face.box.h) >= wanted.min_face]
    detected, decoding = clock(), decoder.seconds
    chips: list[Pixels] = []
    if pipeline.embedder is not None:
        image = decoder(_side_for_chips(decoder(1), detections))
        chips = [image.shown(pipeline.aligner(image, face.landmarks)) for face in detections]
    image = decoder(1)  # the finest so far
    qualities = [quality(image, face) for face in detections]
    aligned = clock()
    embeddings = pipeline.embedder(np.stack([face_of(chip) for chip in chips])) if pipeline.embedder is not None and chips else None
    faces = tuple(
        Face(
            face.box,
            face.score,
            face.landmarks,
            qualities[i],
            embedding=None if embeddings is None else to_bytes(embeddings[i]),
            chip=encode_jpeg(chips[i], CHIP_QUALITY) if chips and wanted.keep_chips else None,
        )
        for i, face in enumerate(detections)
    )
    return faces, detected, aligned, decoding


def _side_for_chips(image: Image, faces: Sequence[Detection]) -> int:
    """Return the longer side of the decoded image that avoids enlarging any face for its chip."""
    smallest = min((math.dist(face.landmarks[0], face.landmarks[1]) for face in faces), default=math.inf)
    return math.ceil(max(image.width, image.height) * min(1.0, EYE_DISTANCE / max(smallest, 1.0)))


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)
