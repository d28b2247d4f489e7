"""What somebody wants of covered copies of many files, and what of each is better looked at before it is shared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from agent.domain.face import Face
from agent.domain.people import Certainty, Identity
from agent.domain.redaction import Choice, Cover, Look, Reason, cover_of, head_of, hides
from agent.domain.reference import LEAST_EYE_DISTANCE, MOST_YAW
from agent.domain.video import Way


class Keeping(StrEnum):
    """What is kept, encrypted, so that a copy can be undone."""

    NOTHING = "nothing"
    REGIONS = "regions"  # what is below the covers
    ORIGINAL = "original"  # the whole file


EVERYONE: Final = Choice()
PLAIN: Final = Look()


@dataclass(frozen=True, slots=True)
class Wish:
    """How copies are to be."""

    choice: Choice = EVERYONE
    look: Look = PLAIN
    strip: bool = False  # leave out all metadata
    keeping: Keeping = Keeping.NOTHING
    locked: bool = False  # what is kept opens with a passphrase, which is noted nowhere
    replace: bool = False  # a file that is in a copy's place gives way
    report: bool = False  # write beside each copy what was done

    @property
    def made(self) -> "Wish":
        """What of it shows in the copies: two wishes that agree in this make the same ones."""
        return replace(self, replace=False, report=False)


class Doubtful(StrEnum):
    """Why a copy is to be reviewed, the worst reason first."""

    VISIBLE = "visible"  # a face is left uncovered because of who it is said to be
    NO_FACE = "no_face"  # nothing was found, which does not say that nothing is there
    SMALL = "small"
    TURNED = "turned"
    LOW_SCORE = "low_score"
    UNSURE = "unsure"  # probably somebody who was named: between the thresholds
    CUT_OFF = "cut_off"  # a clip that ends before it should: the copy holds what there is


# Of what the detector is less sure, it is wrong now and then; and where it was nearly missed, another may have been.
SURE_SCORE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Mark:
    """A face that was found, or an area drawn by hand, and whether it is covered."""

    cover: Cover  # how it would be
    covered: bool = True
    score: float | None = None  # the detector's; None: drawn by hand
    doubts: tuple[Doubtful, ...] = ()
    way: Way | None = None  # where it is in what moves: the boxes of its cover; None: where it is throughout
    visible: tuple[tuple[int, int], ...] = ()  # the first and last moments of stretches in which it shows although it is covered


def marks_of(faces: Sequence[Face], identities: Sequence[Identity | None], choice: Choice, look: Look) -> tuple[Mark, ...]:
    """Mark every face of an analysed picture, covered as was chosen; which those are is for `Choice` to say.

    What looks a little like a face and lies wholly below another face's cover is a part of that face.
    """
    marks = [_mark(face, identity, choice, look) for face, identity in zip(faces, identities, strict=True)]
    return tuple(mark for face, mark in zip(faces, marks, strict=True) if not _is_part(face, mark, marks))


def covered(marks: Iterable[Mark]) -> tuple[Cover, ...]:
    return tuple(mark.cover for mark in marks if mark.covered)


def doubts_of(marks: Sequence[Mark]) -> tuple[Doubtful, ...]:
    """All there are, each once; the worst first."""
    if not any(mark.score is not None for mark in marks):
        return (Doubtful.NO_FACE,)
    found = {doubt for mark in marks for doubt in mark.doubts}
    if any(mark.score is not None and not mark.covered for mark in marks):
        found.add(Doubtful.VISIBLE)
    return tuple(doubt for doubt in Doubtful if doubt in found)


def _mark(face: Face, identity: Identity | None, choice: Choice, look: Look) -> Mark:
    reason = choice.covers(identity)
    return Mark(cover_of(face, look, reason or Reason.FACE), reason is not None, face.score, tuple(_doubts(face, identity, choice)))


def _is_part(face: Face, mark: Mark, marks: Sequence[Mark]) -> bool:
    """Whether a better mark's cover hides this uncertain face as well."""
    if not mark.covered or face.score >= SURE_SCORE:
        return False
    box = head_of(face.box, face.landmarks)
    return any(
        other.covered and (other.score or 0) >= SURE_SCORE and other.cover.box.area > mark.cover.box.area and hides(other.cover, box)
        for other in marks
    )


def _doubts(face: Face, identity: Identity | None, choice: Choice) -> Iterable[Doubtful]:
    if face.quality.size < LEAST_EYE_DISTANCE:
        yield Doubtful.SMALL
    if abs(face.quality.yaw) > MOST_YAW:
        yield Doubtful.TURNED
    if face.score < SURE_SCORE:
        yield Doubtful.LOW_SCORE
    named = choice.keep | (choice.only or frozenset())
    if identity is not None and identity.certainty is Certainty.PROBABLE and identity.person_id in named:
        yield Doubtful.UNSURE
