"""Uploads over each dialect: what is told of those of others, and of other libraries."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from agent.domain.errors import UploadGone
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.row_security import secure
from agent.infrastructure.store.schema import library
from agent.server.uploads.queries import UploadQueries
from agent.server.uploads.records import Outcome, Room, Upload

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
MEI, BEN = "a" * 32, "b" * 32
SHA = "f" * 64
UPLOAD = Upload("1" * 32, MEI, None, "a.jpg", 100, 5, NOW, NOW + timedelta(days=2))


@pytest.fixture
def uploads(database: Database) -> Iterator[UploadQueries]:
    upgrade(database)
    yield UploadQueries(database)
    database.close()


def test_an_upload_is_its_members_alone_and_ends_once(uploads: UploadQueries) -> None:
    uploads.add(UPLOAD)
    uploads.add(replace(UPLOAD, id="2" * 32, member=BEN, size=30))
    assert uploads.upload(UPLOAD.id, MEI) == UPLOAD and uploads.unfinished(MEI) == [UPLOAD]
    with pytest.raises(UploadGone):
        uploads.upload(UPLOAD.id, BEN)
    assert uploads.room() == Room(unfinished=130, stored=0)
    uploads.plan(UPLOAD.id, SHA, "/uploads/a.jpg")
    for _ in range(2):
        uploads.end(UPLOAD.id, Outcome.STORED, SHA, NOW)
    uploads.drop(UPLOAD.id)  # only what is unfinished
    assert uploads.upload(UPLOAD.id, MEI) == replace(UPLOAD, sha256=SHA, target="/uploads/a.jpg", outcome=Outcome.STORED)
    assert uploads.room() == Room(unfinished=30, stored=100)
    assert len(AuditQueries(uploads.database).audit_entries(limit=9)) == 1


def test_of_another_library_nothing_is_told(uploads: UploadQueries) -> None:
    with uploads.database.write() as tx:
        if uploads.database.is_shared:
            secure(tx)
        tx.execute(insert(library), [{"id": number, "name": str(number), "created_at": NOW} for number in (1, 2)])
    mine = replace(UPLOAD, library=1)
    with reaching(AccessScope(frozenset({1}))):
        uploads.add(mine)
        uploads.plan(mine.id, SHA, "/uploads/a.jpg")
        assert uploads.same_content(SHA, 1) == (None, ["/uploads/a.jpg"]), "its file may be there"
        uploads.end(mine.id, Outcome.STORED, SHA, NOW)
        assert uploads.same_content(SHA, 1) == (None, ["/uploads/a.jpg"])
    assert uploads.same_content(SHA, 2) == (None, [])
    if uploads.database.is_shared:
        with reaching(AccessScope(frozenset({2}))):
            assert uploads.room() == Room(0, 0)
            with pytest.raises(UploadGone):
                uploads.upload(mine.id, MEI)
