"""procrastinate's tables, where they take part in the library's own transactions.

Deferring goes by procrastinate's SQL function, so that a batch exists exactly if its jobs are marked with its number.
"""

from sqlalchemy import Connection, text

from agent.domain.jobs import Priority

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
