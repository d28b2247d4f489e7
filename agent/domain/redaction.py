"""The covers of a picture: their style, and the people who stay visible."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agent.domain.face import Box, Face, Landmarks
from agent.domain.identity_matching import Certainty, Identity


class Style(StrEnum):
    """The look of a cover. Only `solid` and `emoji` leave nothing of the content; the others can be partly undone."""

    SOLID = "solid"
    MOSAIC = "mosaic"
    BLUR = "blur"
    EMOJI = "emoji"


class Shape(StrEnum):
    ELLIPSE = "ellipse"
    BOX = "box"


class Reason(StrEnum):
    """Why an area is covered."""

    FACE = "face"  # the default for every face
    PERSON = "person"  # this person was chosen to be covered
    HAND = "hand"  # drawn by the user


@dataclass(frozen=True, slots=True)
class Look:
    """How covers are drawn."""

    style: Style = Style.SOLID
    shape: Shape = Shape.ELLIPSE


@dataclass(frozen=True, slots=True)
class Cover:
    """One covered area."""

    box: Box  # the whole area including the margin, before rotation; an ellipse touches its sides
    look: Look = Look()
    tilt: float = 0.0  # degrees clockwise, about the box's centre
    reason: Reason = Reason.FACE


@dataclass(frozen=True, slots=True)
class PeopleChoice:
    """The faces to cover: all, all but `keep`, or only `only`. By ids of people."""

    keep: frozenset[int] = frozenset()
    only: frozenset[int] | None = None
    consented: bool = False  # `keep` holds those who agreed to publishing when it was chosen: who no longer does is covered

    @property
    def names_people(self) -> bool:
        """Return whether recognition is needed."""
        return bool(self.keep) or self.only is not None or self.consented

    def covers(self, identity: Identity | None) -> Reason | None:
        """Return why this face is covered; None if it stays visible. Uncertain faces are covered."""
        if self.only is not None:
            return Reason.PERSON if identity is not None and identity.person_id in self.only else None
        sure = identity is not None and identity.certainty is not Certainty.PROBABLE and identity.person_id in self.keep
        return None if sure else Reason.FACE


# An ellipse through the corners of a box has axes this much longer than the box's sides.
_AROUND: Final = math.sqrt(2)
# The part of a head outside a detector's box, and the detector's error.
MARGIN: Final = 1.1
# The height of the eyes above the mouth, in sizes of the face's box. Measured: 99 in 100 upright faces reach the first, and most that lean
# by 30 degrees; of heads that are sideways or upside down 98 in 100 stay below the second.
_UPRIGHT: Final = 0.34
_LYING: Final = 0.25
# The box of such a head is too small: enlarged by this factor it includes forehead and hair. Enlarged on all sides, because the landmarks
# don't tell their direction: one in four of these heads seems to lean by 45 degrees more, or less, than it does.
_LARGER: Final = 1.3


def head_of(box: Box, landmarks: Landmarks) -> Box:
    """Return the area of a head to cover, before the margin: its box, enlarged if the landmarks are not upright or not like a face's."""
    (_, eye), (_, other_eye), _, (_, mouth), (_, other_mouth) = landmarks
    stands = (mouth + other_mouth - eye - other_eye) / 2 / max(math.sqrt(box.area), 1e-6)
    lies = min(1.0, max(0.0, (_UPRIGHT - stands) / (_UPRIGHT - _LYING)))
    return _enlarged(box, 1 + lies * (_LARGER - 1))


def around(box: Box, look: Look) -> Box:
    """Return the area of a cover around a head: no corner of the face's box is left out."""
    return _enlarged(box, MARGIN * (_AROUND if look.shape is Shape.ELLIPSE else 1.0))


def cover_of(face: Face, look: Look, reason: Reason = Reason.FACE) -> Cover:
    return Cover(around(head_of(face.box, face.landmarks), look), look, 0.0, reason)


def hides(cover: Cover, box: Box) -> bool:
    """Return whether an upright cover hides the whole box."""
    x, y = cover.box.x + cover.box.w / 2, cover.box.y + cover.box.h / 2
    across = max(abs(box.x - x), abs(box.x + box.w - x)) / (cover.box.w / 2)
    down = max(abs(box.y - y), abs(box.y + box.h - y)) / (cover.box.h / 2)
    return max(across, down) <= 1 if cover.look.shape is Shape.BOX else math.hypot(across, down) <= 1


def _enlarged(box: Box, times: float) -> Box:
    """Enlarge about the centre."""
    width, height = box.w * times, box.h * times
    return Box(box.x + (box.w - width) / 2, box.y + (box.h - height) / 2, width, height)
