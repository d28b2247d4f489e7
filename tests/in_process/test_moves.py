"""A library moves from a desktop to a team server's database and back, row by row."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from agent.app.transfer_endpoints import new_desktop
from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.errors import MoveTargetTaken
from agent.features.consent.queries import ConsentQueries
from agent.features.library.records import Match, Shown
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store import audit_log, undo_log
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.postgresql import PostgreSql
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.schema import album, album_image, consent, embedding, face, identity, image, person, place, undo
from agent.infrastructure.store.schema import audit as record
from agent.infrastructure.store.server_database import secured
from agent.server.libraries.queries import LibrariesQueries
from agent.server.reference_photos.queries import ReferenceQueries
from agent.server.transfer.archived_audit import LIBRARY_MOVED, RECORDS_FOLDER, changed_records
from agent.server.transfer.move import PROVING, Move, Moved, Side
from agent.server.transfer.reader import Page, Reader
from agent.server.transfer.tables import IGNORED, JOB, MOVES, RECORD, REDACTION_ITEM, REJECTION
from agent.server.transfer.writer import Writer
from agent.server.workers.path_mapping import Roots
from tests.contract.test_reference_photos import new
from tests.support.moved_library import ROOT, MadeLibrary
from tests.support.postgres_server import ON_SERVER, PostgresServer, clear

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SERVED = "/srv/photos"
OF_SERVERS = {"made_by", "edited_by", "actor", "entered_by", "host"}  # empty on a desktop
WITHOUT_PATHS = [each.name for each in MOVES if not each.paths and each not in (JOB, REDACTION_ITEM)]


class Moves:
    """Libraries in a test's folder, and moves between them."""

    def __init__(self, folder: Path, empty: Path, key: bytes, served: Database) -> None:
        self._folder = folder
        self._empty = empty
        self._key = key
        self._served = served
        self._opened: list[Database] = []

    def desktop(self, name: str) -> Side:
        (self._folder / name).mkdir()
        shutil.copyfile(self._empty, self._folder / name / "library.db")
        return self.again(name)

    def again(self, name: str, *, read_only: bool = False) -> Side:
        database = Database.in_file(self._folder / name / "library.db", self._key, read_only=read_only)
        self._opened.append(database)
        return Side(database, self._folder / name / RECORDS_FOLDER, name)

    def server(self) -> Side:
        LibrariesQueries(self._served).begin("All", NOW)
        return Side(self._served, self._folder / "server" / RECORDS_FOLDER / "1", "server", 1)

    def up(self, source: Side, server: Side, *, required: bool = False, forgotten: frozenset[str] = frozenset()) -> Move:
        roots = Roots([(ROOT, SERVED)])
        return Move(source, server, Reader(source.database, roots), forgotten, required, True, lambda: NOW)

    def down(self, server: Side, target: Side, library: int | None = None) -> Move:
        roots = Roots([(SERVED, ROOT)])
        return Move(server, target, Reader(server.database, roots, library), frozenset(), False, False, lambda: NOW)

    def close(self) -> None:
        for each in self._opened:
            each.close()


@pytest.fixture(params=ON_SERVER, scope="module")
def served(postgres: PostgresServer, library_key: bytes) -> Iterator[Database]:
    """A server's database, with its row security and a key of its own."""
    database = Database(PostgreSql(postgres.url(postgres.create()), bytes(reversed(library_key))))
    upgrade(database)
    secured(database)
    yield database
    database.close()


@pytest.fixture
def moves(tmp_path: Path, empty_library: Path, library_key: bytes, served: Database) -> Iterator[Moves]:
    made = Moves(tmp_path, empty_library, library_key, served)
    yield made
    made.close()
    clear(served)


def count(database: Database, table: object = image) -> int:
    with database.read() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def digests(moved: Moved) -> dict[str, tuple[int, str]]:
    return {each.table: (each.source_rows, each.source_digest) for each in moved.tables}


