"""Every migration says which programs work after it, and the programs before an `expand` step really do."""

from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert, text

from agent.infrastructure.store import migrator
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import steps, works_from
from agent.infrastructure.store.schema import BASELINE, REVISION, SERVES_FROM, WORKS_FROM
from scripts.earlier_libraries import releases
from tests.support.filled_schema import contents, row, tables
from tests.support.later_schema import CONTRACT, EXPAND, become_later, write_steps
from tests.support.made_releases import copied_library

OLDEST = releases()[-1]
EXPANDS = [step.revision for step in steps(OLDEST.revision) if step.kind == "expand"]
THIRD = 3


def test_each_step_is_marked_and_the_program_knows_the_oldest_that_works_beside_it() -> None:
    assert steps()[0].revision == BASELINE
    assert {step.kind for step in steps()} <= {"expand", "contract"}
    assert all(step.about for step in steps())
    assert all((step.works_from is None) == (step.kind == "expand") for step in steps())
    assert all(BASELINE <= step.works_from <= step.revision for step in steps() if step.works_from is not None)
    assert (works_from(steps()) or BASELINE) == WORKS_FROM
    assert works_from(steps(REVISION)) is None
    assert [step.revision for step in steps() if not step.deferred][-1] == SERVES_FROM
    assert [step for step in steps() if step.deferred] == steps(SERVES_FROM), "deferred steps are the newest"


def test_steps_after_the_newest_are_read_as_they_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    become_later(write_steps(tmp_path), monkeypatch)
    expand, contract = steps(REVISION)
    assert (expand.revision, expand.kind, expand.works_from, expand.deferred) == (EXPAND, "expand", None, False)
    assert (contract.revision, contract.kind, contract.works_from, contract.deferred) == (CONTRACT, "contract", EXPAND, True)
    assert works_from([expand]) is None
    assert works_from([expand, contract]) == EXPAND


@pytest.mark.parametrize("revision", [*EXPANDS, EXPAND])
def test_what_the_program_before_reads_and_writes_still_works(revision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    become_later(write_steps(tmp_path), monkeypatch)
    before = [step.revision for step in steps() if step.revision < revision][-1]
    database = copied_library(OLDEST, tmp_path)
    migrate(database, before)
    with database.read() as tx:
        known = tables(tx)
        kept = contents(tx, known)
    migrate(database, revision)
    with database.write() as tx:
        for table in known.sorted_tables:
            tx.execute(insert(table), row(table, THIRD))
        found = contents(tx, known)
        assert tx.execute(text("PRAGMA foreign_key_check")).all() == []
        expect_superset(known, tables(tx))
    database.close()
    for name, rows in kept.items():
        assert len(found[name]) == len(rows) + 1
        assert [each for each in rows if each not in found[name]] == [], name


def migrate(database: Database, revision: str) -> None:
    with database.write() as tx:
        migrator._migrate(tx, revision)


def expect_superset(before: MetaData, after: MetaData) -> None:
    """Everything is still there, as it was; what is new in a known table needs no value."""
    for table in before.tables.values():
        now = after.tables[table.name]
        for column in table.columns:
            assert (str(now.columns[column.name].type), now.columns[column.name].nullable) == (str(column.type), column.nullable)
        for column in now.columns:
            assert column.name in table.columns or column.nullable or column.server_default is not None, f"{table.name}.{column.name}"
