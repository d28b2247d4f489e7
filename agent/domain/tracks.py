"""Joins detections of single frames into tracks and trajectories: the position of each face, also in frames without detection."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from agent.domain.face import Box
from agent.domain.video import FrameDetections, Keyframe, Trajectory, VideoDetection, VideoTrack, between

# A track begins with a detection of at least this score; weaker ones only continue it.
BEGINS: Final = 0.5
# Weaker detections along one path count as a face after this many.
TOGETHER: Final = 3
# A face may be hidden this long (seconds) and is still the same.
HIDDEN_S: Final = 1.5
# It existed this long before its first detection, and stays this long after the last one,
LINGERS_S: Final = 0.8
# and while it moves across the picture's edge: for this long at most.
LEAVES_S: Final = 3.0
# The distance, in sizes of the face, between two detections of one face, and the ratio of their sizes.
NEAR: Final = 0.7
TIMES: Final = 1.8
# Fast motion has larger distances: a confident detection that nothing nearer explains is the missing face, if the size fits.
FAR: Final = 3.0
ALIKE: Final = 1.35
# Two faces this near to each other (in sizes) may be confused.
CROWDED: Final = 1.5
# In a longer gap (seconds) a face may have moved elsewhere: its cover grows by this much on each side.
GAP_S, GAP_GROWS = 0.35, 0.2
# Of a trajectory's curvature between keyframes: a straight line misses an eighth at most.
BEND: Final = 0.3
# A detection's possible error in pixels on each side, however small the face is.
OFF: Final = 2.0
_STEADY: Final = 0.5  # weight of the newest step in the speed


@dataclass(slots=True)
class _Track:
    """One face, as far as it was tracked."""

    finds: list[tuple[int, VideoDetection]]
    speed: tuple[float, float] = (0.0, 0.0)  # of its centre, pixels per tick
    scene: int = 0
    best: float = field(default=0.0)
    doubtful: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.best = self.finds[0][1].score

    @property
    def last(self) -> tuple[int, VideoDetection]:
        return self.finds[-1]

    def ahead(self, moment: int) -> Box:
        """Return its predicted box at that moment."""
        at, find = self.last
        return _moved(find.box, self.speed, moment - at)

    def take(self, moment: int, find: VideoDetection, *, doubtful: bool) -> None:
        at, before = self.last
        if doubtful:
            self.doubtful.add(moment)
        step = _speed(before.box, find.box, moment - at)
        share = _STEADY if len(self.finds) > 1 else 1.0
        self.speed = (self.speed[0] + share * (step[0] - self.speed[0]), self.speed[1] + share * (step[1] - self.speed[1]))
        self.finds.append((moment, find))
        self.best = max(self.best, find.score)


def trails_of(
    sights: Iterable[FrameDetections], cuts: Sequence[int], size: tuple[int, int], tick: float, frame: float, ends: tuple[int, int]
) -> list[VideoTrack]:
    """Return the tracks of a video, from all its detections.

    `sights` in order; `cuts` the moments at which scenes begin; `size` the picture's width and height in pixels; `tick` and `frame` in
    seconds; `ends` the video's first moment and the first one after it.
    """
    bounds = sorted({ends[0], *cuts, ends[1]})
    scenes = list(pairwise(bounds))
    return [
        VideoTrack(_way(track, scenes[track.scene], size, tick, frame), tuple(track.finds), frozenset(track.doubtful))
        for track in _tracks(sights, scenes, tick)
    ]


def _tracks(sights: Iterable[FrameDetections], scenes: Sequence[tuple[int, int]], tick: float) -> Iterator[_Track]:
    live: list[_Track] = []
    scene = 0
    for sight in sights:
        while scene + 1 < len(scenes) and sight.moment >= scenes[scene][1]:
            scene += 1
        gone = [each for each in live if each.scene != scene or (sight.moment - each.last[0]) * tick > HIDDEN_S]
        yield from filter(_is_face, gone)
        live = [each for each in live if each not in gone]
        live += _joined(live, sight, scene)
    yield from filter(_is_face, live)


def _is_face(track: _Track) -> bool:
    return track.best >= BEGINS or len(track.finds) >= TOGETHER


def _joined(live: Sequence[_Track], sight: FrameDetections, scene: int) -> list[_Track]:
    """Assign detections to tracks, the nearest first. Return the new tracks."""
    tracks, finds = set(range(len(live))), set(range(len(sight.finds)))
    joined: list[tuple[int, int, bool]] = []
    for most, times, sure in ((NEAR, TIMES, False), (FAR, ALIKE, True)):
        pairs = sorted(
            (far, t, f)
            for t in tracks
            for f in finds
            if (far := _far(live[t], sight.moment, sight.finds[f], times)) < most and (not sure or sight.finds[f].score >= BEGINS)
        )
        for _, t, f in pairs:
            if t in tracks and f in finds:
                tracks.remove(t)
                finds.remove(f)
                joined.append((t, f, sure or _in_crowd(live, sight, t, f)))
    for t, f, doubtful in joined:  # after the loop: the tracks' earlier positions decide which faces are near
        live[t].take(sight.moment, sight.finds[f], doubtful=doubtful)
    return [_Track([(sight.moment, sight.finds[f])], scene=scene) for f in sorted(finds)]


def _in_crowd(live: Sequence[_Track], sight: FrameDetections, t: int, f: int) -> bool:
    """Return whether another face is near: a detected one, or a hidden one that may return."""
    find = sight.finds[f]
    if any(g != f and find.box.apart(other.box) < CROWDED for g, other in enumerate(sight.finds)):
        return True
    return any(u != t and _far(other, sight.moment, find, TIMES) < CROWDED for u, other in enumerate(live))


def _far(track: _Track, moment: int, find: VideoDetection, most: float) -> float:
    """Return a detection's distance from the track's predicted position, in sizes; infinite if its size doesn't fit."""
    times = math.sqrt(find.box.area / max(track.last[1].box.area, 1e-6))
    if not 1 / most < times < most:
        return math.inf
    # A face that was detected only once may move in any direction: the distance from its position counts as well.
    places = (track.ahead(moment), track.last[1].box)
    return min(place.apart(find.box) for place in places)