@pytest.mark.parametrize("seed", range(2))
def test_a_library_with_every_kind_of_row_comes_back_as_it_was(moves: Moves, seed: int) -> None:
    source = moves.desktop("ada")
    MadeLibrary(source.database, seed).fill()
    for moving in MOVES:
        with source.database.read() as tx:
            rows = [dict(row) for row in tx.execute(select(moving.table)).mappings()]
        assert rows, f"tests/support/moved_library.py makes no {moving.name}"
        empty = {name for name in moving.columns if all(row[name] in (None, "") for row in rows)}
        assert empty <= OF_SERVERS, f"tests/support/moved_library.py gives no values: {moving.name}"
    source.database.flush()
    before = hashlib.sha256((source.records.parent / "library.db").read_bytes()).hexdigest()
    read_only, server = moves.again("ada", read_only=True), moves.server()

    up = moves.up(read_only, server).run()

    assert up.equal, [each for each in up.tables if not each.equal]
    assert (up.findings.conflict_count, sum(each.kept for each in up.tables), sum(each.withheld for each in up.tables)) == (0, 0, 0)
    assert hashlib.sha256((source.records.parent / "library.db").read_bytes()).hexdigest() == before
    again = moves.up(read_only, server).run()
    assert again.equal and not again.findings.moved
    assert AuditQueries(server.database).audit_broken_at() is None
    assert changed_records(server.database, server.records.parent) == []
    with server.database.read() as tx:
        assert set(tx.scalars(select(place.c.library_id).where(place.c.folder == SERVED))) == {1}
        assert {each.partition("/")[2].partition("/")[0] for each in tx.scalars(select(place.c.path))} == {"srv", "elsewhere"}

    home = moves.desktop("home")
    back = moves.down(server, home).run()

    assert back.equal and back.findings.conflict_count == 0
    assert {name: digests(back)[name] for name in WITHOUT_PATHS} == {name: digests(up)[name] for name in WITHOUT_PATHS}
    once_more = moves.up(home, server).run()
    assert once_more.equal
    assert {name: found for name, found in digests(once_more).items() if name != RECORD} == {
        name: found for name, found in digests(up).items() if name != RECORD
    }
    with source.database.read() as one, home.database.read() as two:
        wanted = select(place.c.path, place.c.mtime_ns, place.c.missing_since, image.c.sha256).outerjoin(image).order_by(place.c.path)
        assert one.execute(wanted).all() == two.execute(wanted).all()
        chosen = (
            select(person.c.name, face.c.ordinal, image.c.sha256).join_from(person, face, face.c.id == person.c.cover_face_id).join(image)
        )
        assert one.execute(chosen).all() == two.execute(chosen).all() != []


def albums(side: Side) -> dict[str, tuple[list[str], list[str], str | None, int]]:
    """Name -> the photos it shows in their order, its people, rule, and the photos counted; photos by their content."""
    library = RedactionQueries(side.database)
    with side.database.read() as tx:
        content = {each.id: each.sha256 for each in tx.execute(select(image.c.id, image.c.sha256))}
    names = library.person_names()
    return {
        each.name: (
            [content[number] for number in library.index(Shown(album=each.id)).ids],
            sorted(names[number] for number in each.people),
            each.match,
            each.count,
        )
        for each in library.albums()
    }


