"""A library of any earlier schema, with rows in every table, comes up to date and loses nothing."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Boolean, Connection, Date, LargeBinary, MetaData, String, Table, TypeDecorator, insert, select, text

from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store import migrator
from agent.infrastructure.store.backup import check_copy
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import open_database, revision_of
from agent.infrastructure.store.schema import REVISION

ROWS = (1, 2)
# What only some values may stand in. All else is filled by its type.
VALUES: Mapping[str, Any] = {
    "landmarks": [[1, 1]] * 5,
    "payload": {"kind": "images_purged", "count": 1},
    "state": "queued",
    "certainty": "certain",
    "action": "hide",
    "image_ids": [1, 2],
    "changes": [],
    "error_params": {},
    "wish": {},
    "facts": {},
    "synced": True,
    "missing_since": None,
    "left_at": None,
    "hidden_at": None,
    "never_at": None,
    "undone_at": None,
    "lease_until": None,
}
# A step took these apart and put them together anew: as many must be there, not the same.
REMADE = {("undo", "0002")}


def revisions() -> list[str]:
    """All, the oldest first."""
    config = Config()
    config.set_main_option("script_location", str(migrator._MIGRATIONS).replace("%", "%%"))
    return [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def migrated_to(revision: str, path: Path, key: bytes, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """A library as that version left it, with rows; gives them by table."""
    database = Database.in_file(path, key)
    kept = filled(revision, database, monkeypatch)
    database.close()
    return kept


def filled(
    revision: str, database: Database, monkeypatch: pytest.MonkeyPatch, typed: Callable[[MetaData], MetaData] = lambda found: found
) -> dict[str, list[dict[str, Any]]]:
    """A library of that revision, with rows in every table; `typed` says how the program writes its columns."""
    to = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: to(config, revision))
        with database.write() as tx:
            migrator._migrate(tx)
    with database.write() as tx:
        found = typed(tables(tx))
        for table in found.sorted_tables:
            tx.execute(insert(table), [row(table, number) for number in ROWS])
        return contents(tx, found)


def tables(tx: Connection) -> MetaData:
    found = MetaData()
    found.reflect(tx, only=lambda name, _: name != "alembic_version")
    return found


def contents(tx: Connection, found: MetaData) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, in the order of its key."""
    return {
        table.name: [dict(each) for each in tx.execute(select(table).order_by(*table.primary_key.columns)).mappings()]
        for table in found.sorted_tables
    }


def row(table: Table, number: int) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for column in table.columns:
        kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
        if column.name in VALUES:
            filled[column.name] = VALUES[column.name]
        elif isinstance(kind, Boolean):
            filled[column.name] = number == 1
        elif isinstance(kind, JSON):
            filled[column.name] = json.loads("[]")
        elif isinstance(kind, LargeBinary):
            filled[column.name] = f"/photos/{column.name}{number}.jpg".encode()
        elif isinstance(kind, Date):
            filled[column.name] = date(2001, 2, number)
        elif isinstance(kind, String):
            [named, *_] = [each.column.name for each in column.foreign_keys] or [column.name]
            filled[column.name] = f"{named} {number}"
        else:
            filled[column.name] = number
    return filled


def test_every_step_follows_the_one_before_and_the_last_is_the_programs() -> None:
    assert revisions() == [f"{number:04}" for number in range(1, len(revisions()) + 1)]
    assert revisions()[-1] == REVISION


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_an_older_library_comes_up_to_date_and_loses_nothing(
    revision: str, tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "library.db"
    before = migrated_to(revision, path, library_key, monkeypatch)
    assert all(len(rows) == len(ROWS) for rows in before.values()), "every table of that schema holds something"

    library = RedactionQueries(open_database(path, library_key))
    counts = library.counts()
    assert (counts.images, counts.faces, counts.people) == (2, 2, 2)
    assert library.database.sound()
    images = [library.image(number) for number in ROWS]
    assert [image.sha256 for image in images if image is not None] == ["sha256 1", "sha256 2"]
    library.database.close()

    assert revision_of(path, library_key) == REVISION
    database = Database.in_file(path, library_key)
    with database.read() as tx:
        after = contents(tx, tables(tx))
        assert tx.execute(text("PRAGMA foreign_key_check")).all() == []
    database.close()
    for table, rows in before.items():
        if (table, revision) in REMADE:
            assert len(after[table]) == len(rows)
            continue
        shared = [{name: value for name, value in now.items() if name in rows[0]} for now in after[table]]
        assert shared == rows, table
    aside = tmp_path / f"library.db.before-{REVISION}"
    assert check_copy(aside, library_key) == 2 and revision_of(aside, library_key) == revision


def test_a_library_is_brought_up_to_date_only_once(tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "library.db"
    migrated_to("0001", path, library_key, monkeypatch)
    open_database(path, library_key).close()
    aside = path.with_name(f"library.db.before-{REVISION}")
    made = aside.stat().st_mtime_ns
    open_database(path, library_key).close()
    assert aside.stat().st_mtime_ns == made
