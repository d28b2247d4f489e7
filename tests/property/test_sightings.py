"""For any sequence of sightings: a person is announced only if present, and again only after an absence."""

from hypothesis import given
from hypothesis import strategies as st

from agent.desktop.capture.face_alerts import FaceAlertTracker, FaceObservation, SightingKind
from agent.domain.face import Box

QUIET_S = 30.0
PLACES = st.builds(Box, st.integers(0, 1800), st.integers(0, 900), st.integers(30, 300), st.integers(30, 300))
GLIMPSES = st.builds(FaceObservation, PLACES, st.none() | st.integers(1, 3))
# Seconds since the look before, the faces (of whom nobody is there twice), and whether the screen is shared.
FACES = st.lists(GLIMPSES, max_size=4, unique_by=lambda face: face.person_id or object())
LOOKS = st.lists(st.tuples(st.integers(1, 60), FACES, st.booleans()), max_size=30)


@given(LOOKS)
def test_a_person_is_told_only_while_there_and_again_only_after_the_quiet_time(
    looks: list[tuple[int, list[FaceObservation], bool]],
) -> None:
    watch, now = FaceAlertTracker(QUIET_S), 0.0
    seen_at: dict[int, float] = {}
    quiet: set[int] = set()
    for step, faces, sharing in looks:
        now += step
        there = {face.person_id for face in faces if face.person_id is not None}
        quiet -= {person for person in there if now - seen_at.get(person, -QUIET_S) > QUIET_S}
        seen_at |= dict.fromkeys(there, now)
        told = watch.look(now, faces, sharing=sharing)
        people = [each.person_id for each in told if each.kind is SightingKind.PERSON and each.person_id is not None]
        assert set(people) <= there - quiet and len(people) == len(set(people))
        quiet |= set(people)
        assert [each.kind for each in told].count(SightingKind.SHARED) <= (1 if sharing and faces else 0)


@given(st.integers(2, 200), st.integers(0, 20), st.booleans())
def test_one_face_that_drifts_is_one_event(looks: int, drift: int, known: bool) -> None:
    watch = FaceAlertTracker(QUIET_S)
    told = [each for now in range(looks) for each in watch.look(now, [FaceObservation(Box(now * drift, 10, 40, 40), 1 if known else None)])]
    assert [each.kind for each in told] == [SightingKind.PERSON if known else SightingKind.NEW_FACE]


@given(LOOKS)
def test_a_face_is_told_as_new_once_for_each_track(looks: list[tuple[int, list[FaceObservation], bool]]) -> None:
    watch, now, new = FaceAlertTracker(QUIET_S), 0.0, list[int]()
    for step, faces, sharing in looks:
        now += step
        new += [each.track for each in watch.look(now, faces, sharing=sharing) if each.kind is SightingKind.NEW_FACE]
    assert len(new) == len(set(new)), "a track that was told of is told of again"


@given(LOOKS)
def test_a_picture_that_stands_still_brings_nothing_after_its_second_look(looks: list[tuple[int, list[FaceObservation], bool]]) -> None:
    watch, now = FaceAlertTracker(QUIET_S), 0.0
    for step, faces, sharing in looks:
        now += step
        watch.look(now, faces, sharing=sharing)
    watch.still(now + 1)
    assert watch.still(now + 2) == watch.still(now + 3) == []
