"""The data of a video during redaction: its parts, their detections, and the trajectories of its covers."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import ceil
from typing import Final

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.face import Box
from agent.domain.image import is_image
from agent.domain.redaction import Cover, Look, Reason, around

# Seconds: copies' clocks tick in milliseconds, and begin in such steps.
_CLOCKS_S: Final = 0.002
# The format of a copy, by its extension.
CLIP_FORMATS: Final = {"mp4": "mp4", "m4v": "mp4", "mov": "mov", "mkv": "mkv", "webm": "webm"}
# Extensions of videos. Not "ts": most files with that extension are source code.
CLIP_ENDINGS: Final = CLIP_FORMATS.keys() | frozenset(
    {"3gp", "3g2", "avi", "m2ts", "mts", "mpg", "mpeg", "m2v", "vob", "wmv", "asf", "flv", "f4v", "ogv", "mxf", "dv"}
)
# Extensions of pictures and videos that can't be read here.
_UNREADABLE: Final = frozenset(
    {"jp2", "j2k", "jpf", "jpx", "jxl", "jxr", "wdp", "psd", "psb", "xcf", "pcx", "tga", "ppm", "pgm", "pbm", "pnm", "exr"} | {"rm", "rmvb"}
)


def is_clip(path: str) -> bool:
    """Return whether a file name has a video's extension."""
    _, dot, ending = path.rpartition(".")
    return bool(dot) and ending.lower() in CLIP_ENDINGS


def may_show_faces(path: str) -> bool:
    """Return whether it has any image's or video's extension, also unreadable ones, which covering a folder reports."""
    return has_pictures(path) or path.rpartition(".")[2].lower() in _UNREADABLE


def has_pictures(path: str) -> bool:
    """Return whether a file name has an image's or a video's extension: covered copies are made of both."""
    return is_image(path) or is_clip(path)


def clip_named_as(path: str, format: str) -> str:
    """Return the path with an extension for that format, its own if it fits."""
    stem, dot, ending = path.rpartition(".")
    return path if not dot or CLIP_FORMATS.get(ending.lower()) == format else f"{stem}.{format}"


@dataclass(frozen=True, slots=True)
class VideoPart:
    """A section of a video that is processed at a time. Moments are in ticks of the video stream."""

    start: int
    end: int  # the first moment after it


@dataclass(frozen=True, slots=True)
class Video:
    """The properties of a file with moving pictures."""

    sha256: str  # of the whole file, hexadecimal
    size: int  # bytes
    width: int  # pixels of the upright picture
    height: int
    tick: float  # seconds
    frame: float  # seconds from one frame to the next, usually
    frames: int  # as many as the file contains, including undecodable ones
    format: str  # of the copy: "mp4", "mov", "mkv", "webm"; of an animation its own
    parts: tuple[VideoPart, ...]  # in order, without gaps
    sound: bool
    truncated: bool = False  # it ends too early: the existing part can be redacted
    removed: tuple[str, ...] = ()  # kinds that a copy never contains: "subtitles", "chapters", "cover", "data", "attachment", "alpha"
    zero: float = 0.0  # seconds on its own clock that are zero in the copy
    film: bool = False  # an animation, or pages: one part, moments are frame numbers, and detection runs on each frame
    even: bool = True  # its pages have one size, as frames always have


class Vote(StrEnum):
    """The vote of one identification of a face, if some people are named."""

    SHOW = "show"  # it may stay visible
    HIDE = "hide"  # it must not


@dataclass(frozen=True, slots=True)
class VideoDetection:
    """A face in one frame."""

    box: Box  # the area to cover, before the margin
    score: float
    print: UnsavedEmbedding | None = None  # only if some people are named, and for a face that can be trusted
    word: Vote | None = None  # replaces the embedding after the comparison; None: uncertain


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """One face through its scene, as far as it was tracked."""

    way: "Trajectory"
    finds: tuple[tuple[int, VideoDetection], ...]  # by moment
    doubtful: frozenset[int] = frozenset()  # moments of detections that may be another person than the previous one