def test_albums_come_along_in_their_order_though_killed_and_their_steps_are_undone_there(
    moves: Moves, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, server = moves.desktop("ada"), moves.server()
    made = MadeLibrary(source.database, 7).fill()
    desk = RedactionQueries(source.database)
    trip = desk.make_album("Trip", images=[made.images[each] for each in (7, 1, 9, 4)], now=NOW).id
    desk.move_in_album(trip, [made.images[4]], made.images[1], now=NOW)
    removed = desk.make_album("Old", images=made.images[4:6], now=NOW)
    desk.remove_album(removed.id, now=NOW)
    desk.change_album(trip, name="旅行", cover=made.images[9], now=NOW)
    before = albums(source)
    assert [len(before[name][0]) for name in ("旅行", "海边 Sea")] == [4, 10] and before["家人"][1:3] == (["Ada Lovelace", "李小梅"], "any")
    monkeypatch.setattr("agent.server.transfer.reader.ROWS", 3)

    class Killed(Exception):
        pass

    def die(self: Writer, tx: Connection, page: Page) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Writer, "album_photos", die)
        moves.up(source, server).run()
    moved = moves.up(source, server).run()

    assert moved.equal and moved.findings.conflict_count == 0
    assert albums(server) == before
    with server.database.read() as tx:
        assert set(tx.scalars(select(album.c.library_id))) == {1}
        covers = select(album.c.name, image.c.sha256).join_from(album, image, image.c.id == album.c.cover_image_id).order_by(album.c.id)
        there = tx.execute(covers).all()
    with source.database.read() as tx:
        assert tx.execute(covers).all() == there != []
    with server.database.write() as tx:
        assert undo_log.undo(tx, None, NOW) is not None  # the new name
        assert undo_log.undo(tx, None, NOW) is not None  # the removal
    assert albums(server)["Trip"] == before["旅行"] and albums(server)["Old"][3] == 2

    again = moves.up(source, server).run()

    assert again.equal and [(each.kind, each.table) for each in again.findings.conflicts] == [("album", "album")]
    assert sorted(albums(server)) == ["Old", "Trip", "家人", "海边 Sea"], "each once, named as it is there"
    home = moves.desktop("home")
    assert moves.down(server, home, library=1).run().equal
    assert albums(home) == albums(server)


def test_an_album_that_needs_a_forgotten_person_stays_behind(moves: Moves) -> None:
    source, server = moves.desktop("ada"), moves.server()
    made = MadeLibrary(source.database, 3).fill()
    desk, [mei, ada] = RedactionQueries(source.database), made.people[:2]
    for name, match in (("Both", Match.ALL), ("Only", Match.ONLY)):
        desk.make_album(name, people=[mei, ada], match=match, now=NOW)
    desk.make_album("Ada", people=[ada], match=Match.ALL, now=NOW)
    with source.database.read() as tx:
        uid = tx.scalar(select(person.c.uid).where(person.c.id == mei))

    moved = moves.up(source, server, forgotten=frozenset({str(uid)})).run()

    assert moved.equal and moved.findings.withheld["album", "forgotten"] == 2
    assert {name: each[1] for name, each in albums(server).items()} == {
        "Ada": ["Ada Lovelace"],
        "家人": ["Ada Lovelace"],
        "海边 Sea": [],
    }
    with server.database.read() as tx:
        steps = [each["before"] or each["after"] for row in tx.scalars(select(undo.c.changes)) for each in row if each["fact"] == "album"]
        assert {each["name"] for each in steps} == {"Ada", "海"}
    assert moves.up(source, server, forgotten=frozenset({str(uid)})).run().equal


def test_one_library_of_several_goes_back_with_its_own_people_alone(moves: Moves) -> None:
    server = moves.server()
    queries = LibrariesQueries(server.database)
    other = moves.desktop("ben")
    MadeLibrary(other.database, 5, prefix="ben").fill()
    queries.add("Ben", for_all=False, sources=["/srv/ben"], roles={}, watched=[SERVED], now=NOW)
    roots = Roots([(ROOT, "/srv/ben")])
    assert Move(other, server, Reader(other.database, roots), frozenset(), False, True, lambda: NOW).run().equal
    with server.database.write() as tx:
        tx.execute(update(album).values(library_id=2))
    ada = moves.desktop("ada")
    MadeLibrary(ada.database, 6, prefix="ada", photos=8).fill()
    assert moves.up(ada, server).run().equal
    with server.database.write() as tx:
        shared = select(album.c.id).where(album.c.library_id == 1, album.c.match.is_(None)).scalar_subquery()
        foreign = (
            select(func.max(image.c.id)).where(image.c.id.in_(select(place.c.image_id).where(place.c.library_id == 2))).scalar_subquery()
        )
        tx.execute(insert(album_image).values(album_id=shared, image_id=foreign, position=1))

    home = moves.desktop("home")
    back = moves.down(server, home, library=1).run()

    assert back.equal
    assert count(server.database) == 20
    with ada.database.read() as one, home.database.read() as two:
        inside = select(place.c.image_id).where(place.c.folder == ROOT)
        placed = select(image.c.sha256).where(image.c.id.in_(inside)).order_by(image.c.sha256)
        assert one.execute(placed).all() == two.execute(select(image.c.sha256).order_by(image.c.sha256)).all() != []
        assert set(two.scalars(select(person.c.name))) <= set(one.scalars(select(person.c.name)))
    assert albums(home) == albums(ada), "without the other library's albums, and its photo in one"
    assert count(home.database, undo) < count(server.database, undo), "steps about other photos stay"


