"""A frame's planes as arrays, and covers drawn on them in place."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Final, TypeAlias

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.domain.redaction import Cover, Style
from agent.inference.vision.redactor import Colours, Mask, PixelArea, area_of, redact

Plane: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]

# The drawable formats: full brightness, colours at half the width and height.
EIGHT, TEN = "yuv420p", "yuv420p10le"
_FULL_RANGE: Final = 2
# Colour matrices as frames name them: RGB; HD.
_RGB, _BT709 = 0, 1
_LIMITED_RANGE: Final = 1
# Pixels: the radius of a pixel's colour influence in a conversion.
_SHARED: Final = 8


def drawable(frame: VideoFrame) -> VideoFrame:
    """Return the frame in a drawable format, with even sides; the decoder's own frame is never written to."""
    wanted = drawable_form(frame.format)
    width, height = frame.width + frame.width % 2, frame.height + frame.height % 2
    plain = frame if frame.format.name == wanted else _in_form(frame, wanted)
    if (width, height) != (frame.width, frame.height):
        plain = _alike(frame, _padded(plain, width, height))
    return plain


def own_copy(frame: VideoFrame) -> VideoFrame:
    """Return a copy of a frame from `drawable`, to draw on: the frame may be the decoder's own."""
    fresh = VideoFrame(frame.width, frame.height, frame.format.name)
    for new, old in zip(planes_of(fresh)[0], planes_of(frame)[0], strict=True):
        new[...] = old
    return _alike(frame, fresh)


def drawable_form(form: VideoFormat) -> str:
    """Return the format that `drawable` converts this one to."""
    if form.name == "yuvj420p":  # the older name of 8 bits in full range
        return form.name
    return TEN if max(component.bits for component in form.components) > 8 else EIGHT


def convert_frame(frame: VideoFrame, width: int, height: int, form: str) -> VideoFrame:
    """Convert the frame to the size and format of the others: recorded calls and screens change theirs midway."""
    if (frame.width, frame.height, frame.format.name) == (width, height, form):
        return frame
    return _alike(frame, frame.reformat(width, height, format=form))


def planes_of(frame: VideoFrame) -> tuple[list[Plane], int]:
    """Return brightness, and colours if they are separate; and their bit depth."""
    bits = frame.format.components[0].bits
    if not frame.format.is_planar or frame.format.is_rgb or bits > 16:
        return [_plane(frame.reformat(format="gray"), 0, 8)], 8
    apart = len(frame.planes) if len(frame.planes) == len(frame.format.components) else 1
    return [_plane(frame, number, bits) for number in range(apart)], bits


def draw(frame: VideoFrame, covers: Sequence[Cover]) -> None:
    """Draw on a frame from `drawable` that this program owns. Covered pixels keep nothing, including their colours."""
    areas = [(cover, area) for cover in covers if (area := area_of(cover, frame.width, frame.height)) is not None]
    if not areas:
        return
    bits = frame.format.components[0].bits
    luma, *chroma = (_plane(frame, number, bits) for number in range(3))
    if all(cover.look.style is Style.SOLID for cover, _ in areas):
        black, grey = 0 if _is_full(frame) else 16 << (bits - 8), 1 << (bits - 1)
        for _, area in areas:
            _fill(luma, area.top, area.starts, area.ends, black)
            top, starts, ends = _in_pairs(area)
            for plane in chroma:
                _fill(plane, top, starts, ends, grey)
        return
    drawn = _drawn(frame, covers)
    new_luma, *new_chroma = (_plane(drawn, number, bits) for number in range(3))
    for _, area in areas:
        for rows, columns, inside in _windows(area):
            _part(luma, rows, columns)[inside] = _part(new_luma, rows, columns)[inside]
            for plane, fresh in zip(chroma, new_chroma, strict=True):
                _halved(plane, rows, columns)[_pooled(inside)] = _halved(fresh, rows, columns)[_pooled(inside)]


def _fill(plane: Plane, top: int, starts: NDArray[np.int64], ends: NDArray[np.int64], value: int) -> None:
    """Fill row by row: several times as fast as through a mask."""
    for row, first, last in zip(count(top), starts.tolist(), ends.tolist(), strict=False):
        plane[row, first:last] = value


