"""A library moves from a desktop to a team server's database and back, row by row."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from agent.libraries.queries import LibrariesQueries
from agent.moves.closed_record import RECORDS_FOLDER, changed_records
from agent.moves.move import Move, Moved, Side
from agent.moves.reading import Reader
from agent.moves.tables import JOB, MOVES, RECORD, REDACTION_ITEM
from agent.store.audit_log import AuditQueries
from agent.store.database import Database
from agent.store.dialects.postgresql import PostgreSql
from agent.store.schema import face, image, person, place
from agent.store.server_database import secured
from agent.store.upgrade import upgrade
from agent.workers.roots import Roots
from tests.moved import ROOT, MadeLibrary
from tests.postgres import ON_SERVER, PostgresServer

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SERVED = "/srv/photos"
OF_SERVERS = {"made_by", "edited_by", "actor", "entered_by", "host"}  # empty on a desktop
WITHOUT_PATHS = [each.name for each in MOVES if not each.paths and each not in (JOB, REDACTION_ITEM)]


class Moves:
    """Libraries in a test's folder, and moves between them."""

    def __init__(self, folder: Path, empty: Path, key: bytes) -> None:
        self._folder = folder
        self._empty = empty
        self._key = key
        self._opened: list[Database] = []

    def desktop(self, name: str) -> Side:
        (self._folder / name).mkdir()
        shutil.copyfile(self._empty, self._folder / name / "library.db")
        return self.again(name)

    def again(self, name: str, *, read_only: bool = False) -> Side:
        database = Database.in_file(self._folder / name / "library.db", self._key, read_only=read_only)
        self._opened.append(database)
        return Side(database, self._folder / name / RECORDS_FOLDER, name)

    def server(self, postgres: PostgresServer) -> Side:
        database = Database(PostgreSql(postgres.url(postgres.create()), bytes(reversed(self._key))))
        self._opened.append(database)
        upgrade(database)
        secured(database)
        LibrariesQueries(database).begin("All", NOW)
        return Side(database, self._folder / "server" / RECORDS_FOLDER / "2", "server")

    def up(self, source: Side, server: Side, *, required: bool = False, forgotten: frozenset[str] = frozenset()) -> Move:
        roots = Roots([(ROOT, SERVED)])
        return Move(source, server, Reader(source.database, roots), forgotten, required, True, lambda: NOW)

    def down(self, server: Side, target: Side, library: int | None = None) -> Move:
        roots = Roots([(SERVED, ROOT)])
        return Move(server, target, Reader(server.database, roots, library), frozenset(), False, False, lambda: NOW)

    def close(self) -> None:
        for each in self._opened:
            each.close()


@pytest.fixture(params=ON_SERVER)
def moves(tmp_path: Path, empty_library: Path, library_key: bytes) -> Iterator[Moves]:
    made = Moves(tmp_path, empty_library, library_key)
    yield made
    made.close()


def count(database: Database, table: object = image) -> int:
    with database.read() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def digests(moved: Moved) -> dict[str, tuple[int, str]]:
    return {each.table: (each.source_rows, each.source_digest) for each in moved.tables}


@pytest.mark.parametrize("seed", range(3))
def test_a_library_with_every_kind_of_row_comes_back_as_it_was(moves: Moves, postgres: PostgresServer, seed: int) -> None:
    source = moves.desktop("ada")
    MadeLibrary(source.database, seed).fill()
    for moving in MOVES:
        with source.database.read() as tx:
            rows = [dict(row) for row in tx.execute(select(moving.table)).mappings()]
        assert rows, f"tests/moved.py makes no {moving.name}"
        empty = {name for name in moving.columns if all(row[name] in (None, "") for row in rows)}
        assert empty <= OF_SERVERS, f"tests/moved.py gives no values: {moving.name}"
    source.database.flush()
    before = hashlib.sha256((source.records.parent / "library.db").read_bytes()).hexdigest()
    read_only, server = moves.again("ada", read_only=True), moves.server(postgres)

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