def test_killed_at_any_page_it_goes_on_and_ends_with_the_same_rows(moves: Moves, monkeypatch: pytest.MonkeyPatch) -> None:
    source, server = moves.desktop("ada"), moves.server()
    MadeLibrary(source.database, 1).fill()
    monkeypatch.setattr("agent.server.transfer.reader.PHOTOS", 3)

    class Killed(Exception):
        pass

    for deaths in range(1, 4):
        seen: list[str] = []

        def die(phase: str, _: int, deaths: int = deaths, seen: list[str] = seen) -> None:
            seen.append(phase)
            if len(seen) == deaths:
                raise Killed

        move = moves.up(source, server)
        move.step = die
        with pytest.raises(Killed):
            move.run()
        assert count(server.database) == 3 * deaths
    done = moves.up(source, server).run()

    assert done.equal and not any(each.kept or each.withheld for each in done.tables)
    assert count(server.database) == 12


def test_prints_of_people_without_consent_stay_behind_and_names_come_along(moves: Moves) -> None:
    source, server = moves.desktop("ada"), moves.server()
    MadeLibrary(source.database, 2).fill()

    moved = moves.up(source, server, required=True).run()

    assert moved.equal and moved.without_consent == 4
    withheld = {(table, why): rows for (table, why), rows in moved.findings.withheld.items() if rows}
    assert {why for _, why in withheld} == {"no_consent"}
    with server.database.read() as tx:
        printed = set(tx.scalars(select(identity.c.person_id).join(embedding, embedding.c.face_id == identity.c.face_id)))
        lapsed = set(tx.scalars(select(person.c.id).where(person.c.lapsed_at.is_not(None))))
        confirmed = set(tx.scalars(select(identity.c.person_id).where(identity.c.certainty == "confirmed")))
    assert len(lapsed) == 4 and not lapsed & printed and lapsed & confirmed
    assert count(server.database, embedding) + withheld["embedding", "no_consent"] == count(source.database, embedding)


def test_references_without_a_photo_come_along_and_back(moves: Moves) -> None:
    server, home = moves.server(), moves.desktop("home")
    consents, references = ConsentQueries(server.database), ReferenceQueries(server.database)
    agreed = Consent(purpose=Purpose.RECOGNISE, state=ConsentState.GIVEN, given_on=NOW.date())
    person_id = consents.give_consents("Mei", [agreed], now=NOW, note="n").person_id
    references.add_reference(person_id, new("m"), 1, now=NOW, note="n")

    def held(database: Database) -> tuple[list[str], list[int | None], int]:
        """Whose references there are, in which libraries, and how many photos the page shows."""
        library = RedactionQueries(database)
        with database.read() as tx:
            whose = list(tx.scalars(select(person.c.name).join(identity).join(embedding, embedding.c.face_id == identity.c.face_id)))
            return whose, list(tx.scalars(select(place.c.library_id))), len(library.index(Shown()).ids)

    down = moves.down(server, home, 1).run()
    assert down.equal and held(home.database) == (["Mei"], [None], 0)
    clear(server.database)
    up = moves.up(home, moves.server()).run()
    assert up.equal and held(server.database) == (["Mei"], [1], 0)


def test_a_person_who_was_forgotten_there_does_not_come_back(moves: Moves) -> None:
    source, server = moves.desktop("ada"), moves.server()
    made = MadeLibrary(source.database, 3).fill()
    with source.database.read() as tx:
        uid = tx.scalar(select(person.c.uid).where(person.c.id == made.people[0]))
        faces = tx.scalar(select(func.count()).select_from(identity).where(identity.c.person_id == made.people[0])) or 0

    moved = moves.up(source, server, forgotten=frozenset({str(uid)})).run()

    assert moved.equal and faces
    with server.database.read() as tx:
        assert tx.scalar(select(person.c.id).where(person.c.uid == uid)) is None
        assert tx.scalar(select(consent.c.id).where(consent.c.person_uid == uid)) is None
        forgotten = select(IGNORED.table.c.face_id).where(IGNORED.table.c.reason == "forgotten")
        silent = select(func.count()).select_from(face).where(face.c.id.in_(forgotten))
        assert tx.scalar(silent) == faces
        kept = silent.where(face.c.id.in_(select(embedding.c.face_id)))
        assert tx.scalar(kept) == 0
    assert moves.up(source, server, forgotten=frozenset({str(uid)})).run().equal


