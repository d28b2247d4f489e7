"""What the database tells of the library, its queue and itself: sizes and estimates, and counts of what is few.

Nothing here counts a big table: those of photos and faces are estimated by PostgreSQL, unless they are small. Counts that grow with
the work, such as the queue's, are asked again only after a hundred times what they took.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

from agent.infrastructure.store.database import Queries

EXACT_BELOW: Final = 10_000
LIMIT_MS: Final = 5_000
_BIG: Final = {"images": "image", "faces": "face", "face_prints": "embedding", "people": "person", "events": "event"}

_LIMIT: Final = text(f"SET LOCAL statement_timeout = {LIMIT_MS}")
_TABLES: Final = text("""
    SELECT c.relname AS name, pg_table_size(c.oid) AS size, pg_indexes_size(c.oid) AS indexes,
        CASE WHEN coalesce(s.n_live_tup, 0) > 0 THEN s.n_live_tup ELSE greatest(c.reltuples, 0) END AS rows,
        coalesce(s.n_dead_tup, 0) AS dead
    FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
""")
_DATABASE: Final = text("""
    SELECT pg_database_size(current_database()) AS size, xact_commit, xact_rollback, deadlocks, blks_hit, blks_read,
        current_setting('max_connections')::int AS most, pg_is_in_recovery() AS standby
    FROM pg_stat_database WHERE datname = current_database()
""")
_CONNECTIONS: Final = text("""
    SELECT coalesce(state, 'background') AS state, count(*) AS number FROM pg_stat_activity
    WHERE datname = current_database() GROUP BY 1
""")
_ARCHIVER: Final = text("""
    SELECT failed_count, extract(epoch FROM last_archived_time) AS last,
        coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) AS failing,
        current_setting('archive_mode') <> 'off' AS is_on
    FROM pg_stat_archiver
""")
_NOW_US: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
_JOBS: Final = text(f"""
    SELECT state, priority, count(*) AS number, ({_NOW_US} - min(changed_at)) / 1e6 AS age
    FROM job WHERE state <> 'done' GROUP BY state, priority
""")
_BATCHES: Final = text("SELECT queue_name AS queue, status, count(*) AS number FROM procrastinate_jobs GROUP BY 1, 2")
_COPIES: Final = text("SELECT state, count(*) AS number FROM redaction_item GROUP BY state")
_WORKERS: Final = text(f"""
    SELECT state, count(*) AS number, sum(rate) AS rate, max(({_NOW_US} - seen_at) / 1e6) AS silent FROM worker GROUP BY state
""")
_CONSENTS: Final = text("""
    SELECT purpose, state, count(*) AS number FROM (
        SELECT DISTINCT ON (person_uid, purpose) purpose,
            CASE WHEN state = 'given' AND valid_until < current_date THEN 'ended' ELSE state END AS state
        FROM consent ORDER BY person_uid, purpose, id DESC
    ) AS said GROUP BY 1, 2
""")
_INCIDENTS: Final = text("SELECT severity, state, count(*) AS number FROM incident WHERE state <> 'closed' GROUP BY 1, 2")
_MEMBERS: Final = text("""
    SELECT role, CASE
        WHEN locked_at IS NOT NULL THEN 'locked'
        WHEN password_hash IS NOT NULL OR EXISTS (SELECT FROM passkey WHERE member_id = member.id)
            OR EXISTS (SELECT FROM provider_link WHERE member_id = member.id) THEN 'active'
        ELSE 'invited' END AS state, count(*) AS number
    FROM member GROUP BY 1, 2
""")
_SESSIONS: Final = text("SELECT count(*) FROM member_session")
_UPLOADS: Final = text("SELECT count(*) AS number, coalesce(sum(size), 0) AS size FROM upload WHERE outcome IS NULL")

_BACKUPS: Final = text(f"""
    SELECT kind, repository, ({_NOW_US} - max(ended_at) FILTER (WHERE code = '')) / 1e6 AS age,
        (array_agg(code ORDER BY id DESC))[1] <> '' AS failed
    FROM backup_run WHERE ended_at IS NOT NULL GROUP BY 1, 2
""")


@dataclass(frozen=True, slots=True)
class Rows:
    """The answers to the questions above, one mapping per row."""

    tables: list[Mapping[str, Any]]
    database: Mapping[str, Any]
    connections: list[Mapping[str, Any]]
    archiver: Mapping[str, Any]
    estimates: Mapping[str, float]  # of `_BIG`, by what they are
    jobs: list[Mapping[str, Any]]
    batches: list[Mapping[str, Any]]
    copies: list[Mapping[str, Any]]
    workers: list[Mapping[str, Any]]
    consents: list[Mapping[str, Any]]
    incidents: list[Mapping[str, Any]]
    members: list[Mapping[str, Any]]
    sessions: int
    uploads: Mapping[str, Any]
    backups: list[Mapping[str, Any]]


class FigureQueries(Queries):
    def rows(self) -> Rows:
        """All answers, of one moment. Raises StoreError, also if the database is too slow for figures."""
        with self.database.read() as tx:
            tx.execute(_LIMIT)
            tables = _all(tx, _TABLES)
            return Rows(
                tables=tables,
                database=_all(tx, _DATABASE)[0],
                connections=_all(tx, _CONNECTIONS),
                archiver=_all(tx, _ARCHIVER)[0],
                estimates={name: _rows_of(tx, table, tables) for name, table in _BIG.items()},
                jobs=_all(tx, _JOBS),
                batches=_all(tx, _BATCHES),
                copies=_all(tx, _COPIES),
                workers=_all(tx, _WORKERS),
                consents=_all(tx, _CONSENTS),
                incidents=_all(tx, _INCIDENTS),
                members=_all(tx, _MEMBERS),
                sessions=tx.execute(_SESSIONS).scalar_one(),
                uploads=_all(tx, _UPLOADS)[0],
                backups=_all(tx, _BACKUPS),
            )


def _all(tx: Connection, question: Any) -> list[Mapping[str, Any]]:
    return [dict(row) for row in tx.execute(question).mappings()]


def _rows_of(tx: Connection, table: str, tables: list[Mapping[str, Any]]) -> float:
    """How many rows a table has: exactly if they are few, otherwise as PostgreSQL estimates."""
    counted = tx.execute(text(f"SELECT count(*) FROM (SELECT FROM {table} LIMIT {EXACT_BELOW}) AS few")).scalar_one()
    if counted < EXACT_BELOW:
        return float(counted)
    estimate = next((float(each["rows"]) for each in tables if each["name"] == table), 0.0)
    return max(float(EXACT_BELOW), estimate)
