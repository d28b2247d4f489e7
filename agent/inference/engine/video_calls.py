"""The engine's calls about clips and films, and their possible responses."""

import math
from dataclasses import dataclass

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.video import Covered, PartDetections, Piece, VerifiedPart, Video, VideoPart
from agent.inference.engine.engine_calls import are_kinds, is_jpeg, is_sha256
from agent.inference.engine.matcher_calls import EMBEDDING_BYTES
from agent.inference.engine.rpc import NOTHING, Call, Codec
from agent.inference.engine.video_ports import Joined

CLIPS_FORMATS = frozenset({"mp4", "mov", "mkv", "webm"})
FILMS_FORMATS = frozenset({"gif", "png", "webp", "avif", "tiff"})
# No measured clip came near this value.
_MOST_PARTS, _MOST_FINDS = 20_000, 4000
_LATEST_S = 1e10  # a clock of 63 bits and nanoseconds ends before


@dataclass(frozen=True, slots=True)
class VideoLookRequest:
    part: VideoPart
    tick: float
    embedder: str | None = None  # the name of its recipe, if embeddings are wanted


@dataclass(frozen=True, slots=True)
class Draw:
    part: VideoPart
    ways: tuple[Covered, ...]
    format: str
    strip: bool = False


@dataclass(frozen=True, slots=True)
class DrawnPart:
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


@dataclass(frozen=True, slots=True)
class Prove:
    part: VideoPart
    ways: tuple[Covered, ...]


def is_clip(clip: Video, _: None) -> bool:
    """Whether the values are possible."""
    ends = [part.end for part in clip.parts]
    return (
        is_sha256(clip.sha256)
        and min(clip.size, clip.width, clip.height, clip.frames) > 0
        and clip.tick > 0
        and 0 <= clip.zero < _LATEST_S
        and clip.frame >= clip.tick
        and clip.format in (FILMS_FORMATS if clip.film else CLIPS_FORMATS)
        and 0 < len(clip.parts) <= _MOST_PARTS
        and all(part.start < part.end for part in clip.parts)
        and [part.start for part in clip.parts[1:]] == ends[:-1]
        and are_kinds(clip.removed)
    )


def is_seen(seen: PartDetections, asked: VideoLookRequest) -> bool:
    """Whether the result is possible for the requested part, with embeddings only if requested."""
    moments = [sight.moment for sight in seen.sights]
    return (
        moments == sorted(set(moments))
        and list(seen.cuts) == sorted(set(seen.cuts))
        and all(asked.part.start <= moment < asked.part.end for moment in (*moments, *seen.cuts))
        and all(len(sight.finds) <= _MOST_FINDS for sight in seen.sights)
        and all(min(find.box.w, find.box.h) > 0 and 0 <= find.score <= 1 for sight in seen.sights for find in sight.finds)
        and all(math.isfinite(find.box.area) for sight in seen.sights for find in sight.finds)
        and all(find.word is None and _is_print(find.print, asked.embedder is not None) for sight in seen.sights for find in sight.finds)
    )


def _is_print(print: UnsavedEmbedding | None, wanted: bool) -> bool:
    return print is None or (wanted and len(print.embedding) == EMBEDDING_BYTES and print.quality.size > 0)


def is_drawn(drawn: DrawnPart, _: Draw) -> bool:
    return drawn.frames >= 0 and (drawn.size > 0) == (drawn.frames > 0)


def is_joined(joined: Joined, _: Join) -> bool:
    return joined.copy_size > 0 and are_kinds(joined.removed) and joined.frames >= 0


def is_proven(proven: VerifiedPart, asked: Prove) -> bool:
    return proven.frames >= 0 and (proven.last >= 0) == (proven.frames > 0) and proven.last < asked.part.end


class VideoCalls:
    """The calls that clips and films share. Each call declares its number of open files."""

    def __init__(self, kind: str, part_limit: float) -> None:
        """The calls' names begin with `kind`; `part_limit` is the time limit in seconds for a part, if that is not the whole."""
        self.probe = Call(f"{kind}_probe", NOTHING, Codec(Video), is_clip, files=1, limit=_WHOLE_LIMIT_S)
        self.look = Call(f"{kind}_look", Codec(VideoLookRequest), Codec(PartDetections), is_seen, files=1, limit=part_limit)
        self.draw = Call(f"{kind}_draw", Codec(Draw), Codec(DrawnPart), is_drawn, files=2, limit=part_limit)
        self.still = Call(f"{kind}_still", Codec(Still), Codec(bytes), is_jpeg, files=1, limit=_STILL_LIMIT_S, urgent=True)
        self.prove = Call(f"{kind}_prove", Codec(Prove), Codec(VerifiedPart), is_proven, files=2, limit=part_limit)
        self.join = Call(f"{kind}_join", Codec(Join), Codec(Joined), is_joined, files=3, limit=_WHOLE_LIMIT_S)


# Seconds: a part is short but of any size; and the whole file is read for its digest and again for joining.
_LIMIT_S, _WHOLE_LIMIT_S, _STILL_LIMIT_S = 600.0, 3600.0, 60.0
CLIPS = VideoCalls("clip", _LIMIT_S)
# A film's frame can't be read without the previous ones: each step runs in one go.
FILMS = VideoCalls("film", _WHOLE_LIMIT_S)
