"""The straight line from a file's bytes to its analysis: decode, detect, and, only while recognition is on, align and embed."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Analysis, Face, Landmarks, StageTimes
from agent.domain.image import Recipe
from agent.vision.aligner import EYE_DISTANCE, face_of
from agent.vision.codecs import Image, Limits, Pixels, decode, encode_jpeg
from agent.vision.detector import Detection
from agent.vision.embedder import to_bytes
from agent.vision.quality import quality

CHIP_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages, ready to run. Without an embedder the aligner is never called."""

    recipe: Recipe
    precision: str
    side: int  # the longer side up to which the detector can use pixels
    detector: Callable[[Image, float], list[Detection]]
    aligner: Callable[[Image, Landmarks], Pixels]
    embedder: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to report."""

    min_score: float = 0.5
    min_face: float = 20.0  # shorter side of the box, pixels of the full image
    keep_chips: bool = True


def analyse(data: bytes, pipeline: Pipeline, wanted: Wanted, limits: Limits, clock: Callable[[], float]) -> Analysis:
    """All there is to say of one image. `clock` gives seconds. Raises ImageError."""
    begun = clock()
    image = decode(data, limits, pipeline.side)
    decoded = clock()
    detections = [face for face in pipeline.detector(image, wanted.min_score) if min(face.box.w, face.box.h) >= wanted.min_face]
    detected = clock()
    chips: list[Pixels] = []
    embeddings: NDArray[np.float32] | None = None
    aligned = detected
    if pipeline.embedder is not None:
        image = _fine_enough(image, data, limits, detections)
        chips = [pipeline.aligner(image, face.landmarks) for face in detections]
        aligned = clock()
        if chips:
            embeddings = pipeline.embedder(np.stack([face_of(chip) for chip in chips]))
    faces = tuple(
        Face(
            face.box,
            face.score,
            face.landmarks,
            quality(image, face),
            embedding=None if embeddings is None else to_bytes(embeddings[i]),
            chip=encode_jpeg(chips[i], CHIP_QUALITY) if chips and wanted.keep_chips else None,
        )
        for i, face in enumerate(detections)
    )
    ended = clock()
    times = StageTimes(*(round(1000 * span, 2) for span in (decoded - begun, detected - decoded, aligned - detected, ended - aligned)))
    sha256 = hashlib.sha256(data).hexdigest()
    return Analysis(sha256, len(data), image.width, image.height, image.format, pipeline.recipe, pipeline.precision, faces, times)


def _fine_enough(image: Image, data: bytes, limits: Limits, faces: Sequence[Detection]) -> Image:
    """The image decoded so finely that no face must be enlarged for its chip, as far as the file goes."""
    if not image.reduced or not faces:
        return image
    smallest = min(float(np.hypot(*np.subtract(face.landmarks[0], face.landmarks[1]))) for face in faces)
    if smallest * image.scale >= EYE_DISTANCE:
        return image
    scale = min(1.0, EYE_DISTANCE / max(smallest, 1.0))
    return decode(data, limits, int(np.ceil(max(image.width, image.height) * scale)))
