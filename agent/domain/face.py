"""Detected faces with box, landmarks and quality, in pixels of the upright image."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from agent.domain.image import Recipe

Point: TypeAlias = tuple[float, float]
# Image-left eye, image-right eye, nose, image-left mouth corner, image-right mouth corner.
Landmarks: TypeAlias = tuple[Point, Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left, top, width, height in pixels of the upright image. It may reach past the image's edge."""

    x: float
    y: float
    w: float
    h: float

    @property
    def area(self) -> float:
        return self.w * self.h

    def intersection(self, other: "Box") -> float:
        """Return the shared area, in square pixels."""
        width = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        height = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: "Box") -> float:
        """Return the intersection over union: 0 disjoint, 1 identical."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def apart(self, other: "Box") -> float:
        """Return the distance between the centres, in sizes of the larger box."""
        away = math.hypot(self.x + self.w / 2 - other.x - other.w / 2, self.y + self.h / 2 - other.y - other.h / 2)
        return away / math.sqrt(max(self.area, other.area, 1e-6))

    def scaled(self, factor: float) -> "Box":
        return Box(self.x * factor, self.y * factor, self.w * factor, self.h * factor)


@dataclass(frozen=True, slots=True)
class Quality:
    """A face's usability for recognition. Each figure is independent; `agent.domain.identity_matching` decides what is enough."""

    size: float  # distance between the eyes, in pixels of the upright image
    sharpness: float  # variance of the Laplacian over the box at 64x64 grey pixels; below about 80 is blurred
    yaw: float  # degrees, from the landmarks; 0 looks into the camera, positive turns to the image's right
    roll: float  # degrees; 0 upright, positive clockwise
    covered: float = 0.0  # probability that a mask or dark glasses hide a part; 0 where it was not measured, without recognition


@dataclass(frozen=True, slots=True)
class Face:
    """One face. `embedding` and `chip` are set only while recognition is on."""

    box: Box
    score: float  # the detector's, 0 to 1
    landmarks: Landmarks
    quality: Quality
    embedding: bytes | None = None  # float32, little endian, L2-normalised
    chip: bytes | None = None  # JPEG: the aligned 112x112 face with a margin, see agent.inference.vision.aligner


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Milliseconds an image spent in each stage."""

    decode: float = 0.0
    detect: float = 0.0
    align: float = 0.0
    embed: float = 0.0

    @property
    def total(self) -> float:
        return self.decode + self.detect + self.align + self.embed


@dataclass(frozen=True, slots=True)
class Analysis:
    """The engine's result for one image."""

    sha256: str  # of the bytes that were decoded, hexadecimal
    size: int  # bytes
    width: int  # pixels of the upright image
    height: int
    format: str  # "jpeg", "png", ...
    recipe: Recipe
    precision: str  # of inference: "f32", "bf16", "f16", "int8", "int8_bf16"
    faces: tuple[Face, ...]
    ms: StageTimes
    taken_at: datetime | None = None  # as the camera's clock showed it, without a zone; None if the file doesn't say
    thumbnail: bytes | None = None  # JPEG, if requested
    frames: int = 1  # of an animation, or pages, if requested: only the first was scanned
