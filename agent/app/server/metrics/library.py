"""The families that come from the database."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from prometheus_client.core import Metric

from agent.app.metric_families.families import counter, gauge, gauges
from agent.app.server.metrics.database import Rows
from agent.domain.jobs import Priority
from agent.server.workers.records import WorkerState

_PRIORITIES: Final = {int(each): each.name.lower() for each in Priority}
_STATES: Final = ("queued", "leased", "failed", "deferred", "quarantined")


def families_of(rows: Rows, repositories: Collection[str]) -> Iterator[Metric]:
    """`repositories` are those that backups go to now; what is known of others is past."""
    yield from _library(rows)
    yield from _work(rows)
    yield from _people(rows)
    yield from _backups([each for each in rows.backups if each["repository"] in repositories])
    yield from _database(rows)


def _library(rows: Rows) -> Iterator[Metric]:
    texts = {
        "images": "Images in the library; large numbers are estimates.",
        "faces": "Faces in the library; large numbers are estimates.",
        "face_prints": "Stored face prints; large numbers are estimates.",
        "people": "PeopleEditor in the library.",
        "events": "Rows of the log of events; large numbers are estimates.",
    }
    for name, text in texts.items():
        yield gauge(f"ai_popup_{name}", text, rows.estimates[name])
    yield gauge("ai_popup_uploads_unfinished", "Uploads under way or broken off.", rows.uploads["number"])
    yield gauge("ai_popup_uploads_unfinished_bytes", "Their size when complete.", rows.uploads["size"])


def _work(rows: Rows) -> Iterator[Metric]:
    by_state = dict.fromkeys(_STATES, 0.0)
    waiting, oldest = (dict.fromkeys(_PRIORITIES.values(), 0.0) for _ in range(2))
    for each in rows.jobs:
        by_state[each["state"]] = by_state.get(each["state"], 0.0) + each["number"]
        if each["state"] == "queued":
            priority = _PRIORITIES.get(each["priority"], "backlog")
            waiting[priority] += each["number"]
            oldest[priority] = max(oldest[priority], float(each["age"]))
    yield gauges("ai_popup_queue", "Jobs by state, without those that are done.", ["state"], _keyed(by_state))
    yield gauges("ai_popup_queue_waiting", "Waiting jobs by priority.", ["priority"], _keyed(waiting))
    yield gauges("ai_popup_queue_oldest_seconds", "How long the oldest job waits, by priority.", ["priority"], _keyed(oldest))
    yield gauges("ai_popup_batches", "Batches in the work queue.", ["queue", "status"], _counted(rows.batches, "queue", "status"))
    yield gauges("ai_popup_redactions", "Redacted copies by state.", ["state"], _counted(rows.copies, "state"))
    workers = {(each.value,): 0.0 for each in WorkerState} | _counted(rows.workers, "state")
    yield gauges("ai_popup_workers", "Workers by state.", ["state"], workers)
    living = [each for each in rows.workers if each["state"] != "gone"]
    yield gauge("ai_popup_workers_rate", "Photos per minute of all workers.", sum(float(each["rate"]) for each in living))
    silent = max((float(each["silent"]) for each in living), default=0.0)
    yield gauge("ai_popup_workers_silent_seconds", "Longest time since a running worker was heard of.", silent)


def _people(rows: Rows) -> Iterator[Metric]:
    consents = _counted(rows.consents, "purpose", "state")
    yield gauges("ai_popup_consents", "Consents by purpose and state: given, ended or withdrawn.", ["purpose", "state"], consents)
    incidents = _counted(rows.incidents, "severity", "state")
    yield gauges("ai_popup_incidents", "Incidents that are not closed.", ["severity", "state"], incidents)
    yield gauges("ai_popup_members", "Members by role.", ["role", "state"], _counted(rows.members, "role", "state"))
    yield gauge("ai_popup_sessions", "Sessions that members have open.", rows.sessions)


def _backups(runs: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    ages = {(each["kind"], each["repository"]): float(each["age"]) for each in runs if each["age"] is not None}
    text = "Time since the last good backup of the database or of files, or the last good drill."
    yield gauges("ai_popup_backup_age_seconds", text, ["kind", "repository"], ages)
    failed = {(each["kind"], each["repository"]): float(each["failed"]) for each in runs}
    yield gauges("ai_popup_backup_failed", "1 if the last backup or drill failed.", ["kind", "repository"], failed)


def _database(rows: Rows) -> Iterator[Metric]:
    database = rows.database
    sizes = {(each["name"],): float(each["size"]) for each in rows.tables}
    indexes = {(each["name"],): float(each["indexes"]) for each in rows.tables}
    dead = {(each["name"],): float(each["dead"]) for each in rows.tables}
    yield gauges("ai_popup_table_bytes", "Size of each table without its indexes.", ["table"], sizes)
    yield gauges("ai_popup_index_bytes", "Size of each table's indexes.", ["table"], indexes)
    yield gauges("ai_popup_table_dead_rows", "Rows that a vacuum will remove.", ["table"], dead)
    yield gauge("ai_popup_database_bytes", "Size of the database.", database["size"])
    connections = _counted(rows.connections, "state")
    yield gauges("ai_popup_database_connections", "Connections to the database by state.", ["state"], connections)
    yield gauge("ai_popup_database_connections_limit", "Most connections that the database takes.", database["most"])
    yield gauge("ai_popup_database_standby", "1 if the database is a standby, which takes no writes.", float(database["standby"]))
    yield counter("ai_popup_database_commits", "Transactions that were committed.", database["xact_commit"])
    yield counter("ai_popup_database_rollbacks", "Transactions that were rolled back.", database["xact_rollback"])
    yield counter("ai_popup_database_deadlocks", "Deadlocks.", database["deadlocks"])
    yield counter("ai_popup_database_cache_hits", "Blocks found in the database's memory.", database["blks_hit"])
    yield counter("ai_popup_database_disk_reads", "Blocks read from disk.", database["blks_read"])
    archiver = rows.archiver
    yield counter("ai_popup_wal_archive_failures", "Failed attempts to archive the database's log.", archiver["failed_count"])
    failing = bool(archiver["is_on"]) and bool(archiver["failing"])
    yield gauge("ai_popup_wal_archive_failing", "1 if the log is to be archived and the last attempt failed.", float(failing))
    last = {} if archiver["last"] is None else {(): float(archiver["last"])}
    yield gauges("ai_popup_wal_archived_timestamp_seconds", "When a part of the log was archived last.", [], last)


def _keyed(values: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(key,): value for key, value in values.items()}


def _counted(rows: Iterable[Mapping[str, Any]], *labels: str) -> dict[tuple[str, ...], float]:
    found: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for row in rows:
        found[_labels(row, labels)] += float(row["number"])
    return dict(found)


def _labels(row: Mapping[str, Any], labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row[label]) for label in labels)
