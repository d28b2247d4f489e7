"""What keeps groups apart is kept when they grow."""

from agent.inference.vision.cluster_core import Apart, strangers_of


def test_a_photo_two_names_and_what_the_user_said_keep_apart() -> None:
    strangers = strangers_of([(1, 2)])
    face = Apart.of(1, photo=7, person=3, strangers=strangers[1])
    assert not face.allows(Apart.of(2, photo=8, strangers=strangers[2]))
    assert not Apart.of(2, photo=8, strangers=strangers[2]).allows(face)
    assert not face.allows(Apart.of(4, photo=7))
    assert not face.allows(Apart.of(4, person=5))
    assert face.allows(Apart.of(4, photo=9, person=3))


def test_what_is_not_known_keeps_nobody_apart() -> None:
    assert Apart.of(1).allows(Apart.of(2))
    assert Apart.of(1, person=0).allows(Apart.of(2))
    assert not Apart.of(1, person=0).allows(Apart.of(2, person=1))


def test_a_group_has_the_ties_of_all_its_faces() -> None:
    strangers = strangers_of([(1, 2)])
    group = Apart.of(3, photo=5)
    group.take(Apart.of(1, photo=6, person=4, strangers=strangers[1]))
    assert not group.allows(Apart.of(2, strangers=strangers[2]))
    assert not group.allows(Apart.of(9, photo=5))
    assert not group.allows(Apart.of(9, photo=6))
    assert not group.allows(Apart.of(9, person=1))
    assert group.allows(Apart.of(9, photo=7, person=4))
