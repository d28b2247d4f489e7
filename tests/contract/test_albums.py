"""Albums over each dialect: photos by hand in their order, or those of people; every change can be undone."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import MergePeopleEdit
from agent.domain.errors import AlbumByRule, AlbumPersonKeptBack, BadRequest, NotFound
from agent.domain.identity_matching import Certainty
from agent.features.library.queries.album_queries import GAP
from agent.features.library.records import AlbumStep, Match, Shown
from agent.features.people.queries import consent_queries
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store import undo_log
from agent.infrastructure.store.row_security import secure
from agent.infrastructure.store.schema import album_image, face, identity, image, library_source, person, place
from agent.infrastructure.store.schema import library as library_table

RULES = [("Both", [1, 2], Match.ALL), ("Either", [1, 2], Match.ANY), ("One", [1], Match.ALL)]
NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
AT = datetime(2026, 11, 1, 10)  # noqa: DTZ001  # the camera's clock


@pytest.fixture
def photos(library: RedactionQueries) -> RedactionQueries:
    """Photos 1 to 4; person 1 is confirmed on 1 and 2, probable on 3; person 2 is confirmed on 2."""
    ms = {f"ms_{name}": 0.0 for name in ("decode", "detect", "align", "embed")}
    shape = {"size": 9, "width": 4, "height": 3, "format": "jpeg", "detector": "x", "precision": "f32", "indexed_at": NOW, "taken_at": AT}
    drawn = {"x": 0.0, "y": 0.0, "w": 1.0, "h": 1.0, "score": 1.0, "landmarks": [], "size": 1.0, "sharpness": 1.0, "yaw": 0.0, "roll": 0.0}
    seen = {"distance": 0.1, "agree": 1, "refs": 1}
    with library.database.write() as tx:
        if library.database.is_shared:
            secure(tx)
            tx.execute(insert(library_table), [{"id": each, "name": str(each), "created_at": NOW} for each in (1, 2)])
            tx.execute(insert(library_source), [{"root": f"/{each}", "library_id": each} for each in (1, 2)])
        tx.execute(insert(image), [shape | ms | {"id": each, "sha256": str(each) * 64} for each in range(1, 5)])
        where = {"size": 9, "mtime_ns": 1, "noted_at": NOW}
        tx.execute(insert(place), [where | {"path": f"/1/{each}.jpg", "folder": "/1", "image_id": each} for each in range(1, 5)])
        tx.execute(insert(person), [{"id": each, "name": f"P{each}", "created_at": NOW, "uid": str(each)} for each in (1, 2)])
        on = [(1, 1, "confirmed"), (2, 1, "confirmed"), (2, 2, "confirmed"), (3, 1, Certainty.PROBABLE)]
        tx.execute(insert(face), [drawn | {"id": n, "image_id": photo, "ordinal": n} for n, (photo, _, _) in enumerate(on, 1)])
        who = [seen | {"face_id": n, "person_id": name, "certainty": how} for n, (_, name, how) in enumerate(on, 1)]
        tx.execute(insert(identity), who)
    return library


def facts(library: RedactionQueries) -> list[tuple[Any, ...]]:
    return [(each.name, each.count, shown(library, each.id)) for each in library.albums()]


def shown(library: RedactionQueries, album_id: int) -> list[int]:
    return list(library.index(Shown(album=album_id)).ids)


def undo(library: RedactionQueries, token: str | None) -> None:
    with library.database.write() as tx:
        assert undo_log.undo(tx, token, NOW) is not None


def say(library: RedactionQueries, uid: str, state: ConsentState) -> None:
    said = Consent(purpose=Purpose.SHOW_INSIDE, state=state, given_on=date(2020, 1, 1))
    with library.database.write() as tx:
        consent_queries.enter(tx, uid, said, NOW)


def test_photos_by_hand_keep_their_order_and_each_change_is_undone(photos: RedactionQueries) -> None:
    made = photos.make_album("Trip", images=[3, 1, 3, 99], library_id=1, now=NOW)
    assert facts(photos) == [("Trip", 2, [3, 1])] and made.count == 2 and len(made.events) == 1
    album = made.id
    changes: list[tuple[Callable[[], AlbumStep], list[tuple[Any, ...]]]] = [
        (lambda: photos.add_to_album(album, [2, 3, 4], now=NOW), [("Trip", 4, [3, 1, 2, 4])]),
        (lambda: photos.move_in_album(album, [4, 2], 1, now=NOW), [("Trip", 4, [3, 4, 2, 1])]),
        (lambda: photos.move_in_album(album, [1], 3, now=NOW), [("Trip", 4, [1, 3, 4, 2])]),
        (lambda: photos.move_in_album(album, [1, 3], 3, now=NOW), [("Trip", 4, [1, 3, 4, 2])]),
        (lambda: photos.move_in_album(album, [3], None, now=NOW), [("Trip", 4, [1, 4, 2, 3])]),
        (lambda: photos.take_from_album(album, [4, 99], now=NOW), [("Trip", 3, [1, 2, 3])]),
        (lambda: photos.change_album(album, name="Tour", cover=1, now=NOW), [("Tour", 3, [1, 2, 3])]),
        (lambda: photos.remove_album(album, now=NOW), []),
    ]
    states, tokens = [facts(photos)], list[str | None]()
    for change, after in changes:
        tokens.append(change().token)
        states.append(facts(photos))
        assert states[-1] == after
    for token, before in zip(reversed(tokens), reversed(states[:-1]), strict=True):
        if token is not None:
            undo(photos, token)
        assert facts(photos) == before
    unchanged = photos.add_to_album(album, [1, 3], now=NOW)
    assert (unchanged.token, unchanged.count, unchanged.events) == (None, 0, ())
    undo(photos, made.token)
    assert facts(photos) == []
    with pytest.raises(NotFound):
        photos.add_to_album(album, [1], now=NOW)


def test_steps_are_undone_in_any_order_and_a_full_place_is_spread_anew(photos: RedactionQueries) -> None:
    album = photos.make_album("Trip", images=[1], library_id=1, now=NOW).id
    first = photos.add_to_album(album, [2], now=NOW)
    photos.add_to_album(album, [3], now=NOW)
    undo(photos, first.token)
    assert shown(photos, album) == [1, 3]
    with photos.database.write() as tx:
        tx.execute(update(album_image).where(album_image.c.image_id == 3).values(position=GAP + 1))
    photos.add_to_album(album, [2], now=NOW)
    moved = photos.move_in_album(album, [2], 3, now=NOW)
    assert shown(photos, album) == [1, 2, 3]
    undo(photos, moved.token)
    assert shown(photos, album) == [1, 3, 2]


def test_an_album_of_people_follows_their_names(photos: RedactionQueries) -> None:
    one = photos.make_album("One", people=[1], match=Match.ALL, library_id=1, now=NOW).id
    photos.make_album("One, surely", people=[1], match=Match.ALL, certain=True, library_id=1, now=NOW)
    photos.make_album("Both", people=[1, 2], match=Match.ALL, library_id=1, now=NOW)
    photos.make_album("Either", people=[1, 2], match=Match.ANY, library_id=1, now=NOW)
    photos.make_album("Alone", people=[1], match=Match.ONLY, library_id=1, now=NOW)
    counts = [("Alone", 2), ("Both", 1), ("Either", 3), ("One", 3), ("One, surely", 2)]
    assert [(name, count) for name, count, _ in facts(photos)] == counts
    assert all(count == len(ids) for _, count, ids in facts(photos))
    with pytest.raises(AlbumByRule):
        photos.add_to_album(one, [4], now=NOW)
    with pytest.raises(NotFound):
        photos.make_album("Nobody", people=[99], match=Match.ALL, library_id=1, now=NOW)
    with photos.database.write() as tx:
        tx.execute(update(identity).where(identity.c.face_id == 1).values(person_id=2))
    assert {name: count for name, count, _ in facts(photos)} == {"Alone": 1, "Both": 1, "Either": 3, "One": 2, "One, surely": 1}


def test_merged_people_keep_their_albums_and_undoing_gives_them_back(photos: RedactionQueries) -> None:
    photos.make_album("Two", people=[2], match=Match.ALL, library_id=1, now=NOW)
    step, _ = photos.edit(MergePeopleEdit(person_ids=(2,), into=1), now=NOW)
    assert facts(photos)[0][1] == 3 and photos.albums()[0].people == (1,)
    undo(photos, step.token)
    assert facts(photos) == [("Two", 1, [2])]


def test_a_forgotten_person_takes_the_albums_along_that_need_them(photos: RedactionQueries) -> None:
    tokens = [photos.make_album(name, people=who, match=how, library_id=1, now=NOW).token for name, who, how in RULES]
    photos.forget_person(1, now=NOW, note="forgotten")
    assert facts(photos) == [("Either", 1, [2])] and photos.albums()[0].people == (2,)
    with photos.database.write() as tx:
        assert [undo_log.undo(tx, token, NOW) for token in tokens] == [None] * 3, "no step holds their album's name any longer"


def test_who_is_not_to_be_shown_inside_leaves_the_albums_at_once(photos: RedactionQueries) -> None:
    for name, who, how in RULES:
        photos.make_album(name, people=who, match=how, library_id=1, now=NOW)
    say(photos, "1", ConsentState.GIVEN)
    assert [count for _, count, _ in facts(photos)] == [1, 3, 3]
    say(photos, "1", ConsentState.WITHDRAWN)
    assert facts(photos) == [("Both", 0, []), ("Either", 1, [2]), ("One", 0, [])]
    assert [each.kept_back for each in photos.albums()] == [(1,), (1,), (1,)]
    with pytest.raises(AlbumPersonKeptBack):
        photos.make_album("Again", people=[1], match=Match.ALL, library_id=1, now=NOW)
    if photos.database.is_shared:
        with reaching(AccessScope(frozenset({1}))):
            assert facts(photos) == [("Either", 1, [2])], "the others’ names may say who is meant"
            assert (photos.albums()[0].people, photos.albums()[0].kept_back) == ((2,), ())
        with reaching(AccessScope(frozenset({1}), confided=frozenset({1}))):
            assert facts(photos) == [("Both", 0, []), ("Either", 1, [2]), ("One", 0, [])]


def test_hidden_photos_and_a_lost_cover_do_not_show(photos: RedactionQueries) -> None:
    made = photos.make_album("Trip", images=[1, 2], library_id=1, now=NOW).id
    photos.change_album(made, name=None, cover=1, now=NOW)
    assert [each.cover for each in photos.albums()] == [1]
    photos.set_hidden([1], True, now=NOW)
    assert [(each.cover, each.count) for each in photos.albums()] == [(2, 1)]


def test_more_albums_take_no_more_statements(photos: RedactionQueries) -> None:
    said = list[str]()
    event.listen(photos.database._engine, "before_cursor_execute", lambda *parts: said.append(parts[2]))
    counted = list[int]()
    for _ in range(2):
        for number in range(5):
            photos.make_album(f"Hand {number}", images=[1, 2], library_id=1, now=NOW)
            photos.make_album(f"People {number}", people=[1, 2], match=Match.ANY, library_id=1, now=NOW)
        said.clear()
        assert all(each.count in (2, 3) for each in photos.albums())
        counted.append(len(said))
    assert counted[0] == counted[1]


def test_a_large_album_is_written_and_changed_by_short_statements(photos: RedactionQueries) -> None:
    with photos.database.write() as tx:
        row = dict(tx.execute(select(image).where(image.c.id == 4)).mappings().one())
        tx.execute(insert(image), [row | {"id": each, "sha256": f"{each:064x}"} for each in range(5, 1_205)])
    made = photos.make_album("Large", images=range(1_204, 1, -1), library_id=1, now=NOW)
    parameters = list[int]()
    event.listen(photos.database._engine, "before_cursor_execute", lambda *parts: parameters.append(len(parts[3])))

    for change in (
        partial(photos.make_album, "Second", images=range(1_204, 0, -1), library_id=1),
        partial(photos.add_to_album, made.id, [3, 1]),
        partial(photos.take_from_album, made.id, [3]),
    ):
        assert change(now=NOW).count

    assert max(parameters) < 20, "ids are one parameter"
    with photos.database.read() as tx:
        held = select(album_image.c.image_id).where(album_image.c.album_id == made.id).order_by(album_image.c.position)
        assert tx.scalars(held).all() == [*range(1_204, 3, -1), 2, 1]


def test_members_see_the_albums_of_their_libraries_and_the_photos_within_reach(photos: RedactionQueries) -> None:
    if not photos.database.is_shared:
        return
    with photos.database.write() as tx:
        tx.execute(update(place).where(place.c.image_id == 4).values(folder="/2"))
    with reaching(AccessScope(frozenset({1, 2}))):
        made = photos.make_album("Trip", images=[4, 1, 2], now=NOW)
        assert [each.library_id for each in photos.albums()] == [1], "where most of its photos are"
        assert facts(photos) == [("Trip", 3, [4, 1, 2])]
        with pytest.raises(BadRequest):
            photos.make_album("Whose?", now=NOW)
        with pytest.raises(NotFound):
            photos.make_album("Theirs", library_id=3, now=NOW)
    with reaching(AccessScope(frozenset({1}))):
        assert facts(photos) == [("Trip", 2, [1, 2])]
        photos.move_in_album(made.id, [2], 1, now=NOW)
        photos.add_to_album(made.id, [4, 3], now=NOW)
        with pytest.raises(NotFound):
            photos.change_album(made.id, name=None, cover=4, now=NOW)
        assert facts(photos) == [("Trip", 3, [2, 1, 3])]
        removed = photos.remove_album(made.id, now=NOW)
    with reaching(AccessScope(frozenset({2}))):
        assert facts(photos) == [] and shown(photos, made.id) == []
        for change in (photos.remove_album, partial(photos.add_to_album, ids=[4]), partial(photos.take_from_album, ids=[4])):
            with pytest.raises(NotFound):
                change(made.id, now=NOW)
    undo(photos, removed.token)
    with reaching(AccessScope(frozenset({1, 2}))):
        assert facts(photos) == [("Trip", 4, [4, 2, 1, 3])], "photos beyond the reach of the one who removed it are back, too"


def test_an_album_of_people_holds_photos_of_its_library_alone(photos: RedactionQueries) -> None:
    if not photos.database.is_shared:
        return
    with photos.database.write() as tx:
        tx.execute(update(place).where(place.c.image_id == 2).values(folder="/2"))
    with reaching(AccessScope(frozenset({1, 2}))):
        photos.make_album("One", people=[1], match=Match.ALL, library_id=1, now=NOW)
        assert [(name, count, set(ids)) for name, count, ids in facts(photos)] == [("One", 2, {1, 3})]
