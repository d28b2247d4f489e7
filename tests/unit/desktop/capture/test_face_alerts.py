"""A face is announced once, and again if it returns after a while, is shared, or is recognised."""

from agent.desktop.capture.face_alerts import JUMPS_S, FaceAlert, FaceAlertTracker, FaceObservation, SightingKind
from agent.domain.face import Box

QUIET_S = 300.0
MEI, LIN = 7, 8


def at(x: float, person_id: int | None = None, size: float = 100) -> FaceObservation:
    return FaceObservation(Box(x, 50, size, size), person_id)


def kinds(told: list[FaceAlert]) -> list[SightingKind]:
    return [each.kind for each in told]


def test_a_face_is_told_of_at_its_second_look_and_not_again_while_it_stays() -> None:
    watch = FaceAlertTracker(QUIET_S)
    told = [watch.look(now, [at(now * 10)]) for now in range(50)]
    assert [kinds(each) for each in told] == [[], [SightingKind.NEW_FACE], *[[]] * 48]


def test_what_is_seen_in_one_look_only_is_not_told() -> None:
    watch = FaceAlertTracker(QUIET_S)
    assert watch.look(0, [at(10)]) == watch.look(1, []) == watch.look(2, []) == []


def test_a_picture_that_stands_still_shows_the_same_faces() -> None:
    watch = FaceAlertTracker(QUIET_S)
    watch.look(0, [at(10)])
    assert kinds(watch.still(1)) == [SightingKind.NEW_FACE]
    # It stays for longer than the quiet time, and has not been away.
    assert [watch.still(now) for now in range(2, 900, 9)] == [[]] * 100


def test_who_was_away_for_the_quiet_time_is_new_again_and_who_was_shorter_away_is_not() -> None:
    watch = FaceAlertTracker(QUIET_S)
    watch.look(0, [at(10)])
    watch.still(1)
    watch.look(2, [])
    assert watch.look(QUIET_S, [at(15)]) == watch.still(QUIET_S + 1) == []
    watch.look(QUIET_S + 2, [])
    watch.look(3 * QUIET_S, [at(15)])
    assert kinds(watch.still(3 * QUIET_S + 1)) == [SightingKind.NEW_FACE]


def test_a_known_person_is_told_once_wherever_they_are() -> None:
    watch = FaceAlertTracker(QUIET_S)
    watch.look(0, [at(10, MEI)])
    assert watch.still(1) == [FaceAlert(SightingKind.PERSON, 1, MEI)]
    watch.look(2, [])
    assert watch.look(100, [at(900, MEI)]) == watch.still(101) == []


def test_a_face_that_turns_out_to_be_somebody_is_told_as_that_person_too() -> None:
    watch = FaceAlertTracker(QUIET_S)
    watch.look(0, [at(10)])
    assert kinds(watch.still(1)) == [SightingKind.NEW_FACE]
    assert watch.look(2, [at(12, MEI)]) == [FaceAlert(SightingKind.PERSON, 1, MEI)]
    # Turned away they are not known, and are who they were.
    assert watch.look(3, [at(14)]) == watch.look(4, [at(16, MEI)]) == []


def test_two_known_people_are_not_one_who_changed() -> None:
    watch = FaceAlertTracker(QUIET_S)
    watch.look(0, [at(10, MEI)])
    watch.still(1)
    watch.look(2, [at(12, LIN)])
    assert watch.still(3) == [FaceAlert(SightingKind.PERSON, 2, LIN)]


def test_in_a_film_an_unknown_face_that_jumps_with_every_cut_is_one() -> None:
    watch = FaceAlertTracker(QUIET_S)
    told = [watch.look(now, [at(now * 450 % 1700, size=60 + 40 * (now % 3))]) for now in range(20)]
    assert sum(map(len, told)) == 1
    watch.look(20, [])
    # After longer than a cut takes, a face elsewhere is another one.
    watch.look(21 + JUMPS_S, [at(3000)])
    assert kinds(watch.still(22 + JUMPS_S)) == [SightingKind.NEW_FACE]


def test_a_second_face_beside_the_first_is_new() -> None:
    watch = FaceAlertTracker(QUIET_S)
    watch.look(0, [at(10)])
    watch.still(1)
    watch.look(2, [at(10), at(600)])
    assert watch.still(3) == [FaceAlert(SightingKind.NEW_FACE, 2)]


def test_while_the_screen_is_shared_a_visible_face_is_told_at_once_and_once() -> None:
    watch = FaceAlertTracker(QUIET_S)
    assert kinds(watch.look(0, [at(10), at(600)], sharing=True)) == [SightingKind.SHARED]
    assert kinds(watch.still(1, sharing=True)) == [SightingKind.NEW_FACE, SightingKind.NEW_FACE]
    assert kinds(watch.look(2, [at(10), at(600), at(1200)], sharing=True)) == [SightingKind.SHARED]
    watch.still(3)
    # Shared again, they are visible again.
    assert kinds(watch.still(4, sharing=True)) == [SightingKind.SHARED]


def test_what_is_forgotten_was_never_there() -> None:
    watch = FaceAlertTracker(QUIET_S)
    watch.look(0, [at(10)])
    watch.forget()
    assert watch.look(101, [at(10)]) == []