def _in_pairs(area: PixelArea) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
    """Return the same for colours: every sample that belongs to a covered pixel, or is between two."""
    top, bottom = area.top // 2, (area.bottom + 1) // 2
    starts, ends = np.full(2 * (bottom - top), np.iinfo(np.int64).max), np.zeros(2 * (bottom - top), np.int64)
    rows = slice(area.top - 2 * top, area.bottom - 2 * top)
    some = area.ends > area.starts
    starts[rows], ends[rows] = np.where(some, area.starts, starts[rows]), np.where(some, area.ends, 0)
    return top, starts.reshape(-1, 2).min(axis=1) // 2, (ends.reshape(-1, 2).max(axis=1) + 1) // 2


def _drawn(frame: VideoFrame, covers: Sequence[Cover]) -> VideoFrame:
    """Return a copy of the whole frame with the covers on it, drawn in RGB."""
    pixels: Colours
    if frame.format.components[0].bits > 8:
        pixels = np.asarray(frame.to_ndarray(format="rgb48le"), np.uint16)
    else:
        pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    # Neighbouring pixels share colours: the covers extend farther here than the copied area.
    redact(pixels, [replace(cover, box=_wider(cover.box)) for cover in covers])
    fresh = VideoFrame.from_ndarray(pixels, "rgb48le" if pixels.dtype == np.uint16 else "rgb24")
    return fresh.reformat(format=frame.format.name, dst_colorspace=frame.colorspace or None, dst_color_range=frame.color_range or None)


def _wider(box: Box) -> Box:
    return Box(box.x - _SHARED, box.y - _SHARED, box.w + 2 * _SHARED, box.h + 2 * _SHARED)


def _windows(area: PixelArea) -> Iterator[tuple[slice, slice, Mask]]:
    """Yield the area in windows with even coordinates."""
    for rows, columns, inside in area.masks():
        top, left = rows.start & ~1, columns.start & ~1
        bottom, right = rows.stop + rows.stop % 2, columns.stop + columns.stop % 2
        even = np.zeros((bottom - top, right - left), np.bool_)
        even[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = inside
        yield slice(top, bottom), slice(left, right), even


def _pooled(inside: Mask) -> Mask:
    """Return which colour samples belong to a covered pixel."""
    return np.asarray(inside.reshape(inside.shape[0] // 2, 2, -1, 2).any(axis=(1, 3)), np.bool_)


def _part(plane: Plane, rows: slice, columns: slice) -> Plane:
    return plane[rows, columns]


def _halved(plane: Plane, rows: slice, columns: slice) -> Plane:
    return plane[rows.start // 2 : rows.stop // 2, columns.start // 2 : columns.stop // 2]


def _plane(frame: VideoFrame, number: int, bits: int) -> Plane:
    """Return a view: writing to it writes to the frame."""
    plane = frame.planes[number]
    memory = memoryview(plane)
    flat: Plane = np.frombuffer(memory, np.uint16) if bits > 8 else np.frombuffer(memory, np.uint8)
    line = plane.line_size // flat.itemsize
    return flat[: line * plane.height].reshape(plane.height, line)[:, : plane.width]


def _is_full(frame: VideoFrame) -> bool:
    return frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")


def _in_form(frame: VideoFrame, wanted: str) -> VideoFrame:
    if not (frame.format.is_rgb or frame.format.has_palette or frame.colorspace == _RGB):
        return _alike(frame, frame.reformat(format=wanted))
    # Brightness and colours that are declared as RGB are shown green, or not encoded at all.
    fresh = _alike(frame, frame.reformat(format=wanted, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG))
    fresh.colorspace, fresh.color_range = _BT709, _LIMITED_RANGE
    return fresh


def _padded(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """Repeat the last column and row if a side is odd."""
    padded = VideoFrame(width, height, frame.format.name)
    bits = frame.format.components[0].bits
    for number in range(3):
        source, target = _plane(frame, number, bits), _plane(padded, number, bits)
        rows, columns = source.shape
        target[:rows, :columns] = source
        target[rows:, :columns] = source[-1:]
        target[:, columns:] = target[:, columns - 1 : columns]
    return padded


def _alike(frame: VideoFrame, fresh: VideoFrame) -> VideoFrame:
    """Copy the frame's properties besides its pixels."""
    fresh.pts, fresh.dts = frame.pts, frame.dts
    if frame.time_base is not None:
        fresh.time_base = frame.time_base
    fresh.colorspace, fresh.color_range = frame.colorspace, frame.color_range
    fresh.color_primaries, fresh.color_trc = frame.color_primaries, frame.color_trc
    return fresh
