"""What the figures for Prometheus ask of PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from agent.app.server.metrics import database as figures_of_database
from agent.app.server.metrics.database import FigureQueries
from agent.app.server.metrics.library import families_of
from agent.domain.errors import ImageTruncated
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.schema import member
from agent.server.backups.runs import RunKind, RunQueries
from agent.server.workers.queries.work_queue import prepare
from tests.support.postgres_server import ON_SERVER, clear

pytestmark = pytest.mark.skipif(not ON_SERVER, reason="PostgreSQL's programs are installed on Linux alone")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def database(on_server: Database) -> Iterator[Database]:
    prepare(on_server)
    yield on_server
    clear(on_server)


def figures(database: Database, repositories: tuple[str, ...] = ("local",)) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families_of(FigureQueries(database).rows(), repositories)
        for sample in family.samples
    }


def test_an_empty_library_has_all_figures(database: Database) -> None:
    found = figures(database)
    assert found["ai_popup_images",] == found["ai_popup_faces",] == found["ai_popup_sessions",] == 0
    assert found["ai_popup_queue", "queued"] == found["ai_popup_queue_oldest_seconds", "asked"] == 0
    assert found["ai_popup_table_bytes", "image"] >= 0 and found["ai_popup_index_bytes", "image"] > 0
    assert found["ai_popup_database_connections", "active"] >= 1 and found["ai_popup_database_connections_limit",] == 50
    assert found["ai_popup_database_bytes",] > 1_000_000 and found["ai_popup_database_standby",] == 0


def test_the_queue_is_told_by_state_and_age(database: Database) -> None:
    library = RedactionQueries(database)
    for name, priority in (("a", Priority.NEW), ("b", Priority.ASKED), ("c", Priority.ASKED)):
        library.note_file(FileSeen(f"/photos/{name}", 10, 1, "/photos"), Recipe("centerface-2"), priority=priority, now=NOW)
    [job], _ = library.lease(1, now=NOW, until=NOW)
    library.fail(job, JobState.FAILED, ImageTruncated(), now=NOW)
    found = figures(database)
    assert (found["ai_popup_queue", "queued"], found["ai_popup_queue", "failed"]) == (2, 1)
    assert (found["ai_popup_queue_waiting", "asked"], found["ai_popup_queue_waiting", "new"]) == (1, 1)
    assert found["ai_popup_queue_oldest_seconds", "new"] == pytest.approx((datetime.now(UTC) - NOW).total_seconds(), abs=100)
    assert found["ai_popup_queue_oldest_seconds", "backlog"] == 0


def test_a_big_table_is_estimated(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write() as tx:
        tx.execute(text("INSERT INTO event (at, payload) SELECT 0, '{}' FROM generate_series(1, 500)"))
    assert figures(database)["ai_popup_events",] == 500
    with database.write() as tx:
        tx.execute(text("ANALYZE event"))
    monkeypatch.setattr(figures_of_database, "EXACT_BELOW", 100)
    assert figures(database)["ai_popup_events",] == 500


def test_no_label_tells_of_a_photo_or_a_person(database: Database) -> None:
    RedactionQueries(database).note_file(
        FileSeen("/photos/mei.jpg", 10, 1, "/photos"), Recipe("centerface-2"), priority=Priority.NEW, now=NOW
    )
    assert not any("photos" in word or "mei" in word for key in figures(database) for word in key[1:])


def test_the_last_good_backup_counts_and_the_last_outcome(database: Database) -> None:
    queries, now = RunQueries(database), datetime.now(UTC)
    for hours, code in ((30, ""), (2, "backup.failed")):
        run = queries.begin(RunKind.DATABASE, "local", now - timedelta(hours=hours))
        queries.end(run, now - timedelta(hours=hours), code=code)
    found = figures(database)
    assert found["ai_popup_backup_age_seconds", "database", "local"] == pytest.approx(30 * 3_600, abs=100)
    assert found["ai_popup_backup_failed", "database", "local"] == 1
    assert "ai_popup_backup_age_seconds" not in {key[0] for key in figures(database, ())}, "a repository that is no longer used"


def test_members_are_counted_by_the_state_that_the_page_shows(database: Database) -> None:
    with database.write() as tx:
        for name, password, locked in (("a", "hash", None), ("b", None, None), ("c", None, NOW)):
            tx.execute(
                insert(member).values(
                    id=name * 32, name=name, display_name=name, role="viewer", password_hash=password, locked_at=locked, created_at=NOW
                )
            )
    found = figures(database)
    assert {state: found["ai_popup_members", "viewer", state] for state in ("active", "invited", "locked")} == {
        "active": 1,
        "invited": 1,
        "locked": 1,
    }
