"""A library of an earlier schema, with rows in every table, comes up to date and loses nothing."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store import migrator
from agent.infrastructure.store.backup import check_copy
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import open_database, revision_of, steps
from agent.infrastructure.store.schema import BASELINE, REVISION
from tests.support.filled_schema import ROWS, contents, filled, missing, tables
from tests.support.later_schema import CONTRACT, EXPAND, become_later, write_steps

PLACE = "INSERT INTO place (path, size, mtime_ns, noted_at, host) VALUES (:path, 1, 1, 1, :host) RETURNING id, volume"


@pytest.fixture
def path(tmp_path: Path, library_key: bytes) -> Path:
    """The file of a library of this schema, with rows in every table."""
    database = Database.in_file(tmp_path / "library.db", library_key)
    filled(database)
    database.close()
    return tmp_path / "library.db"


def test_every_step_follows_the_one_before_from_the_baseline_to_the_programs() -> None:
    revisions = [step.revision for step in steps()]
    assert revisions == [f"{number:04}" for number in range(int(BASELINE), int(REVISION) + 1)]


def test_an_older_library_comes_up_to_date_and_loses_nothing(
    path: Path, tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.in_file(path, library_key)
    with database.read() as tx:
        before = contents(tx, tables(tx))
    database.close()
    assert all(len(rows) == len(ROWS) for rows in before.values()), "every table holds something"

    become_later(write_steps(tmp_path), monkeypatch)
    library = RedactionQueries(open_database(path, library_key))
    counts = library.counts()
    assert (counts.images, counts.faces, counts.people) == (2, 2, 2)
    assert library.database.sound()
    with library.database.read() as tx:
        assert missing(before, contents(tx, tables(tx))) == []
        assert tx.scalars(text("SELECT pixels FROM image ORDER BY id")).all() == [1, 4]
        assert tx.execute(text("PRAGMA foreign_key_check")).all() == []
    library.database.close()

    assert revision_of(path, library_key) == CONTRACT
    aside = tmp_path / f"library.db.before-{CONTRACT}"
    assert check_copy(aside, library_key) == 2 and revision_of(aside, library_key) == REVISION
    made = aside.stat().st_mtime_ns
    open_database(path, library_key).close()
    assert aside.stat().st_mtime_ns == made, "it is brought up to date only once"


def test_a_table_made_anew_keeps_what_refers_to_it_and_no_id_is_used_twice(
    path: Path, tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.in_file(path, library_key)
    with database.write() as tx:
        jobs = tx.execute(text("SELECT * FROM job WHERE place_id = 1")).all()
        tx.execute(text("DELETE FROM place WHERE id = 2"))
    become_later(write_steps(tmp_path), monkeypatch)
    migrator.upgrade(database)
    with database.write() as tx:
        assert tx.execute(text("SELECT * FROM job")).all() == jobs
        here = {"path": b"/photos/c.jpg", "host": ""}
        assert tx.execute(text(PLACE), here).one() == (3, "")
        assert tx.execute(text(PLACE), here | {"host": "other"}).one() == (4, "")
        with pytest.raises(IntegrityError):
            tx.execute(text(PLACE), here)
        tx.rollback()
    database.close()


def test_a_step_that_fails_changes_nothing(path: Path, tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = write_steps(tmp_path)
    [last] = (migrations / "versions").glob(f"v{CONTRACT}_*.py")
    last.write_text(last.read_text(encoding="utf-8") + "    raise RuntimeError\n", encoding="utf-8")
    become_later(migrations, monkeypatch)
    with pytest.raises(RuntimeError):
        open_database(path, library_key)
    monkeypatch.undo()
    assert revision_of(path, library_key) == REVISION
    database = open_database(path, library_key)
    with database.read() as tx:
        assert "comment" not in tables(tx).tables, f"{EXPAND} is undone too"
    database.close()
