"""Face prints of a clip's frame, of those faces whose prints can be trusted."""

from collections.abc import Callable, Sequence

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from agent.domain.people import MIN_TRUST, trust
from agent.domain.prints import FreshPrint
from agent.vision.aligner import face_of
from agent.vision.codecs import Image
from agent.vision.detector import Detection, Look
from agent.vision.embedder import to_bytes
from agent.vision.landmarks import align_again
from agent.vision.quality import quality
from agent.vision.video.geometry import Turn


def prints_of(
    look: Look, embedder: Callable[[NDArray[np.uint8]], NDArray[np.float32]], frame: VideoFrame, faces: Sequence[Detection]
) -> list[FreshPrint | None]:
    """One for each of the frame's faces, which are in pixels of the upright picture; None where it would say little."""
    if not faces:
        return []
    pixels = Turn.of(frame).turned(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    image = Image(pixels, 1.0, pixels.shape[1], pixels.shape[0], "rgb")
    qualities = [quality(image, face) for face in faces]
    good = [number for number, each in enumerate(qualities) if trust(each) >= MIN_TRUST]
    found: list[FreshPrint | None] = [None] * len(faces)
    if good:
        chips = np.stack([face_of(align_again(look, image, faces[number].landmarks)) for number in good])
        for number, row in zip(good, embedder(chips), strict=True):
            found[number] = FreshPrint(to_bytes(row), qualities[number])
    return found
