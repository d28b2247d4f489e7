"""Covers of moving pictures, as marks: they cover what was decided, until they are edited."""

from dataclasses import replace

from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Reason, Shape
from agent.domain.video import Covered, Keyframe, Trajectory, Video, VideoDetection, VideoPart, VideoTrack, covers_at
from agent.features.redaction.options import Doubtful, Mark
from agent.features.redaction.video.editable_tracks import MOST_KNOTS, Moments, covered_along, marks_along, moments_of
from agent.features.redaction.video.visibility import Verdict, Why, everyone

LOOK = Look(shape=Shape.BOX)
MOMENTS = Moments(0, 9, 1, 0.1)
WAY = Trajectory((Keyframe(2, Box(10, 10, 20, 20)), Keyframe(6, Box(50, 10, 20, 40))))
TRAIL = VideoTrack(WAY, ((2, VideoDetection(Box(10, 10, 20, 20), 0.7)), (6, VideoDetection(Box(50, 10, 20, 40), 0.9))))


def clip(**how: object) -> Video:
    return replace(Video("a" * 64, 1, 100, 80, 0.1, 0.1, 10, "gif", (VideoPart(0, 10),), sound=False, film=True), **how)  # type: ignore[arg-type]


def test_what_was_decided_of_everyone_is_covered_as_it_was() -> None:
    verdict = everyone(WAY, LOOK)
    marks = marks_along([TRAIL], [verdict], LOOK)
    assert marks is not None and (marks[0].covered, marks[0].score, marks[0].visible) == (True, 0.9, ())
    for moment in range(10):
        made, before = (covers_at(ways, moment) for ways in (covered_along(marks, MOMENTS), verdict.covered))
        assert len(made) == len(before)
        for one, other in zip(made, before, strict=True):
            assert one.box.iou(other.box) > 1 - 1e-9 and (one.look, one.reason) == (other.look, other.reason)


def test_where_somebody_shows_is_not_covered_until_somebody_says_so() -> None:
    verdict = Verdict(Why.PARTLY, 2, 6, tuple(Covered(piece, LOOK) for piece in WAY.without([(3, 4)])), 2, 0, ((3, 4),))
    marks = marks_along([TRAIL], [verdict], LOOK)
    assert marks is not None

    def covered(mark: Mark) -> list[int]:
        return [moment for moment in range(10) if covers_at(covered_along([mark], MOMENTS), moment)]

    assert covered(marks[0]) == [2, 5, 6]
    assert covered(replace(marks[0], visible=())) == [2, 3, 4, 5, 6]
    assert covered(replace(marks[0], covered=False)) == []


def test_who_is_decided_against_in_doubt_is_to_be_looked_at() -> None:
    marks = marks_along([TRAIL], [Verdict(Why.DISAGREE, 2, 6, (Covered(WAY, LOOK, Reason.PERSON),), 1, 1)], LOOK)
    assert marks is not None and (marks[0].doubts, marks[0].cover.reason) == ((Doubtful.UNSURE,), Reason.PERSON)


def test_an_area_is_covered_as_it_was_drawn_in_every_frame_or_on_its_page() -> None:
    area = Mark(Cover(Box(1, 2, 3, 4), LOOK, 0.0, Reason.HAND))
    assert [covers_at(covered_along([area], MOMENTS), moment) for moment in (0, 5, 9)] == [[area.cover]] * 3
    page = replace(area, way=Trajectory((Keyframe(4, area.cover.box),)))
    assert [len(covers_at(covered_along([page], MOMENTS), moment)) for moment in (3, 4, 5)] == [0, 1, 0]
    assert covers_at(covered_along([area], Moments(0, 0, 1, 0.1)), 0) == [area.cover]


def test_pages_stand_apart_and_those_of_several_sizes_can_not_be_changed() -> None:
    assert moments_of(clip()) == MOMENTS
    assert moments_of(clip(format="tiff")) == replace(MOMENTS, apart=True)
    assert moments_of(clip(format="tiff", even=False)) is None
    assert moments_of(clip(film=False, tick=0.01, frame=0.04, parts=(VideoPart(5, 50), VideoPart(50, 80)))) == Moments(5, 79, 4, 0.01)


def test_too_much_is_not_noted() -> None:
    long = replace(TRAIL, way=Trajectory(tuple(Keyframe(at, Box(0, 0, 9, 9)) for at in range(MOST_KNOTS + 1))))
    assert marks_along([long], [everyone(long.way, LOOK)], LOOK) is None
