"""procrastinate's tables: made, brought up to date by its own migrations, and part of the library's own transactions.

Deferring goes by procrastinate's SQL function, so that a batch exists exactly if its jobs are marked with its number.
"""

from collections.abc import Mapping
from importlib import resources

from sqlalchemy import Connection, insert, select, text, update

from agent.domain.jobs import Priority
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.schema import shared

TASK = "index_batch"
ASKED_QUEUE, PHOTO_QUEUE = "asked", "photos"
_DEFER = text("""
    SELECT (procrastinate_defer_jobs_v1(ARRAY[
        ROW(CAST(:queue AS varchar), CAST(:task AS varchar), CAST(:priority AS integer), NULL, NULL, CAST('{}' AS jsonb), NULL)
    ]::procrastinate_job_to_defer_v1[]))[1]
""")
_WAITING = text("SELECT priority, count(*) FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo' GROUP BY priority")
_DROP_WAITING = text("DELETE FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo'")
_DROP_ENDED = text("DELETE FROM procrastinate_jobs WHERE task_name = :task AND status NOT IN ('todo', 'doing')")
_DROP_LOST = text("""
    DELETE FROM procrastinate_jobs AS batch WHERE task_name = :task AND status = 'doing' AND NOT (id = ANY(:held)) AND NOT EXISTS (
        SELECT 1 FROM procrastinate_events WHERE job_id = batch.id AND type = 'started' AND at > now() - make_interval(secs => :after_s)
    )
""")
_RECALL_LOST = text("""
    UPDATE job SET batch = NULL WHERE state = 'queued' AND batch IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs WHERE id = job.batch AND status IN ('todo', 'doing')
    )
""")
# What was applied last is noted among what the server's processes share. Tables of which nothing is noted were made by 3.10.
NOTE = "work_queue"
FIRST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
_EXISTS = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")


def defer(tx: Connection, priority: int) -> int:
    """Add a batch; returns its number. A person's wishes have a queue of their own, so that they don't wait for a batch to end."""
    queue = ASKED_QUEUE if priority == Priority.ASKED else PHOTO_QUEUE
    number: int = tx.execute(_DEFER, {"queue": queue, "task": TASK, "priority": -priority}).scalar_one()
    return number


def waiting(tx: Connection) -> dict[int, int]:
    """Return how many batches of each priority no worker has taken yet."""
    return {-priority: count for priority, count in tx.execute(_WAITING, {"task": TASK})}


def drop_waiting(tx: Connection) -> None:
    tx.execute(_DROP_WAITING, {"task": TASK})


def drop_ended(tx: Connection) -> None:
    tx.execute(_DROP_ENDED, {"task": TASK})


def drop_lost(tx: Connection, held: list[int], after_s: float) -> int:
    """Drop batches that were taken some time ago, and that no worker says it holds; then take back their jobs. Return the jobs' number.

    This asks the workers rather than procrastinate's heartbeats: those don't tell a restarted worker from the one before.
    """
    tx.execute(_DROP_LOST, {"task": TASK, "held": held, "after_s": after_s})
    return tx.execute(_RECALL_LOST).rowcount


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
