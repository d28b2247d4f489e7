"""What is covered on a picture, how, and whom it leaves visible."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agent.domain.face import Box, Face
from agent.domain.people import Certainty, Identity


class Style(StrEnum):
    """How a cover looks. Only `solid` and `emoji` leave nothing of what was below; the others can be partly undone."""

    SOLID = "solid"
    MOSAIC = "mosaic"
    BLUR = "blur"
    EMOJI = "emoji"


class Shape(StrEnum):
    ELLIPSE = "ellipse"
    BOX = "box"


class Reason(StrEnum):
    """Why something is covered."""

    FACE = "face"  # every face is, unless somebody said otherwise
    PERSON = "person"  # this person was to be covered
    HAND = "hand"  # drawn by the user


@dataclass(frozen=True, slots=True)
class Look:
    """How covers are drawn."""

    style: Style = Style.SOLID
    shape: Shape = Shape.ELLIPSE


@dataclass(frozen=True, slots=True)
class Cover:
    """One area that is covered."""

    box: Box  # the whole area, margin and all, before it is tilted; an ellipse touches its sides
    look: Look = Look()
    tilt: float = 0.0  # degrees clockwise, about the box's middle
    reason: Reason = Reason.FACE


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom to cover: everyone, everyone but `keep`, or nobody but `only`. By ids of people."""

    keep: frozenset[int] = frozenset()
    only: frozenset[int] | None = None

    @property
    def names_people(self) -> bool:
        """Whether recognition is needed."""
        return bool(self.keep) or self.only is not None

    def covers(self, identity: Identity | None) -> Reason | None:
        """Why this face is covered; None if it stays visible. In doubt it is covered: who may be somebody else is not kept."""
        if self.only is not None:
            return Reason.PERSON if identity is not None and identity.person_id in self.only else None
        sure = identity is not None and identity.certainty is not Certainty.PROBABLE and identity.person_id in self.keep
        return None if sure else Reason.FACE


# An ellipse through the corners of a box has axes this much longer than its sides.
_AROUND: Final = math.sqrt(2)
# What a detector's box leaves out of a head, and how far it may be off.
MARGIN: Final = 1.1


def around(box: Box, look: Look) -> Box:
    """What a cover takes up that follows the head: no corner of the face's box is left out."""
    longer = MARGIN * (_AROUND if look.shape is Shape.ELLIPSE else 1.0)
    width, height = box.w * longer, box.h * longer
    return Box(box.x + (box.w - width) / 2, box.y + (box.h - height) / 2, width, height)


def cover_of(face: Face, look: Look, reason: Reason = Reason.FACE) -> Cover:
    return Cover(around(face.box, look), look, 0.0, reason)


def covers_of(faces: Sequence[Face], identities: Sequence[Identity | None], choice: Choice, look: Look) -> list[Cover]:
    """The covers of an analysed picture."""
    reasons = [choice.covers(identity) for identity in identities]
    return [cover_of(face, look, reason) for face, reason in zip(faces, reasons, strict=True) if reason is not None]
