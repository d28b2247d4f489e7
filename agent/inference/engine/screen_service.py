"""The screen engine's operations: takes screenshots, finds and covers faces. Uncovered pictures exist only in its memory."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from agent.domain.errors import CaptureFailed, CaptureGone, RegionOutside
from agent.domain.face import Analysis, Box
from agent.domain.redaction import Cover
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.screen_grab import Grabber
from agent.inference.engine.screen_port import GrabbedFrame
from agent.inference.engine.screen_watch import moved
from agent.inference.engine.service import Engine
from agent.inference.engine.stable_read import read_steady, spent
from agent.inference.vision.codecs import decode
from agent.inference.vision.codecs.decoded_image import Pixels
from agent.inference.vision.detector import THOROUGH_RATIO, THOROUGH_SIDE, THOROUGH_UP_TO
from agent.inference.vision.redactor import redact

# Pictures at a time; beyond that the oldest goes. One is under review, one is being chosen from.
MOST_OPEN: Final = 4
# For the picture on which a region is chosen.
_FRAME_QUALITY: Final = 90
# Fast rather than small: the picture goes to the clipboard or into a single file.
_SPEED: Final = {
    "png": [cv2.IMWRITE_PNG_COMPRESSION, 2],
    "jpeg": [cv2.IMWRITE_JPEG_QUALITY, 92],
    "webp": [cv2.IMWRITE_WEBP_QUALITY, 101],  # above 100: lossless
    "bmp": [],
}
_ENDINGS: Final = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "bmp": ".bmp"}


class ScreenEngineService:
    """Not thread-safe."""

    def __init__(self, engine: Engine, screen: Grabber) -> None:
        self._engine = engine
        self._screen = screen
        self._open: dict[str, Pixels] = {}  # by handle, oldest first: [height, width, 3], blue first
        self._ahead: dict[str, tuple[Analyse, Analysis]] = {}  # found before it was requested

    def monitors(self) -> tuple[Monitor, ...]:
        """Raises CaptureError."""
        return self._screen.monitors()

    def grab(self, ref: ScreenRef) -> GrabbedFrame:
        """Raises CaptureError, ImageTooLarge."""
        width, height, raw = self._screen.grab(ref)
        self._engine.limits.check_pixels(width, height)
        if len(raw) != width * height * 4:
            raise CaptureFailed
        return self._keep(np.ascontiguousarray(np.frombuffer(raw, np.uint8).reshape(height, width, 4)[:, :, :3]))

    def take(self, descriptor: int) -> GrabbedFrame:
        """Take the screenshot from a file that was handed over. Raises ImageError."""
        with spent(descriptor) as file:
            image = decode(read_steady(file, self._engine.limits), self._engine.limits)
        return self._keep(np.ascontiguousarray(image.shown(image.pixels)[:, :, ::-1]))

    def frame(self, handle: str, region: ScreenRegion | None) -> bytes:
        """JPEG. Raises CaptureGone, RegionOutside."""
        return _encoded(_cut(self._pixels(handle), region), "jpeg", [cv2.IMWRITE_JPEG_QUALITY, _FRAME_QUALITY])

    def ahead(self, handle: str, task: Analyse) -> None:
        """Find the faces of the whole picture while its region is being chosen. Raises CaptureGone, ModelError."""
        pixels = self._pixels(handle)
        # A larger picture is analysed less finely than a region of it would be.
        if max(pixels.shape) <= THOROUGH_UP_TO:
            self._ahead[handle] = (task, self._analysed(pixels, task))

    def look(self, handle: str, region: ScreenRegion | None, task: Analyse) -> Analysis:
        """Keep only the region and find its faces. Raises CaptureGone, RegionOutside, ModelError."""
        pixels = self._pixels(handle)
        kept = _cut(pixels, region)
        asked, found = self._ahead.pop(handle, (None, None))
        if kept.shape != pixels.shape:
            # A copy, so that the rest of the picture is freed.
            self._open[handle] = kept = kept.copy()
        # A smaller region is enlarged more, which finds smaller faces than the early search did, and takes less time.
        as_fine = max(kept.shape) >= min(max(pixels.shape), THOROUGH_SIDE / THOROUGH_RATIO)
        if found is None or asked != task or not as_fine:
            return self._analysed(kept, task)
        return found if region is None else _within(found, region, kept.shape[1], kept.shape[0])

    def _analysed(self, pixels: Pixels, task: Analyse) -> Analysis:
        """Analyse it as a file in memory, so that faces are found as in any photo."""
        return self._engine.analyse_picture(replace(task, path=""), _encoded(pixels, "bmp", []))

    def cover(self, handle: str, covers: Sequence[Cover], format: str) -> bytes:
        """Raises CaptureGone."""
        pixels = self._pixels(handle).copy()
        redact(pixels, covers, order="BGR")
        return _encoded(pixels, format, _SPEED[format])

    def drop(self, handle: str) -> None:
        self._open.pop(handle, None)
        self._ahead.pop(handle, None)

    def _keep(self, pixels: Pixels) -> GrabbedFrame:
        handle = secrets.token_hex(16)
        self._open[handle] = pixels
        while len(self._open) > MOST_OPEN:
            self.drop(next(iter(self._open)))
        return GrabbedFrame(handle, pixels.shape[1], pixels.shape[0])

    def _pixels(self, handle: str) -> Pixels:
        if handle not in self._open:
            raise CaptureGone
        return self._open[handle]


def _cut(pixels: Pixels, region: ScreenRegion | None) -> Pixels:
    """The part of the region that exists. Raises RegionOutside."""
    if region is None:
        return pixels
    height, width = pixels.shape[:2]
    inside = ScreenRegion.clipped(region.x, region.y, region.w, region.h, within=(width, height))
    if inside is None:
        raise RegionOutside
    return pixels[inside.y : inside.y + inside.h, inside.x : inside.x + inside.w]


def _within(found: Analysis, region: ScreenRegion, width: int, height: int) -> Analysis:
    """The faces in the region, relative to its top left, including faces that only reach into it."""
    area = Box(region.x, region.y, width, height)
    inside = (moved(face, -region.x, -region.y) for face in found.faces if area.intersection(face.box) > 0)
    return replace(found, width=width, height=height, faces=tuple(inside))


def _encoded(pixels: Pixels, format: str, how: list[int]) -> bytes:
    done, encoded = cv2.imencode(_ENDINGS[format], pixels, how)
    if not done:
        raise CaptureFailed
    return encoded.tobytes()
