"""What the agent and its engine say to each other of clips."""

import math
import re
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter

from agent.domain.embeddings import FreshPrint
from agent.domain.errors import EngineBadAnswer
from agent.domain.video import Clip, Covered, Part, Piece, Seen
from agent.engine.matcher_wire import EMBEDDING_BYTES
from agent.engine.rpc import STRICT, Codec
from agent.engine.video_ports import Joined

T = TypeVar("T")

FORMATS = frozenset({"mp4", "mov", "mkv", "webm"})
FILMS = frozenset({"gif", "png", "webp", "avif", "tiff"})
# More than any clip that was measured came near to.
_MOST_PARTS, _MOST_FINDS, _MOST_KINDS = 20_000, 4000, 30
_LATEST_S = 1e10  # a clock of 63 bits and nanoseconds ends before
_SHA256, _KIND = re.compile(r"[0-9a-f]{64}"), re.compile(r"[a-z][a-z-]{0,30}")


@dataclass(frozen=True, slots=True)
class Look:
    part: Part
    tick: float
    embedder: str | None = None  # the name of its recipe, if prints are wanted


@dataclass(frozen=True, slots=True)
class Draw:
    part: Part
    ways: tuple[Covered, ...]
    format: str
    strip: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    frames: int
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Still:
    seconds: float
    side: int


@dataclass(frozen=True, slots=True)
class Join:
    pieces: tuple[Piece, ...]
    format: str
    strip: bool


CLIP = Codec[Clip](TypeAdapter(tuple[Clip], config=STRICT))
LOOK = Codec[Look](TypeAdapter(tuple[Look], config=STRICT))
SEEN = Codec[Seen](TypeAdapter(tuple[Seen], config=STRICT))
DRAW = Codec[Draw](TypeAdapter(tuple[Draw], config=STRICT))
DRAWN = Codec[Drawn](TypeAdapter(tuple[Drawn], config=STRICT))
STILL = Codec[Still](TypeAdapter(tuple[Still], config=STRICT))
JOIN = Codec[Join](TypeAdapter(tuple[Join], config=STRICT))
JOINED = Codec[Joined](TypeAdapter(tuple[Joined], config=STRICT))


def check_clip(clip: Clip) -> Clip:
    """The clip, if it can be one. Raises EngineBadAnswer."""
    ends = [part.end for part in clip.parts]
    sound = (
        _SHA256.fullmatch(clip.sha256) is not None
        and min(clip.size, clip.width, clip.height, clip.frames) > 0
        and clip.tick > 0
        and 0 <= clip.zero < _LATEST_S
        and clip.frame >= clip.tick
        and clip.format in (FILMS if clip.film else FORMATS)
        and 0 < len(clip.parts) <= _MOST_PARTS
        and all(part.start < part.end for part in clip.parts)
        and [part.start for part in clip.parts[1:]] == ends[:-1]
        and _are_kinds(clip.removed)
    )
    return _believed(clip, sound)


def check_seen(seen: Seen, part: Part, *, prints: bool = False) -> Seen:
    """Likewise; `prints` says whether some were asked for."""
    moments = [sight.moment for sight in seen.sights]
    sound = (
        moments == sorted(set(moments))
        and list(seen.cuts) == sorted(set(seen.cuts))
        and all(part.start <= moment < part.end for moment in (*moments, *seen.cuts))
        and all(len(sight.finds) <= _MOST_FINDS for sight in seen.sights)
        and all(min(find.box.w, find.box.h) > 0 and 0 <= find.score <= 1 for sight in seen.sights for find in sight.finds)
        and all(math.isfinite(find.box.area) for sight in seen.sights for find in sight.finds)
        and all(find.word is None and _is_print(find.print, prints) for sight in seen.sights for find in sight.finds)
    )
    return _believed(seen, sound)


def check_drawn(drawn: Drawn) -> Drawn:
    """Likewise."""
    return _believed(drawn, drawn.frames >= 0 and (drawn.size > 0) == (drawn.frames > 0))


def check_joined(joined: Joined) -> Joined:
    """Likewise."""
    return _believed(joined, joined.copy_size > 0 and _are_kinds(joined.removed))


def _is_print(print: FreshPrint | None, wanted: bool) -> bool:
    return print is None or (wanted and len(print.embedding) == EMBEDDING_BYTES and print.quality.size > 0)


def _are_kinds(kinds: tuple[str, ...]) -> bool:
    return len(kinds) <= _MOST_KINDS and all(_KIND.fullmatch(kind) for kind in kinds)


def _believed(answer: T, sound: bool) -> T:
    if not sound:
        raise EngineBadAnswer
    return answer
