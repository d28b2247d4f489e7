"""Whose face of a clip stays visible, and where."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.face import Box, Quality
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.redaction import Look, PeopleChoice, Reason
from agent.domain.tracks import trails_of
from agent.domain.video import FrameDetections, Keyframe, Trajectory, VideoDetection, VideoTrack, Vote
from agent.features.redaction.video.visibility import Verdict, Why, judged, prints_of, told

TICK = 1 / 25
KEEP, ONLY = PeopleChoice(keep=frozenset({1})), PeopleChoice(only=frozenset({1}))
GOOD, POOR = Quality(60, 400, 0, 0), Quality(10, 400, 0, 0)
WORDS = {"+": Vote.SHOW, "-": Vote.HIDE, ".": None}


def who(person: int, certainty: Certainty = Certainty.CERTAIN, distance: float = 0.5) -> Identity:
    return Identity(person, certainty, distance, 3, 3)


def word(identity: Identity | None, choice: PeopleChoice, quality: Quality = GOOD) -> Vote | None:
    (sight,) = told([FrameDetections(0, (VideoDetection(Box(0, 0, 9, 9), 0.9, UnsavedEmbedding(b"", quality)),))], [identity], choice)
    assert sight.finds[0].print is None  # it is needed no more
    return sight.finds[0].word


@pytest.mark.parametrize(
    ("identity", "keep", "only"),
    [
        (who(1), Vote.SHOW, Vote.HIDE),
        (who(1, Certainty.PROBABLE), None, Vote.HIDE),
        (who(2), Vote.HIDE, Vote.SHOW),
        (who(2, Certainty.PROBABLE), Vote.HIDE, None),
        (None, Vote.HIDE, Vote.SHOW),
    ],
)
def test_a_look_says_something_only_where_it_is_certain(identity: Identity | None, keep: Vote | None, only: Vote | None) -> None:
    assert (word(identity, KEEP), word(identity, ONLY)) == (keep, only)


def test_a_look_at_a_face_that_can_not_be_trusted_says_nothing() -> None:
    assert word(None, KEEP, POOR) is None
    assert word(None, ONLY, POOR) is None


def test_of_two_faces_of_a_frame_that_look_like_whoever_stays_one_does() -> None:
    finds = [VideoDetection(Box(100 * n, 0, 9, 9), 0.9, UnsavedEmbedding(bytes([n]), GOOD)) for n in range(3)]
    sights = [FrameDetections(0, (finds[0], VideoDetection(Box(0, 300, 9, 9), 0.3), finds[1])), FrameDetections(4, (finds[2],))]
    assert [each.embedding for each in prints_of(sights)] == [b"\0", b"\1", b"\2"]

    def words(choice: PeopleChoice) -> list[list[Vote | None]]:
        said = told(sights, [who(1, distance=0.8), who(1, distance=0.4), who(1)], choice)
        return [[find.word for find in sight.finds] for sight in said]

    assert words(KEEP) == [[Vote.HIDE, None, Vote.SHOW], [Vote.SHOW]]
    assert words(ONLY) == [[Vote.HIDE, None, Vote.HIDE], [Vote.HIDE]]  # a mirror


def verdict(words: str, choice: PeopleChoice = KEEP, *, doubtful: Sequence[int] = (), step: int = 5) -> Verdict:
    """Of a way from 0 on, with a look at every fifth moment; it goes on for 20 moments after the last."""
    finds = [(number * step, VideoDetection(Box(0, 0, 50, 50), 0.9, word=WORDS[sign])) for number, sign in enumerate(words)]
    way = Trajectory((Keyframe(0, Box(0, 0, 50, 50)), Keyframe(finds[-1][0] + 20, Box(0, 0, 50, 50))))
    return judged(VideoTrack(way, tuple(finds), frozenset(doubtful)), choice, Look(), TICK)


def hidden(found: Verdict) -> list[tuple[int, int]]:
    return [(each.way.knots[0].moment, each.way.knots[-1].moment) for each in found.covered]


@pytest.mark.parametrize(
    ("words", "why", "covered"),
    [
        ("+++++", Why.AGREED, [(21, 40)]),
        (".+.+.+", Why.AGREED, [(0, 4), (26, 45)]),
        ("+.....+", Why.UNSURE, [(0, 50)]),  # more than a second apart
        ("......", Why.UNSURE, [(0, 45)]),
        ("+", Why.UNSURE, [(0, 20)]),
        ("++......++", Why.PARTLY, [(6, 39), (46, 65)]),
        ("+++-+++", Why.PARTLY, [(11, 19), (31, 50)]),
        ("++++++--", Why.DISAGREE, [(0, 55)]),  # two in a row
        ("+-+-+", Why.DISAGREE, [(0, 40)]),  # too many
        ("--", Why.AGAINST, [(0, 25)]),
    ],
)
def test_a_face_that_stays_is_visible_where_looks_agree_and_nowhere_else(words: str, why: Why, covered: list[tuple[int, int]]) -> None:
    found = verdict(words)
    assert (found.why, hidden(found)) == (why, covered)
    assert (found.show, found.hide) == (words.count("+"), words.count("-"))


def test_where_somebody_else_is_near_it_is_covered_from_look_to_look() -> None:
    assert hidden(verdict("+++++", doubtful=[10])) == [(6, 9), (21, 40)]


def test_whoever_is_to_be_covered_is_so_at_the_first_hint() -> None:
    found = verdict("++++-++++++++", ONLY)
    assert (found.why, hidden(found)) == (Why.DISAGREE, [(0, 80)])
    assert {each.reason for each in found.covered} == {Reason.PERSON}
    assert hidden(verdict("+++++", ONLY)) == [(21, 40)]
    assert verdict(".....", ONLY).why is Why.UNSURE


def trails(way: Callable[[int], Sequence[tuple[float, float, str]]], moments: Sequence[int]) -> list[VideoTrack]:
    """x, y of each face, and what is said of it."""

    def find(x: float, y: float, sign: str) -> VideoDetection:
        return VideoDetection(Box(x - 50, y - 50, 100, 100), 0.9, word=WORDS[sign])

    sights = [FrameDetections(moment, tuple(find(*each) for each in way(moment))) for moment in moments]
    return trails_of(sights, (), (1920, 1080), TICK, TICK, (0, moments[-1] + 1))


def uncovered(found: Sequence[VideoTrack], choice: PeopleChoice, x: float, y: float, moment: int) -> bool:
    """Whether a face there would be seen."""
    covers = [each.way.at(moment) for trail in found for each in judged(trail, choice, Look(), TICK).covered]
    face = Box(x - 45, y - 45, 90, 90)
    return not any(box is not None and box.intersection(face) >= 0.99 * face.area for box in covers)


@pytest.mark.parametrize("apart", [0, 30, 90])
@pytest.mark.parametrize("turns_back", [False, True])
def test_of_two_who_meet_the_one_who_is_to_be_covered_never_shows(apart: int, turns_back: bool) -> None:
    """They cross, or meet and go back: where they are does not tell which."""

    def stranger(moment: int) -> float:
        return 1500 - 14 * min(moment, 100 - moment) if turns_back else 1500 - 14 * moment

    def kept(moment: int) -> float:
        return 100 + 14 * min(moment, 100 - moment) if turns_back else 100 + 14 * moment

    def way(moment: int) -> list[tuple[float, float, str]]:
        here, there = (kept(moment), 500.0, "+"), (stranger(moment), 500.0 + apart, "-")
        return [there] if abs(here[0] - there[0]) < 60 else [here, there]

    found = trails(way, range(0, 101, 4))
    assert not any(uncovered(found, KEEP, stranger(moment), 500 + apart, moment) for moment in range(101))


def test_two_side_by_side_are_told_apart() -> None:
    found = trails(lambda moment: [(400, 500, "+"), (800, 500, "-")], range(0, 101, 4))
    assert [judged(trail, KEEP, Look(), TICK).why for trail in found] == [Why.AGREED, Why.AGAINST]
    assert all(uncovered(found, KEEP, 400, 500, moment) for moment in range(101))


def test_cheek_to_cheek_nobody_is_seen() -> None:
    found = trails(lambda moment: [(400, 500, "+"), (510, 500, "-")], range(0, 101, 4))
    assert not any(uncovered(found, KEEP, x, 500, moment) for moment in range(101) for x in (400, 510))


def test_another_who_takes_the_place_unseen_is_covered_as_soon_as_he_may_be_there() -> None:
    """A cut that nobody noticed."""
    found = trails(lambda moment: [(400, 500, "+" if moment < 50 else "-")], range(0, 101, 4))
    assert [judged(trail, KEEP, Look(), TICK).why for trail in found] == [Why.DISAGREE]
    brief = trails(lambda moment: [(400, 500, "." if 48 <= moment < 80 else "+")], range(0, 101, 4))
    assert not any(uncovered(brief, KEEP, 400, 500, moment) for moment in range(48, 80))


def test_a_way_is_the_same_whether_somebody_was_named_or_not() -> None:
    (trail,) = trails(lambda moment: [(400 + moment, 500, ".")], range(0, 101, 4))
    plain = replace(trail, finds=tuple((moment, replace(find, word=None)) for moment, find in trail.finds))
    assert judged(plain, KEEP, Look(), TICK).covered[0].way == trail.way
