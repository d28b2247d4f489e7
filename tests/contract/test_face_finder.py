"""Both ways to find a face give the same: by the matcher, and by a server's database, with and without its index."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.domain.edits import NameFacesEdit
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.features.people.face_search import FaceFinder, MatcherFinder
from agent.features.people.queries.search_filter import EVERYTHING, FaceSearchFilter
from agent.features.people.vectors.rotation import SecretRotation
from agent.features.people.vectors.service import FaceVectors
from agent.features.people.vectors.vector_rows import IndexState, VectorIndex, VectorQueries
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.access_scope import AccessScope, current_scope, reaching
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.server_database import secured
from tests.support.in_process_agent import analysis
from tests.support.inline_engine import InlineMatcher
from tests.support.postgres_server import DIALECTS, ON_SERVER, clear

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECIPE = Recipe("centerface-2", "mobilefacenet-2")
MEI, WANG = 1, 2
TURNING = SecretRotation(bytes(32))  # its matrix is made once


def embedding(person: int, number: int) -> bytes:
    """The same person's are about 0.7 apart, different people's about 1.4."""
    vector = np.random.default_rng(person).standard_normal(192) + 0.6 * np.random.default_rng([person, number]).standard_normal(192)
    return bytes((vector / np.linalg.norm(vector)).astype("<f4").tobytes())


@dataclass
class Here:
    library: RedactionQueries
    finder: FaceFinder
    faces: dict[tuple[int, int], int]  # by person and number

    async def found(self, asked: bytes, among: FaceSearchFilter = EVERYTHING, limit: int = 100) -> list[tuple[int, int]]:
        names = {face: name for name, face in self.faces.items()}
        if isinstance(self.finder, FaceVectors) and current_scope() is None:
            await self.finder.follow()
            await self.finder.settle()
        [near] = await self.finder.near([asked], within=1.1, limit=limit, among=among)
        assert [distance for _, distance in near] == sorted(distance for _, distance in near)
        return [names[face] for face, _ in near]


WAYS = [("sqlcipher", "matcher"), *(("postgresql", way) for way in ("matcher", "database", "index") if "postgresql" in DIALECTS)]


@pytest.fixture(scope="module")
def own(request: pytest.FixtureRequest, library_key: bytes) -> Iterator[Database]:
    """A server's library of this module's own: it gets a table and an index that no other has."""
    from agent.infrastructure.store.dialects.postgresql import PostgreSql

    postgres = request.getfixturevalue("postgres")
    made = Database(PostgreSql(postgres.url(postgres.create()), library_key))
    upgrade(made)
    secured(made)
    yield made
    made.close()


@pytest.fixture(params=WAYS, ids="-".join)
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
def database(
    way: tuple[str, str], request: pytest.FixtureRequest, tmp_path: Path, empty_library: Path, library_key: bytes
) -> Iterator[Database]:
    if way[0] == "sqlcipher":
        shutil.copyfile(empty_library, tmp_path / "library.db")
        yield Database.in_file(tmp_path / "library.db", library_key)
        return
    made: Database = request.getfixturevalue("own")
    yield made
    clear(made)


@pytest.fixture
def here(way: tuple[str, str], library: RedactionQueries) -> Here:
    faces = {(person, number): stored(library, person, number) for person in (MEI, WANG) for number in range(8)}
    finder: FaceFinder
    if way[1] == "matcher":
        finder = MatcherFinder(library, InlineMatcher(lambda: library.prints("mobilefacenet-2")))
    else:
        rows = VectorQueries(library.database)
        rows.prepare()
        url = library.database._engine.url.render_as_string()
        finder = FaceVectors(rows, TURNING, VectorIndex(url, exact=3 if way[1] == "index" else 1_000))
    return Here(library, finder, faces)


def stored(library: RedactionQueries, person: int, number: int) -> int:
    """Store a photo of the day `number` with one face; returns the face's id."""
    path = f"/photos/{person}-{number}.jpg"
    library.note_file(FileSeen(path, 1, 1), RECIPE, priority=Priority.NEW, now=NOW)
    [job], _ = library.lease(1, now=NOW, until=NOW)
    found = analysis(path.encode(), RECIPE)
    face = replace(found.faces[0], embedding=embedding(person, number))
    library.commit(
        job, replace(found, faces=(face,), taken_at=datetime.combine(date(2025, 5, 1), time(12)) + timedelta(days=number)), now=NOW
    )
    return library.images(limit=1)[0].faces[0].id


