"""Partly typed names over each dialect: each member's own, encrypted on a server, and gone in time."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from agent.features.people.name_drafts import MOST
from agent.features.people.queries.draft_queries import LASTS
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.actor import acting_as
from tests.contract.test_people import photo

NOW = datetime(2026, 11, 30, tzinfo=UTC)
MEI, BEN = "a" * 32, "b" * 32


def test_each_member_has_their_own_drafts_until_all_are_cleared(library: RedactionQueries) -> None:
    first, second = photo(library, "a", 2)
    with acting_as(MEI):
        library.put_draft(first, "M", NOW)
    with acting_as(BEN):
        assert library.drafts() == ()
        library.put_draft(first, "Me", NOW)
        library.put_draft(second, "X", NOW + timedelta(seconds=1))
        library.put_draft(first, "Mei", NOW + timedelta(seconds=2))
        assert library.drafts() == ((second, "X"), (first, "Mei"))
        library.drop_drafts([second, 999])
        library.put_draft(999, "no such face", NOW)
        assert library.drafts() == ((first, "Mei"),)
    with acting_as(MEI):
        assert library.drafts() == ((first, "M"),)
        library.clear_drafts()
    with acting_as(BEN):
        assert library.drafts() == ()


def test_the_oldest_draft_is_dropped_if_there_are_too_many(library: RedactionQueries) -> None:
    faces = [each for number in range(3) for each in photo(library, str(number), 17)]
    assert len(faces) == MOST + 1
    for number, face_id in enumerate(faces):
        library.put_draft(face_id, f"M{number}", NOW + timedelta(seconds=number))
    assert [each for each, _ in library.drafts()] == faces[1:]


def test_a_server_stores_no_readable_draft_and_old_ones_end(library: RedactionQueries) -> None:
    [face_id] = photo(library, "a", 1)
    library.put_draft(face_id, "Ben Secret", NOW)
    if library.database.is_shared:
        with library.database.read() as tx:
            assert "Ben" not in str(tx.scalar(text("SELECT name FROM draft")))
    library.clear_drafts(NOW + timedelta(days=1) - LASTS)
    assert library.drafts() == ((face_id, "Ben Secret"),)
    before = library.database.version()
    library.clear_drafts(NOW - timedelta(seconds=1))
    library.drop_drafts([999])
    assert library.database.version() == before, "what removes nothing has no process read anew what it keeps of the library"
    library.clear_drafts(NOW + LASTS - LASTS)
    assert library.drafts() == ()