def _way(track: _Track, scene: tuple[int, int], size: tuple[int, int], tick: float, frame: float) -> Trajectory:
    """Return the keyframes: the face's size around that moment, larger during motion, before its first and after its last detection."""
    finds = track.finds
    knots = [Keyframe(moment, _around(finds, number, tick, frame)) for number, (moment, _) in enumerate(finds)]
    first = _beyond(finds[0], finds[: _near_end(finds, tick)], knots[0].box, -1, scene, size, tick)
    last = _beyond(finds[-1], finds[-_near_end(finds[::-1], tick) :], knots[-1].box, 1, scene, size, tick)
    return Trajectory(tuple(knot for knot in (first, *_gaps_filled(knots, tick), last) if knot is not None))


def _near_end(finds: Sequence[tuple[int, VideoDetection]], tick: float) -> int:
    """Return how many detections, at least two if available, determine the speed at an end."""
    return max(2, sum(abs(moment - finds[0][0]) * tick <= GAP_S for moment, _ in finds))


def _around(finds: Sequence[tuple[int, VideoDetection]], number: int, tick: float, frame: float) -> Box:
    moment, find = finds[number]
    near = [each for each in finds[max(0, number - 1) : number + 2] if abs(each[0] - moment) * tick <= GAP_S]
    width, height = max(each.box.w for _, each in near), max(each.box.h for _, each in near)
    x, y = find.box.x + find.box.w / 2, find.box.y + find.box.h / 2
    across, down = _restless(finds, number, frame / tick)
    width, height = width + 2 * (across + OFF), height + 2 * (down + OFF)
    return Box(x - width / 2, y - height / 2, width, height)


