"""procrastinate's tables follow its version: what a server made earlier gets the later migrations when it starts."""

import pytest
from sqlalchemy import text

from agent.infrastructure.store.database import Database
from agent.server.workers.queries import work_queue
from agent.server.workers.queries.work_queue import FIRST, migrations_there, prepare
from tests.server.workers.conftest import Team

NEXT = "99.00.00_01_pre_made_up.sql"
AFTER = "99.00.00_50_post_made_up.sql"


def noted(database: Database) -> str:
    with database.read() as tx:
        return str(tx.scalar(text("SELECT content ->> 'migration' FROM shared WHERE name = 'work_queue'")))


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A later version's migrations; "%" is nothing special in them."""
    made = {
        **migrations_there(),
        NEXT: "CREATE TABLE made_up (name text); INSERT INTO made_up VALUES ('50 %s');",
        AFTER: "UPDATE made_up SET name = name || '!';",
    }
    monkeypatch.setattr(work_queue, "migrations_there", lambda: made)
    return made


async def test_new_tables_are_up_to_date(team: Team) -> None:
    assert noted(team.database) == max(migrations_there()) >= FIRST


async def test_each_later_migration_is_applied_once_in_order(team: Team, newer: dict[str, str]) -> None:
    for _ in range(2):
        prepare(team.database)
        assert noted(team.database) == AFTER
        with team.database.read() as tx:
            assert tx.execute(text("SELECT name FROM made_up")).scalars().all() == ["50 %s!"]


async def test_one_that_was_interrupted_is_continued(team: Team, newer: dict[str, str]) -> None:
    newer[AFTER] = "SELECT nothing_of_that_name;"
    with pytest.raises(Exception, match="nothing_of_that_name"):
        prepare(team.database)
    assert noted(team.database) == NEXT
    newer[AFTER] = "DROP TABLE made_up;"
    prepare(team.database)
    assert noted(team.database) == AFTER


async def test_tables_made_before_anything_was_noted_get_what_came_later(team: Team, newer: dict[str, str]) -> None:
    with team.database.write() as tx:
        tx.execute(text("DELETE FROM shared WHERE name = 'work_queue'"))
    prepare(team.database)
    assert noted(team.database) == AFTER


async def test_an_older_version_leaves_a_newer_one_s_tables(team: Team) -> None:
    with team.database.write() as tx:
        tx.execute(text("UPDATE shared SET content = '{\"migration\": \"98\"}' WHERE name = 'work_queue'"))
    prepare(team.database)
    assert noted(team.database) == "98"
