"""After a restore, uploads whose files are not in the backup can be sent again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from agent.app.server.backups import notice_earlier
from agent.features.people.queries.people_queries import PeopleQueries
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.schema import place, upload
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.server.uploads.queries import UploadQueries
from agent.server.uploads.records import Outcome

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_library(tmp_path / "library", FileSecretStore(tmp_path / "keys"))
    yield made
    made.close()


def stored(database: Database, path: Path, *, deleted: bool = False) -> str:
    """An upload that was stored and scanned; returns its digest."""
    sha256 = path.name * 64
    times = {"created_at": NOW, "expires_at": NOW, "ended_at": NOW}
    row = {"id": path.name * 32, "member": "", "name": path.name, "size": 5, "sha256": sha256, "target": str(path)}
    at = {"source": "file", "host": "", "path": str(path), "size": 5, "mtime_ns": 0, "noted_at": NOW}
    with database.write() as tx:
        tx.execute(insert(upload).values(**row, **times, outcome=Outcome.STORED, token="d" * 32))
        add(tx, place, at | {"missing_since": NOW if deleted else None})
    return sha256


def known(database: Database) -> set[str]:
    with database.read() as tx:
        return set(tx.scalars(select(upload.c.sha256)))


def missing(database: Database) -> set[str]:
    with database.read() as tx:
        return {Path(path).name for path in tx.scalars(select(place.c.path).where(place.c.missing_since.is_not(None)))}


def test_uploads_are_forgotten_whose_files_the_restore_did_not_bring_back(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"there")
    there, lost = stored(database, tmp_path / "a"), stored(database, tmp_path / "b")
    deleted = stored(database, tmp_path / "c", deleted=True)
    notice_earlier(database, AuditAnchor(tmp_path / "library"), NOW)
    assert known(database) == {there, deleted}, "what the team deleted is not sent again"
    assert missing(database) == {"b", "c"}
    assert UploadQueries(database).same_content(lost, None) == (None, [])


def test_without_a_restore_no_upload_is_forgotten(database: Database, tmp_path: Path) -> None:
    queries, witness = UploadQueries(database), AuditAnchor(tmp_path / "library")
    lost = stored(database, tmp_path / "b")
    people = PeopleQueries(database)
    for _ in range(2):
        people.audit_add("backup_done", None, 1, NOW)
    witness.follow(people)
    notice_earlier(database, witness, NOW)
    assert known(database) == {lost} and missing(database) == set()
    assert queries.same_content(lost, None) == (None, [str(tmp_path / "b")])
