"""Watches the screen: takes a picture, detects changes by checksums of its tiles, and looks for faces only in changed areas."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.domain.errors import CaptureFailed, MonitorUnknown
from agent.domain.face import Box, Face, Landmarks
from agent.domain.screen import ALL_MONITORS, Monitor, ScreenRef
from agent.inference.engine.screen_grab import Grabber
from agent.inference.engine.screen_port import WatchedScreen, WatchTask
from agent.inference.engine.service import Engine
from agent.inference.vision.codecs import Image
from agent.inference.vision.codecs.decoded_image import Pixels
from agent.infrastructure.core.malloc_tuning import keep_large_blocks, mmap_large_blocks

# Pixels: the resolution at which screen changes are known. The sums don't allow a picture to be reconstructed.
TILE: Final = 32
# After this many looks in a row without a change, memory that can be reallocated is freed.
CALM: Final = 10

Sums: TypeAlias = NDArray[np.uint64]  # [rows, columns] of tiles
Area: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class _View:
    """The state of a monitor, kept until the next look."""

    sums: Sums
    faces: tuple[Face, ...]  # in its own pixels


class ScreenWatch:
    """Not thread-safe. A picture is gone when its look ends."""

    def __init__(self, engine: Engine, screen: Grabber) -> None:
        self._engine = engine
        self._screen = screen
        self._views: dict[int, _View] = {}
        self._asked: WatchTask | None = None
        self._calm = 0

    def look(self, task: WatchTask) -> WatchedScreen:
        """Raises CaptureError, ImageTooLarge, ModelError."""
        asked = replace(task, anew=False)
        if self._asked is None:
            keep_large_blocks()
        if task.anew or asked != self._asked:
            self._views.clear()
        self._asked, faces, changed = asked, list[Face](), False
        for number, x, y in self._places(task.monitors):
            before = self._views.get(number)
            after = self._view(number, before, task)
            changed |= after is not before
            faces += (moved(face, x, y) for face in after.faces)
        self._rest(changed)
        return WatchedScreen(changed, tuple(faces) if changed else ())

    def forget(self) -> None:
        self._views.clear()
        self._asked = None
        mmap_large_blocks()
        self._engine.release()

    def _places(self, wanted: Sequence[int]) -> list[tuple[int, int, int]]:
        """The number of each monitor to look at and the position of its top left. Unplugged monitors are left out."""
        if not wanted:
            return [(ALL_MONITORS, 0, 0)]
        there: tuple[Monitor, ...] = self._screen.monitors()
        found = [(each.number, each.x, each.y) for each in there if each.number in wanted]
        if not found:
            raise MonitorUnknown(number=min(wanted), count=len(there))
        return found

    def _view(self, number: int, before: _View | None, task: WatchTask) -> _View:
        """The monitor's new state; `before` itself if nothing changed."""
        width, height, raw = self._screen.grab(ScreenRef(number))
        self._engine.limits.check_pixels(width, height)
        if len(raw) != width * height * 4:
            raise CaptureFailed
        sums = tile_sums(raw, width, height)
        kept: tuple[Face, ...] = ()
        area: Area | None = (0, 0, width, height)
        if before is not None and before.sums.shape == sums.shape:
            area, kept = changed_area(before.sums != sums, before.faces, round(task.min_face), (width, height))
        if area is None:
            assert before is not None
            return before
        left, top, right, bottom = area
        part = np.frombuffer(raw, np.uint8).reshape(height, width, 4)[top:bottom, left:right]
        image = Image(cast(Pixels, cv2.cvtColor(part, cv2.COLOR_BGRA2RGB)), 1.0, right - left, bottom - top, "screen")
        found = self._engine.quick_detect(task.recipe, image, task.min_score, task.min_face)
        view = self._views[number] = _View(sums, (*kept, *(moved(face, left, top) for face in found)))
        return view

    def _rest(self, changed: bool) -> None:
        self._calm = 0 if changed else self._calm + 1
        if self._calm == CALM:
            self._engine.release()


def tile_sums(raw: bytes | bytearray, width: int, height: int) -> Sums:
    """Tile sums of pixels of four bytes, row by row. Reordering pixels in a tile keeps its sum, but no face appears that way."""
    # Two pixels at a time, unless a row has an odd number of them.
    step = 2 if width % 2 == 0 else 1
    words = np.frombuffer(raw, np.uint64 if step == 2 else np.uint32).reshape(height, width // step)
    rows = np.stack([words[top : top + TILE].sum(axis=0, dtype=np.uint64) for top in range(0, height, TILE)])
    return cast(Sums, np.add.reduceat(rows, np.arange(0, width // step, TILE // step), axis=1))


def changed_area(
    changed: NDArray[np.bool_], faces: Sequence[Face], margin: int, size: tuple[int, int]
) -> tuple[Area | None, tuple[Face, ...]]:
    """The area in which to look for faces again (None: nowhere), and the faces outside it, which stay.

    `changed` [rows, columns] of tiles; `margin` in pixels; `size` is the picture's width and height. A face that reaches into the area
    lies inside it afterwards.
    """
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not rows.size:
        return None, tuple(faces)
    area = (int(columns[0]) * TILE, int(rows[0]) * TILE, int(columns[-1] + 1) * TILE, int(rows[-1] + 1) * TILE)
    area = _grown(area, margin, size)
    left = list(faces)
    while touched := [face for face in left if _box(area).intersection(face.box) > 0]:
        left = [face for face in left if face not in touched]
        for face in touched:
            reach = round(max(face.box.w, face.box.h) / 4)
            x0, y0, x1, y1 = face.box.x, face.box.y, face.box.x + face.box.w, face.box.y + face.box.h
            hull = (
                min(area[0], int(x0) - reach),
                min(area[1], int(y0) - reach),
                max(area[2], int(x1) + reach),
                max(area[3], int(y1) + reach),
            )
            area = _grown(hull, 0, size)
    return area, tuple(left)


def _grown(area: Area, margin: int, size: tuple[int, int]) -> Area:
    left, top, right, bottom = area
    return max(0, left - margin), max(0, top - margin), min(size[0], right + margin), min(size[1], bottom + margin)


def _box(area: Area) -> Box:
    left, top, right, bottom = area
    return Box(left, top, right - left, bottom - top)


def moved(face: Face, x: float, y: float) -> Face:
    """The same face, relative to another origin."""
    if not x and not y:
        return face
    landmarks = cast(Landmarks, tuple((px + x, py + y) for px, py in face.landmarks))
    return replace(face, box=replace(face.box, x=face.box.x + x, y=face.box.y + y), landmarks=landmarks)