@dataclass(frozen=True, slots=True)
class FrameDetections:
    """A frame with detection."""

    moment: int
    finds: tuple[VideoDetection, ...] = ()


@dataclass(frozen=True, slots=True)
class PartDetections:
    """The detections of a part."""

    sights: tuple[FrameDetections, ...]  # in order
    cuts: tuple[int, ...]  # moments at which a scene begins


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A position at a moment."""

    moment: int
    box: Box


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The positions of one face from its first keyframe to its last; straight between them."""

    knots: tuple[Keyframe, ...]

    def at(self, moment: int) -> Box | None:
        """Return the box at that moment; None before and after."""
        after = bisect_right(self.knots, moment, key=lambda knot: knot.moment)
        if after == 0:
            return None
        one = self.knots[after - 1]
        if one.moment == moment:
            return one.box
        if after == len(self.knots):
            return None
        other = self.knots[after]
        return between(one.box, other.box, (moment - one.moment) / (other.moment - one.moment))

    def stretch(self, start: int, end: int) -> "Trajectory | None":
        """Return the section from one moment to another, both inside it; None if there is nothing between them."""
        first, last = self.at(start), self.at(end)
        if start > end or first is None or last is None:
            return None
        inner = (knot for knot in self.knots if start < knot.moment < end)
        return Trajectory((Keyframe(start, first), *inner, *((Keyframe(end, last),) if end > start else ())))

    def without(self, stretches: Sequence[tuple[int, int]]) -> "list[Trajectory]":
        """Return the remaining sections; `stretches` are their first and last moments, in order."""
        ends = [self.knots[0].moment - 1, *(moment for each in stretches for moment in each), self.knots[-1].moment + 1]
        pieces = [self.stretch(end + 1, begin - 1) for end, begin in pairwise(ends)][::2]
        return [piece for piece in pieces if piece is not None]

    def within(self, part: VideoPart) -> "Trajectory | None":
        """Return the section that a part needs; None if there is none."""
        first = max(0, bisect_right(self.knots, part.start, key=lambda knot: knot.moment) - 1)
        last = bisect_right(self.knots, part.end, key=lambda knot: knot.moment) + 1
        knots = self.knots[first:last]
        return Trajectory(knots) if knots and knots[0].moment < part.end and knots[-1].moment >= part.start else None


@dataclass(frozen=True, slots=True)
class Covered:
    """A trajectory, and the look of its cover."""

    way: Trajectory
    look: Look
    reason: Reason = Reason.FACE
    whole: bool = False  # its boxes are the whole covered area; otherwise those of a face, covered with a margin


def covers_at(ways: Iterable[Covered], moment: int) -> list[Cover]:
    """Return the covers at that moment."""
    there = ((each, box) for each in ways if (box := each.way.at(moment)) is not None)
    return [Cover(box if each.whole else around(box, each.look), each.look, 0.0, each.reason) for each, box in there]


@dataclass(frozen=True, slots=True)
class Piece:
    """A written part, in the file that contains all of them one after another."""

    start: int  # the part's first moment
    offset: int  # bytes
    length: int


@dataclass(frozen=True, slots=True)
class VerifiedPart:
    """A part of a written copy that was decoded again."""

    frames: int
    last: int  # the moment of its last frame; -1 without one


def parts_of_copy(clip: Video) -> tuple[VideoPart, ...]:
    """Return the parts to check: the last one lasts a second longer, because a copy's clock may be coarser."""
    last = clip.parts[-1]
    return (*clip.parts[:-1], VideoPart(last.start, last.end + ceil(1 / clip.tick)))


def is_same_frame(clip: Video, one: int, other: int) -> bool:
    """Return whether two moments are the same frame's, for all that clocks of copies tell."""
    return abs(one - other) * clip.tick <= max(clip.frame / 2, _CLOCKS_S)


def between(one: Box, other: Box, share: float) -> Box:
    """Interpolate from `one` (0) to `other` (1)."""
    rest = 1 - share
    return Box(
        one.x * rest + other.x * share, one.y * rest + other.y * share, one.w * rest + other.w * share, one.h * rest + other.h * share
    )
