"""Checks the written copy of a video before it counts as done: it is decoded again, and in its frames the covered areas are looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import BinaryIO, Final

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from agent.domain.errors import CopyUnproven, VideoNoPicture, VideoUnreadable
from agent.domain.face import Box
from agent.domain.redaction import Cover
from agent.domain.video import Covered, VerifiedPart, VideoPart, covers_at
from agent.inference.vision.redactor import PixelArea, area_of
from agent.inference.vision.video.geometry import Turn
from agent.inference.vision.video.part_writer import scaled
from agent.inference.vision.video.planes import Plane, draw, drawable, own_copy, planes_of
from agent.inference.vision.video.video_opening import Opened, decoded, frames_from_start, moment_of, opened

# Besides key frames and each trajectory's first and last, one in this many frames is looked at; all are decoded and counted.
EACH: Final = 8
# Of 255, root mean square in a covered area, between the copy and the same cover drawn on it again.
# Measured: at most 5 with every style and encoder; 29 and more where a face was not covered.
MOST_OFF: Final = 12.0
# Pixels: so far from its edge, coding mixes a cover with its surroundings; and the smallest area that is looked at.
_EDGE, _LEAST = 4, 8
# Seconds: MP4 states in milliseconds when its picture begins beside its audio.
_SHIFT_S: Final = Fraction(1, 1000)


def prove_part(file: BinaryIO, copy: BinaryIO, part: VideoPart, ways: Sequence[Covered], threads: int = 1) -> VerifiedPart:
    """Check a part of the copy; `file` is the original; the part is one of `parts_of_copy`.

    Raises CopyUnproven, VideoUnreadable, VideoNoPicture.
    """
    first = next(frames_from_start(file), None)
    if first is None:
        raise VideoUnreadable
    with opened(file) as clip:
        tick, zero, size = clip.time_base, clip.zero, clip.size
    turn = Turn.of(first)
    count, last = 0, -1
    try:
        with opened(copy, threads) as written:
            slack = max(written.time_base / 2, _SHIFT_S) / tick  # a fraction of a tick if the original's clock is coarse
            due = _ends(ways)
            for frame in _frames(written, max(Fraction(0), part.start * tick - zero)):
                told = moment_of(frame)
                at = Fraction(part.start) if told is None else (told * written.time_base + zero) / tick
                if at < part.start - slack:
                    continue
                if at >= part.end - slack:
                    break
                ends = any(abs(at - end) <= slack for end in due)
                if ends or frame.key_frame or count % EACH == 0:
                    possible = [covers_at(ways, moment) for moment in _moments(ways, at, slack)]
                    if not any(_covered(frame, covers, turn, size) for covers in possible):
                        raise CopyUnproven
                count, last = count + 1, round(at)
    except (VideoUnreadable, VideoNoPicture, FFmpegError) as error:
        raise CopyUnproven from error
    return VerifiedPart(count, last)


def _frames(written: Opened, seconds: Fraction) -> Iterator[VideoFrame]:
    wanted = int(seconds / written.time_base)
    written.container.seek(max(wanted, written.stream.start_time or 0), stream=written.stream)
    return decoded(written)


def _ends(ways: Sequence[Covered]) -> list[int]:
    return sorted({knot.moment for each in ways for knot in (each.way.knots[0], each.way.knots[-1])})


def _moments(ways: Sequence[Covered], at: Fraction, slack: Fraction) -> list[int]:
    """Return the moments that a frame may have had when it was drawn: `at` and, beside the end of a trajectory, before and after it.

    A trajectory may begin right behind the frame until which another face was kept.
    """
    if at in _ends(ways):
        return [int(at)]
    found = {round(at)}
    for each in ways:
        for end, outside in ((each.way.knots[0].moment, -1), (each.way.knots[-1].moment, 1)):
            if abs(at - end) <= slack:
                found |= {end, end + outside}
    return sorted(found)


def _covered(frame: VideoFrame, covers: Sequence[Cover], turn: Turn, size: tuple[int, int]) -> bool:
    """Return whether each area is what its cover would be if it were drawn again: a cover changes nothing then."""
    if not covers:
        return True
    width, height = frame.width, frame.height
    if (width, height) != size:
        covers = [scaled(cover, turn.upright(*size), turn.upright(width, height)) for cover in covers]
    stored = [turn.in_file(cover, width, height) for cover in covers]
    (shown, *_), bits = planes_of(frame)
    again = own_copy(drawable(frame))
    draw(again, stored)
    (meant, *_), _ = planes_of(again)
    areas = (area_of(inner, width, height) for cover in stored if (inner := _inner(cover)) is not None)
    return all(_off(shown, meant, area) <= MOST_OFF * 2 ** (bits - 8) for area in areas if area is not None)


def _inner(cover: Cover) -> Cover | None:
    """Return the cover without its edge; None if nothing is left."""
    box = cover.box
    if min(box.w, box.h) < 2 * _EDGE + _LEAST:
        return None
    return replace(cover, box=Box(box.x + _EDGE, box.y + _EDGE, box.w - 2 * _EDGE, box.h - 2 * _EDGE))


def _off(shown: Plane, meant: Plane, area: PixelArea) -> float:
    squares, count = 0.0, 0
    for rows, columns, inside in area.masks():
        off = np.subtract(shown[rows, columns], meant[rows, columns], dtype=np.float32)[inside]
        squares, count = squares + float((off * off).sum()), count + off.size
    return (squares / count) ** 0.5 if count else 0.0
