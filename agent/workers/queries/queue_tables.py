"""procrastinate's own tables: made once, and brought up to date by its own migrations when a later version comes with some."""

from collections.abc import Mapping
from importlib import resources

from sqlalchemy import Connection, insert, select, text, update

from agent.store.database import Database
from agent.store.schema import shared

# What was applied last is noted among what the server's processes share. Tables of which nothing is noted were made by 3.10.
NOTE = "work_queue"
FIRST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
_EXISTS = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")


def prepare(database: Database) -> None:
    """Make the tables, or apply each migration that they lack, in a transaction of its own. Raises StoreError."""
    migrations = migrations_there()
    while _step(database, migrations):
        pass


def migrations_there() -> dict[str, str]:
    """Return the installed version's migrations, by their names, in order."""
    folder = resources.files("procrastinate") / "sql" / "migrations"
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(".sql"))
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


def _step(database: Database, migrations: Mapping[str, str]) -> bool:
    """Apply the next one; return whether there may be more. Servers that start at once take turns."""
    with database.write(durable=True) as tx:
        if not tx.scalar(_EXISTS):
            _run(tx, (resources.files("procrastinate") / "sql" / "schema.sql").read_text(encoding="utf-8"))
            _note(tx, max(migrations))
            return False
        applied = _noted(tx)
        left = [name for name in migrations if name > (applied or FIRST)]
        if left:
            _run(tx, migrations[left[0]])
        if left or applied is None:
            _note(tx, left[0] if left else FIRST)
        return len(left) > 1


def _run(tx: Connection, statements: str) -> None:
    driver = tx.connection.driver_connection
    assert driver is not None
    driver.execute(statements)  # the driver's own, which takes several statements, and a "%" as it is


def _noted(tx: Connection) -> str | None:
    content = tx.scalar(select(shared.c.content).where(shared.c.name == NOTE))
    return None if content is None else str(content["migration"])


def _note(tx: Connection, migration: str) -> None:
    content = {"migration": migration}
    if not tx.execute(update(shared).where(shared.c.name == NOTE).values(content=content)).rowcount:
        tx.execute(insert(shared).values(name=NOTE, version=1, content=content))
