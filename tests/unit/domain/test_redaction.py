"""Which people a choice covers, and that a cover includes all of a face's box."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from agent.domain.face import Box, Face, Landmarks, Quality
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.redaction import Look, PeopleChoice, Reason, Shape, cover_of, head_of

FACE = Face(
    Box(100, 80, 40, 60), 0.9, ((110, 100), (130, 100), (120, 115), (112, 128), (128, 128)), Quality(size=20, sharpness=300, yaw=0, roll=0)
)
# As the detector places it: the eyes stand above the mouth by 0.41 of the box's size.
BOX = Box(160, 140, 80, 120)
MIDDLE = (200, 200)


def landmarks(degrees: float, size: float = 1.0) -> Landmarks:
    """Of a head that leans so far clockwise, about the middle of BOX."""
    c, s = size * math.cos(math.radians(degrees)), size * math.sin(math.radians(degrees))
    eye, other_eye, nose, mouth, other_mouth = (
        (MIDDLE[0] + c * x - s * y, MIDDLE[1] + s * x + c * y) for x, y in ((-18, -15), (18, -15), (0, 5), (-14, 25), (14, 25))
    )
    return eye, other_eye, nose, mouth, other_mouth


def known(person_id: int, certainty: Certainty = Certainty.CERTAIN) -> Identity:
    return Identity(person_id, certainty, 0.5, 1, 1)


def test_every_face_is_covered_unless_somebody_said_otherwise() -> None:
    assert [PeopleChoice().covers(who) for who in (None, known(1))] == [Reason.FACE, Reason.FACE]


def test_who_is_kept_stays_visible_only_when_it_is_certain_who_it_is() -> None:
    keep = PeopleChoice(keep=frozenset({1}))
    assert keep.names_people
    assert keep.covers(known(1)) is None and keep.covers(known(1, Certainty.CONFIRMED)) is None
    assert keep.covers(known(1, Certainty.PROBABLE)) is Reason.FACE, "it may be somebody else"
    assert keep.covers(known(2)) is keep.covers(None) is Reason.FACE


def test_who_alone_is_to_be_covered_is_so_even_if_it_is_only_probable() -> None:
    only = PeopleChoice(only=frozenset({1}))
    assert only.covers(known(1, Certainty.PROBABLE)) is Reason.PERSON
    assert only.covers(known(2)) is None and only.covers(None) is None


def test_covering_nobody_but_nobody_covers_nobody() -> None:
    assert PeopleChoice(only=frozenset()).covers(known(1)) is None


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


@pytest.mark.parametrize("degrees", (-20, -5, 0, 5, 20))
def test_of_a_face_that_stands_upright_no_more_is_covered_than_its_box_says(degrees: float) -> None:
    assert head_of(BOX, landmarks(degrees)) == BOX


@pytest.mark.parametrize("degrees", (-135, -90, -60, 60, 90, 135, 180))
def test_of_a_head_that_lies_or_is_upside_down_more_is_covered_on_all_sides(degrees: float) -> None:
    """Its box leaves forehead and hair out, and nothing tells for sure where they are."""
    head = head_of(BOX, landmarks(degrees))
    assert (head.x, head.y, head.w, head.h) == pytest.approx((148, 122, 104, 156))
    face = replace(FACE, box=BOX, landmarks=landmarks(degrees))
    assert cover_of(face, Look()).box.w == pytest.approx(1.3 * cover_of(replace(face, landmarks=landmarks(0)), Look()).box.w)


def test_landmarks_that_no_face_has_are_not_trusted() -> None:
    assert head_of(BOX, landmarks(0, size=0.4)) == head_of(BOX, landmarks(180))
    assert head_of(Box(0, 0, 0, 0), landmarks(0)).area == 0


def test_the_more_a_head_leans_the_more_is_covered() -> None:
    areas = [head_of(BOX, landmarks(degrees)).area for degrees in range(0, 181, 2)]
    assert areas == sorted(areas)
    assert max(later / before for before, later in pairwise(areas)) < 1.15, "a clip's cover does not jump"
