"""What every dialect's transactions must do."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text

from agent.domain.edits import MergePeopleEdit, NameFacesEdit
from agent.domain.errors import BadRequest, PersonUnknown, StoreBusy, StoreUnreachable, StoreUnwritable
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.features.library.queries import job_queries
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.backup import check_copy
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects import postgresql, sqlcipher
from agent.infrastructure.store.migrator import open_database
from agent.infrastructure.store.schema import meta, shared
from tests.contract.test_library import RECOGNISE, a_face, index
from tests.support.postgres_server import ON_SERVER, clear
from tests.support.stored_embeddings import image_embeddings

NOW = datetime(2026, 3, 4, tzinfo=UTC)
JOBS, WORKERS = 400, 4
_PROCESS = text("SELECT pg_backend_pid()")


def noted(database: Database) -> dict[str, int]:
    with database.read() as tx:
        return {name: value for name, value in tx.execute(select(meta.c.name, meta.c.value))}


def note(database: Database, name: str, value: int) -> None:
    with database.write(durable=True) as tx:
        tx.execute(insert(meta).values(name=name, value=value))


@pytest.mark.parametrize(
    "value", [{"a": [1.5, None, True]}, "\udcff שלום 图", ["\U0001f600", "\ud800"], 2**70], ids=["values", "bytes", "halves", "large"]
)
def test_json_comes_back_as_it_was_written(database: Database, value: object) -> None:
    with database.write() as tx:
        tx.execute(insert(shared).values(name="test", version=1, content=value))
    with database.read() as tx:
        assert tx.scalar(select(shared.c.content).where(shared.c.name == "test")) == value


@pytest.fixture
def others(open_again: Callable[[], Database]) -> Iterator[list[Database]]:
    """Further connections to the same library, as other processes have them."""
    made = [open_again() for _ in range(WORKERS)]
    yield made
    for each in made:
        each.close()


def test_a_transaction_is_written_whole_or_not_at_all(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as tx:
        tx.execute(insert(meta).values(name="first", value=1))
        raise ZeroDivisionError
    assert noted(database) == {}
    note(database, "second", 2**62)
    assert noted(database) == {"second": 2**62}


def test_what_is_stored_takes_room_in_the_folder_or_elsewhere(database: Database, tmp_path: Path) -> None:
    note(database, "first", 1)
    in_folder = (tmp_path / "library.db").exists()
    assert (database.size_elsewhere() == 0) is in_folder


def test_every_change_makes_another_version_whoever_made_it(database: Database, others: list[Database]) -> None:
    seen = [database.version()]
    for number, each in enumerate((database, *others)):
        note(each, f"by {number}", number)
        seen.append(database.version())
    assert len(set(seen)) == len(seen)
    assert noted(database) and database.version() == seen[-1]


def test_a_reader_sees_one_state_and_waits_for_no_writer(database: Database, others: list[Database]) -> None:
    note(database, "before", 1)
    with database.read() as reader, others[0].write() as writer:
        assert reader.scalar(select(meta.c.value)) == 1
        writer.execute(meta.update().values(value=2))
        assert reader.scalar(select(meta.c.value)) == 1
        writer.commit()
        assert reader.scalar(select(meta.c.value)) == 1
    assert noted(database) == {"before": 2}


def test_writers_take_turns_so_that_what_one_read_still_holds_when_it_writes(database: Database, others: list[Database]) -> None:
    note(database, "count", 0)

    def count(mine: Database) -> None:
        for _ in range(25):
            with mine.write() as tx:
                value = tx.scalar(select(meta.c.value))
                assert value is not None
                tx.execute(meta.update().values(value=value + 1))

    at_once(count, others)
    assert noted(database) == {"count": 25 * WORKERS}


def test_another_process_that_writes_too_long_is_told(
    database: Database, open_again: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sqlcipher, postgresql):
        monkeypatch.setattr(module, "_WAIT_S", 0.01)
    with closing(open_again()) as other, database.write(), pytest.raises(StoreBusy), other.write():
        pass


def test_workers_on_connections_of_their_own_lease_each_job_once(library: RedactionQueries, others: list[Database]) -> None:
    for number in range(JOBS):
        seen = FileSeen(f"/photos/{number}.jpg", number + 1, 1, "/photos")
        library.note_file(seen, Recipe("centerface-2"), priority=Priority.NEW, now=NOW)
    leased: list[int] = []

    def work(mine: Database) -> None:
        worker = RedactionQueries(mine)
        while jobs := worker.lease(7, now=NOW, until=NOW + timedelta(hours=1))[0]:
            leased.extend(job.id for job in jobs)

    at_once(work, others)
    assert len(leased) == len(set(leased)) == JOBS


@pytest.mark.parametrize("dialect", ON_SERVER)
def test_a_server_leases_to_one_worker_what_another_is_not_taking(dialect: str, request: pytest.FixtureRequest) -> None:
    """Also where leases are not taken in turns."""
    database: Database = request.getfixturevalue("on_server")
    library = RedactionQueries(database)
    for number in range(3):
        library.note_file(FileSeen(f"/{number}", number, 1, "/"), Recipe("centerface-2"), priority=Priority.NEW, now=NOW)
    with database._engine.begin() as first, database._engine.begin() as second:
        until = NOW + timedelta(hours=1)
        leased = [[job.path for job in job_queries.take(tx, 2, worker="some", until=until)] for tx in (first, second)]
        assert leased == [["/0", "/1"], ["/2"]]
    clear(database)


def test_the_audit_is_whole_after_what_was_not_written(library: RedactionQueries) -> None:
    index(library, "/photos/a.jpg", "a", a_face(10.0), a_face(60.0), recipe=RECOGNISE)
    [first, second] = library.faces_of_image(1)
    people = [library.edit(NameFacesEdit(face_ids=(each,), name=str(each)), now=NOW)[0].person_id for each in (first, second)]
    assert people[0] is not None and people[1] is not None
    with pytest.raises(PersonUnknown):
        library.edit(MergePeopleEdit(person_ids=(people[0], 999), into=people[1]), now=NOW)
    library.edit(MergePeopleEdit(person_ids=(people[0],), into=people[1]), now=NOW)
    assert library.audit_broken_at() is None


def test_names_come_in_the_order_of_their_code_points(library: RedactionQueries) -> None:
    names = ["Zoë", "anna", "Émile", "张伟", "Anna", "_"]
    index(library, "/photos/a.jpg", "a", *(a_face(60.0 * number) for number in range(len(names))), recipe=RECOGNISE)
    for face_id, name in zip(library.faces_of_image(1), names, strict=True):
        library.edit(NameFacesEdit(face_ids=(face_id,), name=name), now=NOW)
    assert [person.name for person in library.people()] == sorted(names)


def test_a_copy_holds_all_and_is_a_library_in_a_file(library: RedactionQueries, tmp_path: Path, library_key: bytes) -> None:
    index(library, "/photos/\udcff.jpg", "a", a_face(embedding=b"print", chip=b"chip"), recipe=RECOGNISE)
    library.edit(NameFacesEdit(face_ids=tuple(library.faces_of_image(1)), name="Anna"), now=NOW)
    library.database.copy_to(tmp_path / "copy.db")
    assert check_copy(tmp_path / "copy.db", library_key) == 1
    copy = RedactionQueries(open_database(tmp_path / "copy.db", library_key))
    assert copy.images(limit=9) == library.images(limit=9)
    assert (copy.people(), copy.counts(), copy.events(after=0, limit=99)) == (
        library.people(),
        library.counts(),
        library.events(after=0, limit=99),
    )
    assert image_embeddings(copy, 1, "mobilefacenet-1") == image_embeddings(library, 1, "mobilefacenet-1") != []
    copy.database.close()
    with pytest.raises(StoreUnwritable):
        library.database.copy_to(tmp_path / "copy.db" / "below")


def test_a_library_is_sound_before_and_after_it_is_written_anew(library: RedactionQueries, database: Database) -> None:
    index(library, "/photos/a.jpg", "a", a_face())
    before = library.images(limit=9)
    assert library.database.sound()
    database.compact()
    database.flush()
    library.database.let_go()
    assert library.database.sound() and library.images(limit=9) == before


def at_once(work: Callable[[Database], None], databases: list[Database]) -> None:
    threads = [threading.Thread(target=work, args=(each,)) for each in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()


@pytest.mark.parametrize("dialect", ON_SERVER)
def test_a_text_that_a_server_cannot_hold_is_a_bad_request(dialect: str, request: pytest.FixtureRequest) -> None:
    """As any visitor may put into an address: it is no defect of the program."""
    database: Database = request.getfixturevalue("on_server")
    with closing(database):
        with pytest.raises(BadRequest), database.read() as tx:
            tx.scalar(select(meta.c.value).where(meta.c.name == "a\0b"))
        with pytest.raises(BadRequest):
            note(database, "a\0b", 1)
        note(database, "after", 1)
        assert noted(database) == {"after": 1}
        clear(database)


@pytest.mark.parametrize("dialect", ON_SERVER)
def test_a_server_removes_deleted_rows_while_others_read_and_write(dialect: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue("on_server")

    def vacuums() -> int:
        with database.read() as tx:
            return int(tx.execute(text("SELECT vacuum_count FROM pg_stat_all_tables WHERE relname = 'meta'")).scalar_one())

    with closing(database):
        note(database, "kept", 1)
        note(database, "deleted", 2)
        before = vacuums()
        with database.write(durable=True) as tx:
            tx.execute(delete(meta).where(meta.c.name == "deleted"))
        with database.read() as reading, database.write() as writing:
            assert reading.execute(select(meta.c.value).where(meta.c.name == "kept")).scalar_one() == 1
            writing.execute(insert(meta).values(name="meanwhile", value=3))
            database.compact()
        assert noted(database) == {"kept": 1, "meanwhile": 3}
        assert vacuums() == before + 1
        clear(database)


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("dialect", ON_SERVER)
def test_a_connection_that_a_server_ended_is_replaced_before_it_is_used(
    dialect: str, asked: bool, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: Database = request.getfixturevalue("on_server")
    if asked:  # as if the machine were gone: nothing comes on the connection, and it was not used for a while
        monkeypatch.setattr(postgresql, "_TRUSTED_S", 0.0)
        monkeypatch.setattr(postgresql, "_has_said", lambda connection: False)
    with closing(database):
        with database.read() as tx:
            ended = tx.scalar(_PROCESS)
        kept, other = database._engine.connect(), database._engine.connect()
        assert kept.scalar(_PROCESS) == ended
        kept.close()
        with other:
            assert other.scalar(text("SELECT pg_terminate_backend(:ended, 10000)"), {"ended": ended})
            other.detach()  # so that the next one taken is the one that ended
        with database.read() as tx:
            assert tx.scalar(_PROCESS) != ended


@pytest.mark.parametrize("dialect", ON_SERVER)
def test_nothing_is_written_while_a_server_is_read(dialect: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue("on_server")
    with closing(database):
        with pytest.raises(StoreUnreachable), database.read() as tx:
            tx.execute(insert(meta).values(name="first", value=1))
        assert noted(database) == {}