def test_what_both_sides_have_becomes_one_and_what_they_say_otherwise_is_listed(moves: Moves) -> None:
    source, server = moves.desktop("ada"), moves.server()
    MadeLibrary(source.database, 4).fill()
    assert moves.up(source, server).run().equal
    photos, people = count(server.database), count(server.database, person)
    with server.database.write() as tx:
        ids = {name: number for number, name in tx.execute(select(person.c.id, person.c.name))}
        same = person.c.name.in_(("李小梅", "Ada Lovelace", "王国强"))
        rows = tx.execute(
            select(identity.c.face_id, identity.c.person_id)
            .join(person)
            .where(identity.c.certainty == "confirmed", same)
            .order_by(identity.c.face_id)
        ).all()
        named, other = rows[0].face_id, next(each for each in ids.values() if each != rows[0].person_id)
        tx.execute(update(identity).where(identity.c.face_id == named).values(person_id=other))
        tx.execute(insert(REJECTION.table).values(face_id=rows[1].face_id, person_id=rows[1].person_id, at=NOW))
        tx.execute(delete(identity).where(identity.c.face_id == rows[1].face_id))
        tx.execute(update(person).where(person.c.name == "Mei").values(notes="moved house", uid="f" * 32))
        tx.execute(update(person).where(person.c.name == "Zoë").values(name="Zoë B."))
        tx.execute(update(person).where(person.c.name == "Ünal").values(name="Someone else", uid="e" * 32))
        tx.execute(update(image).where(image.c.favourite_at.is_not(None)).values(favourite_at=None))
        tx.execute(update(face).where(face.c.id == named).values(x=face.c.x + 3, score=0.5))

    again = moves.up(source, server).run()

    assert again.equal
    assert {each.kind for each in again.findings.conflicts} >= {"name", "rejected", "favourite_at"}
    assert count(server.database) == photos
    assert count(server.database, person) == people + 2, "Zoë without an id and Ünal are new people"
    with server.database.read() as tx:
        assert tx.scalar(select(identity.c.person_id).where(identity.c.face_id == named)) == other
        assert tx.scalar(select(identity.c.person_id).where(identity.c.face_id == rows[1].face_id)) is None
        assert tx.scalar(select(func.count()).select_from(face)) == count(source.database, face)


def test_a_withdrawal_there_is_not_undone_by_an_older_consent(moves: Moves) -> None:
    source, server = moves.desktop("ada"), moves.server()
    MadeLibrary(source.database, 1).fill()
    assert moves.up(source, server, required=True).run().equal
    with server.database.write() as tx:
        row = dict(tx.execute(select(consent).order_by(consent.c.id.desc()).limit(1)).mappings().one())
        tx.execute(delete(consent).where(consent.c.person_uid == row["person_uid"]))
        tx.execute(insert(consent).values(row | {"id": row["id"] + 1, "state": "withdrawn", "entered_at": NOW}))

    again = moves.up(source, server, required=True).run()

    assert again.equal and "consent" in {each.kind for each in again.findings.conflicts}
    with server.database.read() as tx:
        assert tx.scalars(select(consent.c.state).where(consent.c.person_uid == row["person_uid"])).all() == ["withdrawn"]
        assert tx.scalar(select(person.c.lapsed_at).where(person.c.uid == row["person_uid"])) is not None


