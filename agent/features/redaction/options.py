"""The options of covered copies, and the reasons for reviewing them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from agent.domain.face import Face
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.redaction import Cover, Look, PeopleChoice, Reason, cover_of, head_of, hides
from agent.domain.reference import LEAST_EYE_DISTANCE, MOST_YAW
from agent.domain.video import Trajectory


class Keeping(StrEnum):
    """What is kept, encrypted, so that a copy can be restored."""

    NOTHING = "nothing"
    REGIONS = "regions"  # the covered regions
    ORIGINAL = "original"  # the whole file


EVERYONE: Final = PeopleChoice()
PLAIN: Final = Look()


@dataclass(frozen=True, slots=True)
class RedactionOptions:
    """The options of copies."""

    choice: PeopleChoice = EVERYONE
    look: Look = PLAIN
    strip: bool = False  # leave out all metadata
    keeping: Keeping = Keeping.NOTHING
    locked: bool = False  # the recovery file needs a passphrase, which is not stored
    replace: bool = False  # an existing file is replaced
    report: bool = False  # write a report beside each copy

    @property
    def made(self) -> "RedactionOptions":
        """Return the options that affect the copies: if these agree, so do the copies."""
        return replace(self, replace=False, report=False)


class Doubtful(StrEnum):
    """A reason for reviewing a copy, the worst first."""

    VISIBLE = "visible"  # a face stays visible because of its identification
    NO_FACE = "no_face"  # no face was found, which does not prove that there is none
    SMALL = "small"
    TURNED = "turned"
    LOW_SCORE = "low_score"
    UNSURE = "unsure"  # probably a named person: between the thresholds
    CUT_OFF = "cut_off"  # a video that ends too early: the copy contains only that part


# Below this score the detector is occasionally wrong; and if a face was nearly missed, another may have been.
SURE_SCORE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Mark:
    """A detected face, or an area drawn by hand, and whether it is covered."""

    cover: Cover  # its cover, if covered
    covered: bool = True
    score: float | None = None  # of the detector; None: drawn by hand
    doubts: tuple[Doubtful, ...] = ()
    way: Trajectory | None = None  # its position in a video: the boxes of its cover; None: constant
    visible: tuple[tuple[int, int], ...] = ()  # first and last moments of intervals in which it is visible although it is covered


def marks_of(faces: Sequence[Face], identities: Sequence[Identity | None], choice: PeopleChoice, look: Look) -> tuple[Mark, ...]:
    """Mark every face of an analysed picture as covered or not, according to `PeopleChoice`.

    A weak detection that is completely below another face's cover is part of that face.
    """
    marks = [_mark(face, identity, choice, look) for face, identity in zip(faces, identities, strict=True)]
    return tuple(mark for face, mark in zip(faces, marks, strict=True) if not _is_part(face, mark, marks))


def cover_changes(before: Iterable[Mark], after: Iterable[Mark]) -> tuple[int, int]:
    """Return how many covers are gone or not as they were, and how many are new or not as they were."""
    was, now = (
        {(replace(mark.cover, reason=Reason.FACE), mark.way, mark.visible) for mark in marks if mark.covered} for marks in (before, after)
    )
    return len(was - now), len(now - was)


def covered(marks: Iterable[Mark]) -> tuple[Cover, ...]:
    return tuple(mark.cover for mark in marks if mark.covered)


def doubts_of(marks: Sequence[Mark]) -> tuple[Doubtful, ...]:
    """Return all doubts, each once; the worst first."""
    if not any(mark.score is not None for mark in marks):
        return (Doubtful.NO_FACE,)
    found = {doubt for mark in marks for doubt in mark.doubts}
    if any(mark.score is not None and not mark.covered for mark in marks):
        found.add(Doubtful.VISIBLE)
    return tuple(doubt for doubt in Doubtful if doubt in found)


def _mark(face: Face, identity: Identity | None, choice: PeopleChoice, look: Look) -> Mark:
    reason = choice.covers(identity)
    return Mark(cover_of(face, look, reason or Reason.FACE), reason is not None, face.score, tuple(_doubts(face, identity, choice)))


def _is_part(face: Face, mark: Mark, marks: Sequence[Mark]) -> bool:
    """Return whether a better mark's cover also hides this uncertain face."""
    if not mark.covered or face.score >= SURE_SCORE:
        return False
    box = head_of(face.box, face.landmarks)
    return any(
        other.covered and (other.score or 0) >= SURE_SCORE and other.cover.box.area > mark.cover.box.area and hides(other.cover, box)
        for other in marks
    )


def _doubts(face: Face, identity: Identity | None, choice: PeopleChoice) -> Iterable[Doubtful]:
    if face.quality.size < LEAST_EYE_DISTANCE:
        yield Doubtful.SMALL
    if abs(face.quality.yaw) > MOST_YAW:
        yield Doubtful.TURNED
    if face.score < SURE_SCORE:
        yield Doubtful.LOW_SCORE
    named = choice.keep | (choice.only or frozenset())
    if identity is not None and identity.certainty is Certainty.PROBABLE and identity.person_id in named:
        yield Doubtful.UNSURE
