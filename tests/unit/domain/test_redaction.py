"""Whom a choice covers, and that a cover leaves nothing of a face's box out."""

import pytest

from agent.domain.face import Box, Face, Quality
from agent.domain.people import Certainty, Identity
from agent.domain.redaction import Choice, Look, Reason, Shape, cover_of, covers_of

FACE = Face(
    Box(100, 80, 40, 60), 0.9, ((110, 100), (130, 100), (120, 115), (112, 128), (128, 128)), Quality(size=20, sharpness=300, yaw=0, roll=0)
)


def known(person_id: int, certainty: Certainty = Certainty.CERTAIN) -> Identity:
    return Identity(person_id, certainty, 0.5, 1, 1)


def test_every_face_is_covered_unless_somebody_said_otherwise() -> None:
    covers = covers_of([FACE, FACE], [None, known(1)], Choice(), Look())
    assert [cover.reason for cover in covers] == [Reason.FACE, Reason.FACE]


def test_who_is_kept_stays_visible_only_when_it_is_certain_who_it_is() -> None:
    keep = Choice(keep=frozenset({1}))
    assert keep.names_people
    assert keep.covers(known(1)) is None and keep.covers(known(1, Certainty.CONFIRMED)) is None
    assert keep.covers(known(1, Certainty.PROBABLE)) is Reason.FACE, "it may be somebody else"
    assert keep.covers(known(2)) is keep.covers(None) is Reason.FACE


def test_who_alone_is_to_be_covered_is_so_even_if_it_is_only_probable() -> None:
    only = Choice(only=frozenset({1}))
    assert only.covers(known(1, Certainty.PROBABLE)) is Reason.PERSON
    assert only.covers(known(2)) is None and only.covers(None) is None


def test_covering_nobody_but_nobody_covers_nobody() -> None:
    assert Choice(only=frozenset()).covers(known(1)) is None


@pytest.mark.parametrize("shape", Shape)
def test_a_cover_leaves_no_corner_of_the_face_out(shape: Shape) -> None:
    cover = cover_of(FACE, Look(shape=shape))
    around, box = cover.box, FACE.box
    middle = (around.x + around.w / 2, around.y + around.h / 2)
    assert middle == pytest.approx((120, 110))
    for x in (box.x, box.x + box.w):
        for y in (box.y, box.y + box.h):
            across, down = (x - middle[0]) / (around.w / 2), (y - middle[1]) / (around.h / 2)
            assert (across**2 + down**2 if shape is Shape.ELLIPSE else max(abs(across), abs(down))) < 1
    assert around.area <= 2.5 * 4 / 3.14 * box.area, "and hides not much more"
