"""Partly typed names."""

from agent.core.actor import acting_as
from agent.people.drafts import MOST, Drafts


def test_the_oldest_drafts_are_dropped_and_an_empty_one_is_none() -> None:
    drafts = Drafts()
    for face in range(MOST + 1):
        drafts.put(face, f"M{face}")
    drafts.put(5, "")
    assert [face for face, _ in drafts.all()] == [face for face in range(1, MOST + 1) if face != 5]


def test_each_member_has_their_own_drafts_until_all_are_cleared() -> None:
    drafts = Drafts()
    drafts.put(1, "M")
    with acting_as("a" * 32):
        assert drafts.all() == ()
        drafts.put(1, "Me")
        drafts.put(2, "X")
        drafts.put(2, "")
        assert drafts.all() == ((1, "Me"),)
    assert drafts.all() == ((1, "M"),)
    drafts.clear()
    with acting_as("a" * 32):
        assert drafts.all() == ()
