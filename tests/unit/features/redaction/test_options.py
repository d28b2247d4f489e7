"""The options of covered copies, and which marks are doubtful."""

from dataclasses import replace

from agent.domain.face import Box, Face, Quality
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.redaction import Look, PeopleChoice, Reason, Shape, Style
from agent.features.redaction.options import Doubtful, Mark, RedactionOptions, cover_changes, covered, doubts_of, marks_of

FACE = Face(Box(10, 20, 30, 40), 0.9, ((0, 0),) * 5, Quality(size=40, sharpness=100, yaw=0, roll=0))
LOOK = Look(Style.MOSAIC)


def identity(person_id: int, certainty: Certainty) -> Identity:
    return Identity(person_id, certainty, 0.5, 3, 3)


def test_every_face_is_marked_also_one_that_stays_visible() -> None:
    mei, other = identity(1, Certainty.CERTAIN), identity(2, Certainty.CERTAIN)

    marks = marks_of([FACE, FACE, FACE], [mei, other, None], PeopleChoice(keep=frozenset({1})), LOOK)

    assert [mark.covered for mark in marks] == [False, True, True]
    assert all(mark.cover.look == LOOK and mark.score == 0.9 for mark in marks)
    assert len(covered(marks)) == 2
    assert {cover.reason for cover in covered(marks)} == {Reason.FACE}


def test_a_picture_without_a_face_is_doubtful_also_if_something_is_covered_by_hand() -> None:
    by_hand = Mark(replace(marks_of([FACE], [None], PeopleChoice(), LOOK)[0].cover, reason=Reason.HAND))

    assert doubts_of(()) == (Doubtful.NO_FACE,)
    assert doubts_of((by_hand,)) == (Doubtful.NO_FACE,)
    assert doubts_of(marks_of([FACE], [None], PeopleChoice(), LOOK)) == ()


def test_a_cover_that_was_moved_counts_as_gone_and_as_new() -> None:
    [left, right] = marks_of([FACE, replace(FACE, box=Box(200, 20, 30, 40))], [None, None], PeopleChoice(), LOOK)
    moved = replace(left, cover=replace(left.cover, box=Box(0, 0, 5, 5)))

    assert cover_changes([left, right], [left, right]) == (0, 0)
    assert cover_changes([left, right], [replace(left, covered=False), right]) == (1, 0)
    assert cover_changes([left], [left, right]) == (0, 1)
    assert cover_changes([left, right], [moved, right]) == (1, 1)
    assert cover_changes([left], [replace(left, cover=replace(left.cover, reason=Reason.HAND))]) == (0, 0)
    assert cover_changes([left], [replace(left, cover=replace(left.cover, look=Look(Style.BLUR)))]) == (1, 1), "a weaker style"


def test_small_turned_and_hardly_found_faces_are_doubtful() -> None:
    small = replace(FACE, quality=replace(FACE.quality, size=10))
    turned = replace(FACE, quality=replace(FACE.quality, yaw=-60))
    unsure = replace(FACE, score=0.5)

    marks = marks_of([small, turned, unsure], [None] * 3, PeopleChoice(), LOOK)

    assert [mark.doubts for mark in marks] == [(Doubtful.SMALL,), (Doubtful.TURNED,), (Doubtful.LOW_SCORE,)]
    assert doubts_of(marks) == (Doubtful.SMALL, Doubtful.TURNED, Doubtful.LOW_SCORE)


def test_a_face_that_stays_visible_is_the_first_to_be_looked_at() -> None:
    mei = [identity(1, Certainty.CERTAIN)]
    small = replace(FACE, quality=replace(FACE.quality, size=10))

    marks = marks_of([FACE, small], [*mei, None], PeopleChoice(keep=frozenset({1})), LOOK)

    assert doubts_of(marks) == (Doubtful.VISIBLE, Doubtful.SMALL)
    assert doubts_of(marks_of([FACE], [None], PeopleChoice(only=frozenset({1})), LOOK)) == (Doubtful.VISIBLE,)
    assert doubts_of(marks_of([FACE], mei, PeopleChoice(only=frozenset({1})), LOOK)) == ()


def test_an_uncertain_box_below_the_cover_of_a_face_is_no_second_face() -> None:
    inside = replace(FACE, box=Box(20, 30, 8, 10), score=0.3)
    beside = replace(inside, box=Box(60, 30, 8, 10))
    certain = replace(inside, score=0.9)
    mei = identity(1, Certainty.CERTAIN)
    nobody = [None] * 2

    assert [mark.score for mark in marks_of([FACE, inside], nobody, PeopleChoice(), LOOK)] == [0.9]
    assert len(marks_of([inside, FACE], nobody, PeopleChoice(), Look(shape=Shape.BOX))) == 1
    assert len(marks_of([FACE, beside], nobody, PeopleChoice(), LOOK)) == 2
    assert len(marks_of([FACE, certain], nobody, PeopleChoice(), LOOK)) == 2, "a small face before a large one"
    assert len(marks_of([FACE, inside], [mei, None], PeopleChoice(keep=frozenset({1})), LOOK)) == 2, "what does not cover hides nothing"


def test_whoever_is_probably_a_person_that_was_named_is_doubtful_and_nobody_else() -> None:
    probable = [identity(1, Certainty.PROBABLE)]

    assert doubts_of(marks_of([FACE], probable, PeopleChoice(keep=frozenset({1})), LOOK)) == (Doubtful.UNSURE,)
    assert doubts_of(marks_of([FACE], probable, PeopleChoice(only=frozenset({1})), LOOK)) == (Doubtful.UNSURE,)
    assert doubts_of(marks_of([FACE], probable, PeopleChoice(keep=frozenset({2})), LOOK)) == ()
    assert doubts_of(marks_of([FACE], probable, PeopleChoice(), LOOK)) == ()


def test_two_wishes_make_the_same_copies_if_they_differ_only_in_what_becomes_of_files() -> None:
    assert RedactionOptions(replace=True, report=True).made == RedactionOptions().made
    assert RedactionOptions(strip=True).made != RedactionOptions().made
