"""Editable covers of videos: a face along its trajectory, or an area at a fixed position."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.domain.redaction import Cover, Look, Reason, around
from agent.domain.video import Covered, Keyframe, Trajectory, Video, VideoTrack
from agent.features.redaction.options import Doubtful, Mark
from agent.features.redaction.video.visibility import Verdict, Why

# More than this is neither stored nor transferred: marks, and keyframes of all their trajectories together.
MOST_MARKS, MOST_KNOTS = 2_000, 10_000


@dataclass(frozen=True, slots=True)
class Moments:
    """The frames or pages, numbered by the video's ticks."""

    first: int
    last: int
    step: int  # usual ticks from one frame to the next
    tick: float  # seconds
    apart: bool = False  # pages: an area on one is not on the others


def moments_of(clip: Video) -> Moments | None:
    """Return the moments; None for pages of several sizes, on which an area would be at different places."""
    if not clip.even:
        return None
    first, end = clip.parts[0].start, clip.parts[-1].end
    return Moments(first, end - 1, max(1, round(clip.frame / clip.tick)), clip.tick, clip.film and clip.format == "tiff")


def marks_along(trails: Sequence[VideoTrack], verdicts: Sequence[Verdict], look: Look) -> tuple[Mark, ...] | None:
    """Return the verdict of each trajectory as a mark. None if there are too many."""
    if len(trails) > MOST_MARKS or sum(len(trail.way.knots) for trail in trails) > MOST_KNOTS:
        return None
    return tuple(_mark(trail, verdict, look) for trail, verdict in zip(trails, verdicts, strict=True))


def covered_along(marks: Iterable[Mark], moments: Moments) -> tuple[Covered, ...]:
    """Return what the copy covers, and where."""
    found = []
    for mark in marks:
        if mark.covered:
            box = mark.cover.box
            way = mark.way or Trajectory((Keyframe(moments.first, box), Keyframe(max(moments.last, moments.first + 1), box)))
            found += [Covered(piece, mark.cover.look, mark.cover.reason, whole=True) for piece in way.without(mark.visible)]
    return tuple(found)


def _mark(trail: VideoTrack, verdict: Verdict, look: Look) -> Mark:
    way = Trajectory(tuple(Keyframe(knot.moment, around(knot.box, look)) for knot in trail.way.knots))
    reason = verdict.covered[0].reason if verdict.covered else Reason.FACE
    cover = Cover(way.knots[len(way.knots) // 2].box, look, 0.0, reason)
    doubts = (Doubtful.UNSURE,) if verdict.why is Why.DISAGREE else ()
    return Mark(cover, bool(verdict.covered), max(find.score for _, find in trail.finds), doubts, way, verdict.visible)
