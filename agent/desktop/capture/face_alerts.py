"""Tracks faces on the screen from check to check, so that each face causes one alert: on appearing, and on returning after long."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from agent.domain.face import Box
from agent.infrastructure.core.i18n import Texts

# A face in only one check may be a false detection, or a picture that is scrolled past.
SURE_LOOKS: Final = 2
# The distance, in sizes of the face, between two glimpses of one face after any absence, and the ratio of their sizes.
NEAR: Final = 1.0
TIMES: Final = 1.8
# Seconds: within this time an unknown face may have jumped anywhere, as in a film with every cut.
JUMPS_S: Final = 10.0


class SightingKind(StrEnum):
    NEW_FACE = "new_face"  # of a person who may not be named
    PERSON = "person"
    SHARED = "shared"  # a face is visible while the screen is shared


@dataclass(frozen=True, slots=True)
class FaceObservation:
    """A face in one check."""

    box: Box
    person_id: int | None = None  # the certain person, if they may be named


@dataclass(frozen=True, slots=True)
class FaceAlert:
    """An alert to raise."""

    kind: SightingKind
    track: int  # the same number for the same face, as far as it could be tracked
    person_id: int | None = None


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    seen_at: float
    person_id: int | None = None
    looks: int = 0
    known_now: bool = False  # the last glimpse identified the person
    told_face: bool = False
    told_person: bool = False
    told_shared: bool = False

    def take(self, glimpse: FaceObservation, now: float) -> None:
        if glimpse.person_id is not None and glimpse.person_id != self.person_id:
            self.person_id, self.told_person = glimpse.person_id, False
        self.box, self.seen_at, self.known_now = glimpse.box, now, glimpse.person_id is not None
        self.looks += 1


class FaceAlertTracker:
    """The state machine. Times must not decrease. It has no pixels and no prints, and forgets a face after its quiet time."""

    def __init__(self, quiet_s: float) -> None:
        """A person absent for this many seconds causes a new alert."""
        self.quiet_s = quiet_s
        self._tracks: list[_Track] = []
        self._last: tuple[FaceObservation, ...] = ()
        self._made = 0

    def look(self, now: float, faces: Sequence[FaceObservation], *, sharing: bool = False) -> list[FaceAlert]:
        """Return the alerts for these faces, which are all that are visible now."""
        self._last = tuple(faces)
        self._tracks = [each for each in self._tracks if now - each.seen_at <= self.quiet_s]
        if not sharing:
            for track in self._tracks:
                track.told_shared = False
        seen = self._followed(now, faces)
        told = [sighting for track in seen for sighting in _told(track)]
        fresh = [track for track in seen if not track.told_shared] if sharing else []
        for track in fresh:
            track.told_shared = True
        return told + [FaceAlert(SightingKind.SHARED, track.number) for track in fresh[:1]]

    def still(self, now: float, *, sharing: bool = False) -> list[FaceAlert]:
        """Return the same after a check without changes."""
        return self.look(now, self._last, sharing=sharing)

    def forget(self) -> None:
        self._tracks, self._last = [], ()

    def _followed(self, now: float, faces: Sequence[FaceObservation]) -> list[_Track]:
        """Return the track of each face, by the most reliable evidence first: by person, by position, and by a missing track."""
        left, tracks = list(faces), list(self._tracks)
        found: list[_Track] = []

        def join(pairs: Iterator[tuple[float, int, int]]) -> None:
            for _, f, t in sorted(pairs):
                if left_at[f] and free[t]:
                    left_at[f] = free[t] = False
                    tracks[t].take(left[f], now)
                    found.append(tracks[t])

        left_at, free = [True] * len(left), [True] * len(tracks)
        pairs = [(f, t) for f in range(len(left)) for t in range(len(tracks))]
        ways: tuple[Callable[[FaceObservation, _Track], float], ...] = (
            _same_person,
            _same_place,
            lambda face, track: _jumped(face, track, now),
        )
        for way in ways:
            join((far, f, t) for f, t in pairs if (far := way(left[f], tracks[t])) < math.inf)
        for face in (face for f, face in enumerate(left) if left_at[f]):
            self._made += 1
            track = _Track(self._made, face.box, now)
            track.take(face, now)
            self._tracks.append(track)
            found.append(track)
        return found


def _told(track: _Track) -> Iterator[FaceAlert]:
    if track.looks < SURE_LOOKS:
        return
    if track.known_now and not track.told_person:
        track.told_person = track.told_face = True
        yield FaceAlert(SightingKind.PERSON, track.number, track.person_id)
    elif track.person_id is None and not track.told_face:
        track.told_face = True
        yield FaceAlert(SightingKind.NEW_FACE, track.number)


def _same_person(face: FaceObservation, track: _Track) -> float:
    return face.box.apart(track.box) if face.person_id is not None and face.person_id == track.person_id else math.inf


def _same_place(face: FaceObservation, track: _Track) -> float:
    """Return the distance; a face that turns away is unknown for a while, but two known people are never one."""
    if None not in (face.person_id, track.person_id) and face.person_id != track.person_id:
        return math.inf
    far = face.box.apart(track.box)
    return far if far < NEAR and 1 / TIMES < _larger(face.box, track.box) < TIMES else math.inf


def _jumped(face: FaceObservation, track: _Track, now: float) -> float:
    """Return the distance for an unknown face: if its track was visible just before, it may be anywhere."""
    unnamed = face.person_id is None and track.person_id is None
    return face.box.apart(track.box) if unnamed and now - track.seen_at <= JUMPS_S else math.inf


def _larger(one: Box, other: Box) -> float:
    return math.sqrt(max(one.area, 1e-6) / max(other.area, 1e-6))


@dataclass(frozen=True, slots=True)
class SightingAnnouncement:
    """One alert. It holds the person's id, so that a forgotten person is not named here either."""

    number: int
    at: datetime
    kind: SightingKind
    person_id: int | None = None
    count: int = 1  # faces that it stands for

    def text(self, texts: Texts, names: Mapping[int, str]) -> str:
        """Return the text; `names` are those of people who may be named now."""
        if self.count > 1:
            return texts("watch.new_faces", count=self.count)
        if self.person_id is None:
            return texts(f"watch.{self.kind}")
        name = names.get(self.person_id)
        return texts("watch.somebody") if name is None else texts("watch.person", name=name)


def together(told: Sequence[FaceAlert]) -> Iterator[tuple[FaceAlert, int]]:
    """Yield the sightings of one check with the number of faces that each stands for: a group is one alert, not one for each face."""
    new = [each for each in told if each.kind is SightingKind.NEW_FACE]
    if new:
        yield new[0], len(new)
    yield from ((each, 1) for each in told if each.kind is not SightingKind.NEW_FACE)
