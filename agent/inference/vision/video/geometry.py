"""How a video's frames are stored in its file, and how they are shown."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from av.buffer import Buffer
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

from agent.domain.face import Box
from agent.domain.redaction import Cover
from agent.inference.vision.codecs import Pixels

_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Turn:
    """The transformation of a frame before it is shown: mirrored left to right, if set, then rotated."""

    degrees: int = 0  # clockwise: 0, 90, 180 or 270
    matrix: bytes | None = None  # as stored in the file: nine numbers of 32 bits
    mirrored: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> "Turn":
        """Read a frame's transformation. Other angles are rounded: faces are found all the same."""
        try:
            said = cast(Mapping[Type, Buffer], frame.side_data)  # the library's type annotation is wrong
            matrix = bytes(said[Type.DISPLAYMATRIX])
        except KeyError:
            return cls()
        a, b, _, c, d = struct.unpack("=5i", matrix[:20])
        mirrored = a * d < b * c
        # For a mirrored one the first two numbers say where left goes, not right.
        angle = math.atan2(-b, -a) if mirrored else math.atan2(b, a)
        return cls(round(math.degrees(angle) / 90) * 90 % 360, matrix, mirrored)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Return the matrix's nine numbers."""
        return struct.unpack("=9i", self.matrix) if self.matrix is not None else ()

    def upright(self, width: int, height: int) -> tuple[int, int]:
        return (height, width) if self.degrees in (90, 270) else (width, height)

    def turned(self, pixels: Pixels) -> Pixels:
        """Return the pixels as they are shown."""
        if self.mirrored:
            pixels = np.asarray(cv2.flip(pixels, 1), np.uint8)
        return np.asarray(cv2.rotate(pixels, _ROTATIONS[self.degrees]), np.uint8) if self.degrees else pixels

    def in_file(self, cover: Cover, width: int, height: int) -> Cover:
        """Return a cover of the upright picture in the coordinates of the stored frame of `width` by `height` pixels."""
        if not self.degrees and not self.mirrored:
            return cover
        box = cover.box
        x, y = box.x + box.w / 2, box.y + box.h / 2
        x, y = {0: (x, y), 90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}[self.degrees]
        tilt = cover.tilt - self.degrees
        if self.mirrored:
            x, tilt = width - x, -tilt
        return replace(cover, box=Box(x - box.w / 2, y - box.h / 2, box.w, box.h), tilt=tilt)