async def test_the_most_similar_come_first_and_no_others(here: Here) -> None:
    found = await here.found(embedding(MEI, 3))
    assert found[0] == (MEI, 3) and sorted(found) == [(MEI, number) for number in range(8)]
    assert len(await here.found(embedding(MEI, 3), limit=2)) == 2
    assert await here.found(embedding(77, 0)) == []
    for invalid in (b"", bytes(768)):
        assert await here.found(invalid) == []


async def test_filters_apply_before_the_limit(here: Here) -> None:
    person = here.library.edit(NameFacesEdit(face_ids=(here.faces[MEI, 6], here.faces[WANG, 1]), name="Mei"), now=NOW)[0].person_id
    asked = embedding(MEI, 0)
    assert await here.found(asked, FaceSearchFilter(person_id=person)) == [(MEI, 6)]
    assert sorted(await here.found(asked, FaceSearchFilter(after=date(2025, 5, 3), before=date(2025, 5, 5)))) == [
        (MEI, 2),
        (MEI, 3),
        (MEI, 4),
    ]
    assert await here.found(asked, FaceSearchFilter(after=date(2025, 5, 8), before=date.max), limit=1) == [(MEI, 7)]
    assert await here.found(asked, FaceSearchFilter(person_id=person, before=date(2025, 5, 1))) == []


async def test_a_face_whose_print_is_deleted_is_found_no_more(here: Here) -> None:
    if not isinstance(here.finder, FaceVectors):
        here.library.purge_recognition(now=NOW)  # before it reads; later `Identification` tells it
        assert await here.found(embedding(MEI, 0)) == []
        return
    assert len(await here.found(embedding(MEI, 0))) == 8
    here.library.purge_recognition(now=NOW)
    assert await here.found(embedding(MEI, 0)) == []
    assert (await here.finder.state()).built is None, "an index of nothing is dropped"


@pytest.mark.parametrize("way", [(each, "index") for each in ON_SERVER], ids="-".join)
async def test_a_member_finds_faces_of_the_libraries_within_reach_only(here: Here) -> None:
    asked = embedding(MEI, 0)
    with here.library.database.write() as tx:
        tx.exec_driver_sql("INSERT INTO library (id, name, created_at) VALUES (1, 'one', 0), (2, 'two', 0)")
        tx.exec_driver_sql("UPDATE place SET library_id = 1")
        tx.exec_driver_sql(f"UPDATE place SET library_id = 2 WHERE path = '/photos/{MEI}-5.jpg'::bytea")
    assert len(await here.found(asked)) == 8
    with reaching(AccessScope(frozenset({2}))):
        assert await here.found(asked) == [(MEI, 5)]
    with reaching(AccessScope(frozenset())):
        assert await here.found(asked) == []


@pytest.mark.parametrize("way", [(each, "database") for each in ON_SERVER], ids="-".join)
async def test_the_index_is_built_beyond_a_number_and_what_was_broken_off_is_built_anew(here: Here) -> None:
    assert isinstance(here.finder, FaceVectors)
    await here.found(embedding(MEI, 0))
    assert await here.finder.state() == IndexState(faces=16, built=None)
    url = here.library.database._engine.url.render_as_string()
    larger = FaceVectors(VectorQueries(here.library.database), TURNING, VectorIndex(url, exact=10))
    await larger.settle()
    assert (await larger.state()).built is True
    with here.library.database.write() as tx:
        tx.exec_driver_sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'face_vector_near'::regclass")
    assert (await larger.state()).built is False
    await larger.settle()
    assert (await larger.state()).built is True
