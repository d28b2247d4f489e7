"""What is known of a clip while it is redacted: its parts, what was seen in them, and the ways of what is covered."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from agent.domain.embeddings import FreshPrint
from agent.domain.face import Box
from agent.domain.image import is_image
from agent.domain.redaction import Cover, Look, Reason, around

# The format of a copy, by the ending of its name.
CLIP_FORMATS: Final = {"mp4": "mp4", "m4v": "mp4", "mov": "mov", "mkv": "mkv", "webm": "webm"}
# Endings of clips. Not "ts": most files of that name are programs' source texts.
CLIP_ENDINGS: Final = CLIP_FORMATS.keys() | frozenset(
    {"3gp", "3g2", "avi", "m2ts", "mts", "mpg", "mpeg", "m2v", "vob", "wmv", "asf", "flv", "f4v", "ogv", "mxf", "dv"}
)
# Endings of pictures and clips that can't be read here.
_UNREADABLE: Final = frozenset(
    {"jp2", "j2k", "jpf", "jpx", "jxl", "jxr", "wdp", "psd", "psb", "xcf", "pcx", "tga", "ppm", "pgm", "pbm", "pnm", "exr"} | {"rm", "rmvb"}
)


def is_clip(path: str) -> bool:
    """Whether a file's name ends like a clip's."""
    _, dot, ending = path.rpartition(".")
    return bool(dot) and ending.lower() in CLIP_ENDINGS


def may_show_faces(path: str) -> bool:
    """Whether it ends like any image's or clip's: whoever has a whole folder covered is told of those that can't be."""
    return has_pictures(path) or path.rpartition(".")[2].lower() in _UNREADABLE


def has_pictures(path: str) -> bool:
    """Whether a file's name ends like an image's or a clip's: covered copies are made of both."""
    return is_image(path) or is_clip(path)


def clip_named_as(path: str, format: str) -> str:
    """A path with an ending for that format, its own if it is one."""
    stem, dot, ending = path.rpartition(".")
    return path if not dot or CLIP_FORMATS.get(ending.lower()) == format else f"{stem}.{format}"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a clip that is worked on at a time. Moments are in ticks of the clip's video stream."""

    start: int
    end: int  # the first moment that is no longer in it


@dataclass(frozen=True, slots=True)
class Clip:
    """What a file with moving pictures is."""

    sha256: str  # of the whole file, hexadecimal
    size: int  # bytes
    width: int  # pixels of the upright picture
    height: int
    tick: float  # seconds
    frame: float  # seconds from one frame to the next, mostly
    frames: int  # as many as the file holds; those that can't be decoded among them
    format: str  # of the copy: "mp4", "mov", "mkv", "webm"; of a film its own
    parts: tuple[Part, ...]  # in order, without gaps
    sound: bool
    truncated: bool = False  # it ends before it should: what is there can be redacted
    removed: tuple[str, ...] = ()  # kinds of what never comes into a copy: "subtitles", "chapters", "cover", "data", "attachment", "alpha"
    zero: float = 0.0  # seconds by its own clock that are nought in the copy
    film: bool = False  # an animated picture, or pages: one part, moments are numbers of frames, and each frame is looked at
    even: bool = True  # its pages are of one size, as frames always are


class Word(StrEnum):
    """What a look at a face says of it, where some people are named."""

    SHOW = "show"  # it may stay visible
    HIDE = "hide"  # it must not


@dataclass(frozen=True, slots=True)
class Find:
    """A face in one frame."""

    box: Box  # what is to be covered of it, before the margin
    score: float
    print: FreshPrint | None = None  # only where some people are named, and of a face that can be trusted
    word: Word | None = None  # in the place of the print, once it was compared; None: nothing certain


@dataclass(frozen=True, slots=True)
class Trail:
    """One face through its scene, as far as it was followed."""

    way: "Way"
    finds: tuple[tuple[int, Find], ...]  # by moment
    doubtful: frozenset[int] = frozenset()  # moments of finds that may be somebody else's than the one before


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame that was looked at."""

    moment: int
    finds: tuple[Find, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in a part."""

    sights: tuple[Sight, ...]  # in order
    cuts: tuple[int, ...]  # moments at which another scene begins


@dataclass(frozen=True, slots=True)
class Knot:
    """Where something is at a moment."""

    moment: int
    box: Box


@dataclass(frozen=True, slots=True)
class Way:
    """Where one face is, from its first knot to its last; straight from each to the next."""

    knots: tuple[Knot, ...]

    def at(self, moment: int) -> Box | None:
        """None before and after."""
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

    def stretch(self, start: int, end: int) -> "Way | None":
        """From one moment to another, both in it; None if there is nothing between them."""
        first, last = self.at(start), self.at(end)
        if start > end or first is None or last is None:
            return None
        inner = (knot for knot in self.knots if start < knot.moment < end)
        return Way((Knot(start, first), *inner, *((Knot(end, last),) if end > start else ())))

    def without(self, stretches: Sequence[tuple[int, int]]) -> "list[Way]":
        """What is left of it; `stretches` by their first and last moments, in order."""
        ends = [self.knots[0].moment - 1, *(moment for each in stretches for moment in each), self.knots[-1].moment + 1]
        pieces = [self.stretch(end + 1, begin - 1) for end, begin in pairwise(ends)][::2]
        return [piece for piece in pieces if piece is not None]

    def within(self, part: Part) -> "Way | None":
        """As much of it as a part needs; None if it is not there."""
        first = max(0, bisect_right(self.knots, part.start, key=lambda knot: knot.moment) - 1)
        last = bisect_right(self.knots, part.end, key=lambda knot: knot.moment) + 1
        knots = self.knots[first:last]
        return Way(knots) if knots and knots[0].moment < part.end and knots[-1].moment >= part.start else None


@dataclass(frozen=True, slots=True)
class Covered:
    """A way, and how what goes it is covered."""

    way: Way
    look: Look
    reason: Reason = Reason.FACE
    whole: bool = False  # its boxes are all that is covered; else those of a face, which is covered with a margin


def covers_at(ways: Iterable[Covered], moment: int) -> list[Cover]:
    """What is covered at that moment."""
    there = ((each, box) for each in ways if (box := each.way.at(moment)) is not None)
    return [Cover(box if each.whole else around(box, each.look), each.look, 0.0, each.reason) for each, box in there]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part that was written, in the file that holds all of them one after another."""

    start: int  # the part's first moment
    offset: int  # bytes
    length: int


def between(one: Box, other: Box, share: float) -> Box:
    """From `one` (0) to `other` (1)."""
    rest = 1 - share
    return Box(
        one.x * rest + other.x * share, one.y * rest + other.y * share, one.w * rest + other.w * share, one.h * rest + other.h * share
    )
