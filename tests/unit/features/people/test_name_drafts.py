"""Partly typed names in a desktop's memory."""

from datetime import UTC, datetime

from agent.features.people.name_drafts import MOST, DraftsInMemory

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_the_oldest_drafts_are_dropped_and_those_of_named_faces_are_none() -> None:
    drafts = DraftsInMemory()
    for face in range(MOST + 1):
        drafts.put_draft(face, f"M{face}", NOW)
    drafts.drop_drafts([5, 999])
    assert [face for face, _ in drafts.drafts()] == [face for face in range(1, MOST + 1) if face != 5]
    drafts.put_draft(1, "Me", NOW)
    assert drafts.drafts()[-1] == (1, "Me")
    drafts.clear_drafts()
    assert drafts.drafts() == ()
