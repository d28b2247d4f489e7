"""Which photos can be a person's reference: one face, large, sharp and facing the camera."""

import math
import struct
from collections.abc import Sequence

from agent.domain.errors import AgentError, ReferenceBlurred, ReferenceNoFace, ReferenceSeveral, ReferenceSmall, ReferenceTurned
from agent.domain.face import Face

# Pixels between the eyes, and sharpness: where `agent.domain.identity_matching.trust` is full, and half. A blurred reference attracts
# blurred faces.
LEAST_EYE_DISTANCE = 16.0
LEAST_SHARPNESS = 80.0
# Beyond this the nose hides an eye or leaves the head, and the embedding shows another view (degrees).
MOST_YAW = 45.0
_SHARP = 1e6  # more than any size


def fit_of(size: float, sharpness: float) -> float:
    """Return how well a face serves as its person's portrait: a large blurred face is less recognisable than a small sharp one."""
    return size + (_SHARP if sharpness >= LEAST_SHARPNESS else 0.0)


def check_reference(faces: Sequence[Face]) -> AgentError | None:
    """Return why a photo with these faces can't be a person's reference; None if it can."""
    if not faces:
        return ReferenceNoFace()
    if len(faces) > 1:
        return ReferenceSeveral(count=len(faces))
    quality = faces[0].quality
    if quality.size < LEAST_EYE_DISTANCE:
        return ReferenceSmall(pixels=round(quality.size), least=round(LEAST_EYE_DISTANCE))
    if quality.sharpness < LEAST_SHARPNESS:
        return ReferenceBlurred()
    if abs(quality.yaw) > MOST_YAW:
        return ReferenceTurned(degrees=round(abs(quality.yaw)))
    return None


def distance(one: bytes, other: bytes) -> float:
    """Return the distance between two embeddings (float32, little endian, L2-normalised): 0 identical, 2 opposite."""
    return math.dist(*(struct.unpack(f"<{len(each) // 4}f", each) for each in (one, other)))