def _restless(finds: Sequence[tuple[int, VideoDetection]], number: int, frame: float) -> tuple[float, float]:
    """Return the trajectory's curvature here plus a frame's motion blur: pixels to add on each side."""
    if len(finds) == 1:
        return 0.0, 0.0
    at, here = finds[number]
    before = finds[number - 1] if number > 0 else None
    after = finds[number + 1] if number + 1 < len(finds) else None
    speeds = []
    if before is not None:
        speeds.append(_speed(before[1].box, here.box, at - before[0]))
    if after is not None:
        speeds.append(_speed(here.box, after[1].box, after[0] - at))
    blur = [max(abs(speed[axis]) for speed in speeds) * frame / 2 for axis in (0, 1)]
    if before is None or after is None:
        return blur[0], blur[1]
    step = max(at - before[0], after[0] - at)
    bend = [abs(speeds[1][axis] - speeds[0][axis]) * step * BEND for axis in (0, 1)]
    return blur[0] + bend[0], blur[1] + bend[1]


def _gaps_filled(knots: Sequence[Keyframe], tick: float) -> list[Keyframe]:
    filled = [knots[0]]
    for one, other in pairwise(knots):
        if (other.moment - one.moment) * tick > GAP_S:
            middle = between(one.box, other.box, 0.5)
            filled.append(Keyframe((one.moment + other.moment) // 2, _grown(middle, GAP_GROWS * middle.w, GAP_GROWS * middle.h)))
        filled.append(other)
    return filled


def _beyond(
    end: tuple[int, VideoDetection],
    near: Sequence[tuple[int, VideoDetection]],
    box: Box,
    sense: int,
    scene: tuple[int, int],
    size: tuple[int, int],
    tick: float,
) -> Keyframe | None:
    """Return where the cover begins or ends: detected positions stay covered, and so do the positions before or after them."""
    moment, _ = end
    speed = (0.0, 0.0)
    if len(near) > 1:
        speed = _speed(near[0][1].box, near[-1][1].box, near[-1][0] - near[0][0])
    lasts = LINGERS_S / tick
    out = _time_out(box, (sense * speed[0], sense * speed[1]), size)
    if out is not None and out * tick <= LEAVES_S:
        lasts = max(lasts, out)
    until = max(scene[0], moment - math.ceil(lasts)) if sense < 0 else min(scene[1] - 1, moment + math.ceil(lasts))
    if until == moment:
        return None
    reached = _hull(box, _moved(box, speed, until - moment))
    return Keyframe(until, _grown(reached, GAP_GROWS * box.w, GAP_GROWS * box.h))


def _time_out(box: Box, speed: tuple[float, float], size: tuple[int, int]) -> float | None:
    """Return the ticks until a face near the edge has left."""
    times = []
    for low, length, step, side in ((box.x, box.w, speed[0], size[0]), (box.y, box.h, speed[1], size[1])):
        left = side - low if step > 0 else low + length
        if step != 0 and left < 2 * length:
            times.append(left / abs(step))
    return min(times, default=None)


def _speed(one: Box, other: Box, ticks: int) -> tuple[float, float]:
    return (other.x + other.w / 2 - one.x - one.w / 2) / ticks, (other.y + other.h / 2 - one.y - one.h / 2) / ticks


def _moved(box: Box, speed: tuple[float, float], ticks: float) -> Box:
    return Box(box.x + speed[0] * ticks, box.y + speed[1] * ticks, box.w, box.h)


def _grown(box: Box, across: float, down: float) -> Box:
    return Box(box.x - across, box.y - down, box.w + 2 * across, box.h + 2 * down)


def _hull(one: Box, other: Box) -> Box:
    x, y = min(one.x, other.x), min(one.y, other.y)
    return Box(x, y, max(one.x + one.w, other.x + other.w) - x, max(one.y + one.h, other.y + other.h) - y)