def test_a_withdrawal_after_a_move_that_was_killed_comes_along_with_the_next(moves: Moves) -> None:
    source, server = moves.desktop("ada"), moves.server()
    MadeLibrary(source.database, 1).fill()
    assert moves.up(source, server, required=True).run().equal
    with source.database.write() as tx:
        latest = dict(tx.execute(select(consent).order_by(consent.c.id.desc()).limit(1)).mappings().one())
        assert latest["state"] == ConsentState.GIVEN
        tx.execute(insert(consent).values(latest | {"id": latest["id"] + 1, "state": "withdrawn", "entered_at": NOW}))

    again = moves.up(source, server, required=True).run()

    assert again.equal and "consent" not in {each.kind for each in again.findings.conflicts}
    with server.database.read() as tx:
        said = select(consent.c.state).where(consent.c.person_uid == latest["person_uid"], consent.c.purpose == latest["purpose"])
        assert tx.scalars(said.order_by(consent.c.id)).all()[-1] == "withdrawn"


@pytest.mark.parametrize("harm", ["name", "print", "lost", "file"])
def test_a_row_that_is_not_there_as_it_was_is_found(moves: Moves, harm: str) -> None:
    source, server = moves.desktop("ada"), moves.server()
    MadeLibrary(source.database, 2).fill()
    move, harmed = moves.up(source, server), list[int]()

    def step(phase: str, _: int) -> None:
        if phase == PROVING and not harmed:
            with server.database.write() as tx:
                first = select(func.min(embedding.c.face_id)).scalar_subquery()
                if harm == "name":
                    tx.execute(update(identity).values(person_id=select(func.max(person.c.id)).scalar_subquery()))
                elif harm == "print":
                    tx.execute(update(embedding).where(embedding.c.face_id == first).values(vector=b"other"))
                elif harm == "lost":
                    tx.execute(delete(embedding).where(embedding.c.face_id == first))
                else:
                    tx.execute(update(place).where(place.c.id == select(func.min(place.c.id)).scalar_subquery()).values(size=3))
            harmed.append(1)

    move.step = step
    found = move.run()

    assert not found.equal
    wrong = [each for each in found.tables if not each.equal]
    assert [each.table for each in wrong] == [{"name": "identity", "file": "place"}.get(harm, "embedding")]
    assert wrong[0].differing
    with server.database.read() as tx:
        assert tx.scalar(select(record.c.id).where(record.c.action == LIBRARY_MOVED)) is None, "nothing is called moved"


def _harm_a_print(server: Side) -> None:
    with server.database.write() as tx:
        tx.execute(delete(embedding))


def test_a_changed_record_of_a_moved_library_is_found(moves: Moves) -> None:
    source, server = moves.desktop("ada"), moves.server()
    MadeLibrary(source.database, 1).fill()
    moves.up(source, server).run()
    path = server.records / "ada.jsonl"
    _, *entries = map(json.loads, path.read_text().splitlines())
    assert [each["action"] for each in entries] == ["named"] * 3
    assert changed_records(server.database, server.records.parent) == []

    with source.database.write() as tx:
        audit_log.add(tx, "named", "later", 1, NOW)
    again = moves.up(source, server)
    again.step = lambda phase, _: _harm_a_print(server) if phase == PROVING else None
    assert not again.run().equal
    assert changed_records(server.database, server.records.parent) == [], "it is as it came, whatever of the rest is not"

    path.write_text(path.read_text().replace("named", "asked"))

    assert changed_records(server.database, server.records.parent) == ["ada"]


def test_a_new_home_that_was_killed_before_it_held_anything_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"

    class Killed(BaseException):
        pass

    def die(path: Path, content: bytes) -> None:
        path.with_name(f".{path.name}.abc.tmp").write_bytes(content[:3])
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("agent.app.transfer_endpoints.write_private", die)
        with pytest.raises(Killed), new_desktop(home, "server/1"):
            raise AssertionError("it is killed before")
    for _ in range(2):
        with new_desktop(home, "server/1") as (two, _, _):
            assert count(two.side.database) == 0
    with pytest.raises(MoveTargetTaken), new_desktop(home, "server/2"):
        raise AssertionError("it is another move's")
    (tmp_path / "taken" / "photos").mkdir(parents=True)
    (tmp_path / "taken" / "photos" / "a.jpg").touch()
    with pytest.raises(MoveTargetTaken), new_desktop(tmp_path / "taken", "server/1"):
        raise AssertionError("it holds something")
