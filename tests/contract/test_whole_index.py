"""The index of all images that a server changes in place is the one that it would read anew."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, text, update

from agent.domain.jobs import JobState
from agent.features.library.index_snapshot import WholeIndex
from agent.features.library.records import Shown
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store import change_cursor
from agent.infrastructure.store.schema import image as image_table
from agent.infrastructure.store.schema import library as library_table
from agent.infrastructure.store.schema import library_source
from agent.infrastructure.store.schema import place as place_table
from agent.infrastructure.store.server_database import secured
from tests.contract.test_library_page import NOON, NOW, index
from tests.support.postgres_server import ON_SERVER

pytestmark = pytest.mark.parametrize("database", ON_SERVER, indirect=True)
LETTERS = "abcdefghijklmnopqrstuvwx"
REACHES = (None, AccessScope(frozenset({1})), AccessScope(frozenset({2})))


@pytest.fixture
def shared(library: RedactionQueries) -> RedactionQueries:
    """Two libraries of a folder each."""
    secured(library.database)
    with library.database.write() as tx:
        for number, root in enumerate(("/photos", "/others"), 1):
            tx.execute(insert(library_table).values(id=number, name=root, for_all=0, created_at=NOW))
            tx.execute(insert(library_source).values(root=root, library_id=number))
    return library


def followed(library: RedactionQueries, before: WholeIndex | None) -> WholeIndex:
    found = library.whole_index(before)
    assert found is not None
    index = found.index()
    anew = library.index(Shown())
    assert (tuple(index.ids), tuple(index.ratios), index.days) == (anew.ids, anew.ratios, anew.days)
    counts, counted = library.counts_of(found), library.counts()
    assert replace(counts, jobs={}) == replace(counted, jobs={})
    assert counts.jobs == {**counted.jobs, JobState.DONE: 0}
    return found


def step(library: RedactionQueries, chance: random.Random) -> None:
    """One thing that happens to a library, to a photo of any age."""
    letter = chance.choice(LETTERS)
    folder = chance.choice(("/photos", "/others"))
    path = f"{folder}/{letter}.jpg"
    place = library.place(path)
    match chance.randrange(7):
        case 0 | 1 | 2:
            taken_at = NOON - timedelta(days=chance.randrange(-30_000, 30_000), microseconds=chance.randrange(3))
            faces, width = chance.randrange(4), chance.randrange(1, 900) * chance.choice((1, 1, 10_000))  # some are strips
            index(library, path, letter, taken_at=taken_at, faces=faces, width=width, folder=folder)
        case 3:
            library.files_gone([path], now=NOW)
        case 4 if place is not None and place.image_id is not None:
            library.set_hidden([place.image_id], chance.random() < 0.5, now=NOW)
        case 5:
            library.undo(None, now=NOW)
        case _:
            with library.database.write() as tx:
                moved = update(place_table).where(place_table.c.path == path)
                tx.execute(moved.values(folder=chance.choice(("/photos", "/others"))))


@pytest.mark.parametrize("seed", range(4))
def test_it_follows_whatever_happens_for_each_reach(shared: RedactionQueries, seed: int) -> None:
    chance = random.Random(seed)
    kept: dict[AccessScope | None, WholeIndex] = {}
    for _ in range(40):
        for _ in range(chance.randrange(4)):
            step(shared, chance)
        for reach in REACHES:
            with reaching(reach):
                before = kept.get(reach)
                kept[reach] = followed(shared, before)
                assert before in (None, kept[reach]), "it was brought up to date, not read anew"
    assert kept[None].edition > 10


def test_a_change_that_is_committed_after_later_ones_is_not_missed(shared: RedactionQueries) -> None:
    first, second = index(shared, "/photos/a.jpg", "a"), index(shared, "/photos/b.jpg", "b")
    kept = followed(shared, None)
    with shared.database._engine.begin() as slow:
        slow.execute(update(image_table).where(image_table.c.id == first).values(hidden_at=NOW))
        shared.set_hidden([second], True, now=NOW)
        kept = followed(shared, kept)
        assert list(kept.ids) == [first]
    assert list(followed(shared, kept).ids) == []


def test_what_changes_many_is_read_anew(shared: RedactionQueries, monkeypatch: pytest.MonkeyPatch) -> None:
    for letter in "abc":
        index(shared, f"/photos/{letter}.jpg", letter)
    kept = followed(shared, None)
    monkeypatch.setattr(change_cursor, "MOST", 2)
    with shared.database.write() as tx:
        tx.execute(update(image_table).values(hidden_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert followed(shared, kept) is not kept


def test_after_another_start_of_the_database_it_is_read_anew(shared: RedactionQueries) -> None:
    index(shared, "/photos/a.jpg", "a")
    kept = followed(shared, None)
    kept.moment = change_cursor.Moment(kept.moment.snapshot, "another", kept.moment.at_s)
    assert followed(shared, kept) is not kept


def test_a_photo_that_is_deleted_for_good_leaves_it(shared: RedactionQueries) -> None:
    gone, stays = index(shared, "/photos/a.jpg", "a"), index(shared, "/photos/b.jpg", "b")
    kept = followed(shared, None)
    with shared.database.write() as tx:
        tx.execute(delete(image_table).where(image_table.c.id == gone))
    assert list(followed(shared, kept).ids) == [stays] and kept.edition == 1


def test_no_function_of_the_owner_keeps_a_plan_that_reads_a_whole_table(shared: RedactionQueries) -> None:
    """Such plans are made while a table is empty, and kept by the session: 10,000 photos from desks came slower and slower."""
    kept = text("SELECT proname FROM pg_proc WHERE prosecdef AND NOT 'enable_seqscan=off' = ANY (coalesce(proconfig, '{}'))")
    with shared.database.read() as tx:
        assert tx.scalars(kept).all() == []
        assert tx.scalar(text("SELECT count(*) FROM pg_proc WHERE prosecdef")) > 5
