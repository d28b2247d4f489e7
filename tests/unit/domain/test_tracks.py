"""Whose face is where, told from what was seen in single frames."""

import math
from collections.abc import Callable, Sequence

import pytest

from agent.domain.face import Box
from agent.domain.tracks import LINGERS_S, trails_of
from agent.domain.video import FrameDetections, Keyframe, Trajectory, VideoDetection, VideoPart

SIZE = (1920, 1080)
FRAME = 1.0  # ticks: 25 in a second
TICK = 1 / 25


def face(x: float, y: float, size: float = 100, score: float = 0.9) -> VideoDetection:
    return VideoDetection(Box(x - size / 2, y - size / 2, size, size), score)


def seen(way: Callable[[int], Sequence[VideoDetection]], moments: Sequence[int]) -> list[FrameDetections]:
    return [FrameDetections(moment, tuple(way(moment))) for moment in moments]


def ways(sights: Sequence[FrameDetections], cuts: Sequence[int] = (), end: int = 100) -> list[Trajectory]:
    return [each.way for each in trails_of(sights, cuts, SIZE, TICK, FRAME * TICK, (0, end))]


def holds(outer: Box | None, inner: Box) -> bool:
    return outer is not None and outer.intersection(inner) >= 0.999 * inner.area


def test_a_face_is_covered_in_the_frames_between_those_that_were_looked_at() -> None:
    def way(moment: int) -> list[VideoDetection]:
        return [face(200 + 10 * moment, 500)]

    (found,) = ways(seen(way, range(0, 100, 4)))
    assert all(holds(found.at(moment), way(moment)[0].box) for moment in range(100))


def test_a_face_that_swings_fast_is_one_and_stays_covered() -> None:
    def way(moment: int) -> list[VideoDetection]:
        return [face(900 + 330 * math.sin(2 * math.pi * moment / 50), 500, 110)]

    (found,) = ways(seen(way, range(0, 100, 4)))
    assert all(holds(found.at(moment), Box(b.x + 8, b.y + 8, b.w - 16, b.h - 16)) for moment in range(96) for b in [way(moment)[0].box])


def test_two_faces_that_cross_stay_covered_while_one_hides_the_other() -> None:
    def way(moment: int) -> list[VideoDetection]:
        here, there = face(100 + 15 * moment, 500), face(1600 - 15 * moment, 510)
        return [here] if here.box.iou(there.box) > 0.2 else [here, there]

    found = ways(seen(way, range(0, 100, 4)))
    for moment in range(97):
        for x in (100 + 15 * moment, 1600 - 15 * moment):
            assert any(holds(each.at(moment), face(x, 505, 90).box) for each in found)


def test_a_face_that_is_missed_for_a_second_is_covered_meanwhile() -> None:
    def way(moment: int) -> list[VideoDetection]:
        return [] if 40 < moment < 64 else [face(300 + 4 * moment, 300)]

    (found,) = ways(seen(way, range(0, 100, 4)))
    assert all(holds(found.at(moment), face(300 + 4 * moment, 300).box) for moment in range(40, 64))


def test_a_face_is_covered_before_it_is_first_and_after_it_is_last_seen() -> None:
    (found,) = ways(seen(lambda moment: [face(500, 500)] if 40 <= moment <= 60 else [], range(0, 100, 4)))
    assert holds(found.at(40 - int(LINGERS_S / TICK)), face(500, 500).box)
    assert holds(found.at(60 + int(LINGERS_S / TICK)), face(500, 500).box)
    assert found.at(5) is None
    assert found.at(95) is None


def test_a_face_that_goes_out_slowly_is_covered_until_it_is_out() -> None:
    """Half a face is not found any more."""

    def way(moment: int) -> list[VideoDetection]:
        return [face(1800 + 2 * moment, 500, 160)] if moment < 40 else []

    (found,) = ways(seen(way, range(0, 100, 4)))
    assert all(holds(found.at(moment), face(1800 + 2 * moment, 500, 160).box) for moment in range(40, 95))


def test_no_cover_reaches_over_a_cut() -> None:
    before, after = [face(500, 500)], [face(520, 500)]
    found = ways(seen(lambda moment: before if moment < 50 else after, [*range(0, 48, 4), 50, *range(54, 100, 4)]), cuts=[50])
    assert sorted((each.knots[0].moment, each.knots[-1].moment) for each in found) == [(0, 49), (50, 99)]


def test_a_weak_find_begins_no_face_but_carries_one_on() -> None:
    assert ways(seen(lambda moment: [face(500, 500, score=0.3)] if moment == 8 else [], range(0, 40, 4))) == []
    (found,) = ways(seen(lambda moment: [face(500 + 12 * moment, 500, score=0.9 if moment == 0 else 0.3)], range(0, 40, 4)))
    assert holds(found.at(36), face(500 + 12 * 36, 500).box)


def test_several_weak_finds_are_a_face() -> None:
    assert len(ways(seen(lambda _: [face(500, 500, score=0.3)], range(0, 12, 4)))) == 1


def test_somebody_elses_face_of_another_size_is_a_way_of_its_own() -> None:
    found = ways(seen(lambda moment: [face(500, 500, 100 if moment < 20 else 300)], range(0, 40, 4)))
    assert len(found) == 2


def test_nothing_seen_is_no_way() -> None:
    assert ways(seen(lambda _: [], range(0, 40, 4))) == []
    assert ways([]) == []


def test_one_sight_of_a_moving_clip_is_covered_around_it() -> None:
    (found,) = ways([FrameDetections(0, (face(500, 500),))], end=1)
    assert holds(found.at(0), face(500, 500).box)


@pytest.mark.parametrize(("part", "knots"), [(VideoPart(0, 10), 3), (VideoPart(10, 20), 4), (VideoPart(12, 18), 2), (VideoPart(40, 50), 0)])
def test_a_part_is_given_as_much_of_a_way_as_it_needs(part: VideoPart, knots: int) -> None:
    way = Trajectory(tuple(Keyframe(moment, Box(moment, 0, 10, 10)) for moment in (0, 5, 10, 20, 30)))
    within = way.within(part)
    assert (0 if within is None else len(within.knots)) >= min(knots, 2)
    for moment in range(part.start, min(part.end, 31)):
        assert within is not None and within.at(moment) == way.at(moment)
