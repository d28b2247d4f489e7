"""Every migration says which programs work after it, and the programs before an `expand` step really do."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import MetaData, insert, select, text

from agent.infrastructure.store import migrator
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import steps, works_from
from agent.infrastructure.store.schema import REVISION, SERVES_FROM, WORKS_FROM
from tests.process.store.test_migrations import filled, revisions, row, tables

EXPANDS = [step.revision for step in steps("0001") if step.kind == "expand"]
THIRD = 3


def test_each_step_is_marked_and_the_program_knows_the_oldest_that_works_beside_it() -> None:
    assert [step.revision for step in steps()] == revisions()
    assert {step.kind for step in steps()} == {"expand", "contract"}
    assert all(step.about for step in steps())
    assert all((step.works_from is None) == (step.kind == "expand") for step in steps())
    assert all("0001" < step.works_from <= step.revision for step in steps() if step.works_from is not None)
    assert works_from(steps()) == WORKS_FROM
    assert works_from(steps(REVISION)) is None
    assert [step.revision for step in steps() if not step.deferred][-1] == SERVES_FROM
    assert [step for step in steps() if step.deferred] == steps(SERVES_FROM), "deferred steps are the newest"


@pytest.mark.parametrize("revision", EXPANDS)
def test_what_the_program_before_reads_and_writes_still_works(
    revision: str, tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = f"{int(revision) - 1:04}"
    database = Database.in_file(tmp_path / "library.db", library_key)
    kept = filled(before, database, monkeypatch)
    with database.read() as tx:
        known = tables(tx)
    migrate(database, revision, monkeypatch)
    with database.write() as tx:
        for table in known.sorted_tables:
            tx.execute(insert(table), row(table, THIRD))
        found = {table.name: [dict(each) for each in tx.execute(select(table)).mappings()] for table in known.sorted_tables}
        assert tx.execute(text("PRAGMA foreign_key_check")).all() == []
        expect_superset(known, tables(tx))
    database.close()
    for name, rows in kept.items():
        assert len(found[name]) == len(rows) + 1
        assert [each for each in rows if each not in found[name]] == [], name


def migrate(database: Database, revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    to = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: to(config, revision))
        with database.write() as tx:
            migrator._migrate(tx)


def expect_superset(before: MetaData, after: MetaData) -> None:
    """Everything is still there, as it was; what is new in a known table needs no value."""
    for table in before.tables.values():
        now = after.tables[table.name]
        for column in table.columns:
            assert (str(now.columns[column.name].type), now.columns[column.name].nullable) == (str(column.type), column.nullable)
        for column in now.columns:
            assert column.name in table.columns or column.nullable or column.server_default is not None, f"{table.name}.{column.name}"
