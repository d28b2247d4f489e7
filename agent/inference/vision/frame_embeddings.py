"""Computes embeddings of one frame's faces that can be trusted."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.identity_matching import MIN_TRUST, trust
from agent.inference.vision.aligner import face_of
from agent.inference.vision.codecs import Image, Pixels
from agent.inference.vision.detection import Detection, Look
from agent.inference.vision.embedder import to_bytes
from agent.inference.vision.occlusion import covered
from agent.inference.vision.oriented_landmarks import align_again
from agent.inference.vision.quality import quality

# Returns the frame's RGB at full size, called only if there is a face; its faces -> their prints, None for unsuitable ones.
Prints: TypeAlias = Callable[[Callable[[], Pixels], Sequence[Detection]], Sequence[UnsavedEmbedding | None]]


def prints_of(
    look: Look,
    embedder: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    frame: Callable[[], Pixels],
    faces: Sequence[Detection],
) -> list[UnsavedEmbedding | None]:
    """Return the prints, see `Prints`."""
    if not faces:
        return []
    pixels = frame()
    image = Image(pixels, 1.0, pixels.shape[1], pixels.shape[0], "rgb")
    qualities = [quality(image, face) for face in faces]
    good = [number for number, each in enumerate(qualities) if trust(each) >= MIN_TRUST]
    found: list[UnsavedEmbedding | None] = [None] * len(faces)
    if good:
        chips = np.stack([face_of(align_again(look, image, faces[number])[0]) for number in good])
        for number, chip, row in zip(good, chips, embedder(chips), strict=True):
            found[number] = UnsavedEmbedding(to_bytes(row), replace(qualities[number], covered=covered(chip)))
    return found
