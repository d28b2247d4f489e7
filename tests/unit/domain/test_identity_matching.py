"""Who a face is: the nearest within bounds that depend on what the face shows, how many agree, and who else is near."""

from dataclasses import replace

import pytest

from agent.domain.face import Quality
from agent.domain.identity_matching import (
    AGREED,
    MARGIN,
    Bounds,
    Candidate,
    Certainty,
    certain_up_to,
    clearly_another,
    identify,
    is_clear,
    trust,
)
from agent.infrastructure.core.settings import RecognitionSettings

BOUNDS = Bounds(certain=0.9, probable=1.1)
GOOD = Quality(size=60, sharpness=400, yaw=0, roll=0)


def candidate(person: int, distance: float, agree: int = 1) -> Candidate:
    return Candidate(person, distance, agree=agree, references=3)


def certainty(near: list[Candidate], quality: Quality = GOOD) -> Certainty | None:
    identity = identify(near, quality, BOUNDS)
    return identity.certainty if identity else None


@pytest.mark.parametrize(
    ("distance", "expected"),
    [(0.0, Certainty.CERTAIN), (0.9, Certainty.CERTAIN), (0.91, Certainty.PROBABLE), (1.1, Certainty.PROBABLE), (1.11, None)],
)
def test_the_distance_decides_how_sure_it_is(distance: float, expected: Certainty | None) -> None:
    assert certainty([candidate(1, distance)]) is expected


def test_the_nearest_is_taken_and_nobody_from_nobody() -> None:
    identity = identify([candidate(1, 0.8), candidate(2, 0.3, agree=2), candidate(3, 0.5)], GOOD, BOUNDS)
    assert identity is not None and (identity.person_id, identity.distance, identity.agree, identity.references) == (2, 0.3, 2, 3)
    assert identify([], GOOD, BOUNDS) is None


def test_two_references_that_agree_allow_a_little_more() -> None:
    assert certainty([candidate(1, 0.92, agree=1)]) is Certainty.PROBABLE
    assert certainty([candidate(1, 0.92, agree=2)]) is Certainty.CERTAIN
    assert certainty([candidate(1, 0.94, agree=3)]) is Certainty.PROBABLE


@pytest.mark.parametrize(("agree", "references"), [(1, 4), (3, 10), (13, 40)])
def test_near_few_of_many_references_is_not_certain(agree: int, references: int) -> None:
    assert certainty([Candidate(1, 0.5, agree, references)]) is Certainty.PROBABLE
    assert certainty([Candidate(1, 0.5, agree + 1, references)]) is Certainty.CERTAIN


def test_of_a_face_that_is_not_fully_trusted_agreement_is_not_enough() -> None:
    soft = Quality(size=60, sharpness=120, yaw=0, roll=0)
    assert certainty([candidate(1, 0.92, agree=3)], soft) is Certainty.PROBABLE
    assert certainty([candidate(1, 0.89)], soft) is Certainty.CERTAIN


@pytest.mark.parametrize(
    "quality", [Quality(11, 400, 0, 0), Quality(60, 70, 0, 0), Quality(60, 400, 50, 0), Quality(60, 400, -50, 0), Quality(0, 0, 0, 0)]
)
def test_of_a_tiny_blurred_or_turned_face_nothing_is_certain(quality: Quality) -> None:
    assert certainty([candidate(1, 0.1, agree=3)], quality) is Certainty.PROBABLE


def test_who_is_nearly_as_near_makes_it_uncertain() -> None:
    assert certainty([candidate(1, 0.7), candidate(2, 0.7 + MARGIN - 0.01)]) is Certainty.PROBABLE
    assert certainty([candidate(2, 0.7 + MARGIN + 0.01), candidate(1, 0.7)]) is Certainty.CERTAIN


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        (GOOD, 1.0),
        (Quality(9, 400, 0, 0), 0.0),
        (Quality(12, 400, 0, 0), 0.5),
        (Quality(60, 82.46, 0, 0), 0.5),
        (Quality(60, 400, 45, 0), 0.5),
        (Quality(60, 400, 0, 90), 1.0),
        (Quality(12, 50, 0, 0), 0.154),
    ],
)
def test_the_worst_figure_decides_how_far_a_face_is_trusted(quality: Quality, expected: float) -> None:
    assert trust(quality) == pytest.approx(expected, abs=1e-3)


def test_the_bound_is_told_for_each_face() -> None:
    told = [
        certain_up_to(trusted, Candidate(1, 0.9, agree, references), BOUNDS)
        for trusted, agree, references in ((1.0, 2, 4), (1.0, 2, 5), (1.0, 1, 1), (0.9, 5, 5), (0.49, 5, 5), (1.0, 0, 1))
    ]
    assert told == pytest.approx([BOUNDS.certain + AGREED, BOUNDS.certain, BOUNDS.certain, BOUNDS.certain, -1, -1])


def test_nobody_is_certain_beyond_what_is_set() -> None:
    usual = RecognitionSettings()
    bounds = Bounds(usual.certain, usual.probable)
    assert (usual.certain, usual.probable) == (0.90, 1.05), "measured: docs/decisions/0011"
    found = [identify([candidate(1, distance)], GOOD, bounds) for distance in (0.90, 0.91, 1.05, 1.06)]
    assert [each and each.certainty for each in found] == [Certainty.CERTAIN, Certainty.PROBABLE, Certainty.PROBABLE, None]


def test_a_covered_or_blurred_face_is_never_certain_and_makes_none_certain() -> None:
    masked = replace(GOOD, covered=0.6)
    assert certainty([candidate(1, 0.3)], masked) is Certainty.PROBABLE
    assert certainty([candidate(1, 0.3)], replace(GOOD, covered=0.5)) is Certainty.CERTAIN
    assert [is_clear(each) for each in (GOOD, masked, replace(GOOD, sharpness=60))] == [True, False, False]
    assert certainty([replace(candidate(1, 0.3), clear=1.6)]) is Certainty.PROBABLE, "only a masked reference is near"
    assert certainty([replace(candidate(1, 0.3), clear=0.8)]) is Certainty.CERTAIN


def test_the_mean_of_the_references_counts_as_much_as_the_nearest() -> None:
    far, near = replace(candidate(1, 0.85), typical=1.05), replace(candidate(2, 0.95), typical=0.75)
    assert (far.distance, near.distance) == pytest.approx((0.95, 0.85))
    identity = identify([far, near], GOOD, BOUNDS)
    assert identity is not None and identity.person_id == 2 and identity.distance == pytest.approx(0.85)
    assert replace(near, clear=1.05).sure_distance == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        ([], None),
        ([candidate(2, 1.11)], None),
        ([candidate(2, 1.1)], 2),
        ([candidate(2, 0.5), candidate(3, 0.4)], 3),
        ([candidate(1, 0.5), candidate(2, 0.6)], None),
        ([candidate(1, 0.5 + MARGIN - 0.01), candidate(2, 0.5)], None),
        ([candidate(1, 0.5 + MARGIN + 0.01), candidate(2, 0.5)], 2),
    ],
)
def test_a_face_clearly_shows_another_person_if_that_one_is_near_and_its_own_is_not_nearly_as_near(
    near: list[Candidate], expected: int | None
) -> None:
    assert clearly_another(near, 1, BOUNDS) == expected
