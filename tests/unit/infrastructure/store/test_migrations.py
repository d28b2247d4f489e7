"""A library of an earlier version keeps all it holds when it is brought up to date."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from agent.features.library.records import Shown
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store import migrator
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import open_database
from agent.infrastructure.store.schema import REVISION

PHOTO_NS = 1_700_000_000_500_000_000


def fill(tx: Connection) -> None:
    """Three images of a library 0001: with two faces in two files, without a face, and one whose files are gone."""
    image = (
        "INSERT INTO image (id, sha256, size, width, height, format, detector, precision, ms_decode, ms_detect, ms_align, ms_embed,"
        " indexed_at) VALUES (:id, :sha256, 9, 300, 200, 'jpeg', 'centerface-1', 'f32', 1, 2, 3, 4, 1700000009000000)"
    )
    tx.execute(text(image), [{"id": number, "sha256": str(number) * 64} for number in (1, 2, 3)])
    place = "INSERT INTO place (id, path, size, mtime_ns, image_id, noted_at) VALUES (:id, :path, 9, :ns, :image, 1)"
    files = [
        {"id": 1, "path": b"/photos/b.jpg", "ns": PHOTO_NS + 10**15, "image": 1},
        {"id": 2, "path": b"/photos/a.jpg", "ns": PHOTO_NS, "image": 1},
        {"id": 3, "path": b"/photos/c.jpg", "ns": 2**62, "image": 2},
    ]
    tx.execute(text(place), files)
    face = (
        "INSERT INTO face (image_id, ordinal, x, y, w, h, score, landmarks, size, sharpness, yaw, roll)"
        " VALUES (1, :ordinal, 1, 1, 9, 9, 0.9, :landmarks, 20, 20, 0, 0)"
    )
    tx.execute(text(face), [{"ordinal": number, "landmarks": json.dumps([[1, 1]] * 5)} for number in (0, 1)])


def make(path: Path, key: bytes, revision: str, fill: Callable[[Connection], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a library of an earlier schema."""
    from alembic import command  # here, because nothing else needs it

    to = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: to(config, revision))
        database = Database.in_file(path, key)
        with database.write() as tx:
            migrator._migrate(tx)
            fill(tx)
        database.close()


def test_the_agent_gives_back_what_its_earlier_version_leased(tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def leased(tx: Connection) -> None:
        tx.execute(text("INSERT INTO place (id, path, size, mtime_ns, noted_at) VALUES (1, CAST('/photos/a.jpg' AS BLOB), 9, 1, 1)"))
        job = "INSERT INTO job (place_id, state, priority, attempts, lease_until, changed_at) VALUES (1, 'leased', 10, 1, :until, 1)"
        tx.execute(text(job), {"until": 2**60})

    make(tmp_path / "library.db", library_key, "0007", leased, monkeypatch)
    library = RedactionQueries(open_database(tmp_path / "library.db", library_key))
    assert library.release_leases("other") == 0
    assert library.release_leases() == 1
    library.database.close()


def test_the_first_librarys_images_get_their_date_from_their_files(
    tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "library.db"
    make(path, library_key, "0001", fill, monkeypatch)

    library = RedactionQueries(open_database(path, library_key))

    first, second = library.image(1), library.image(2)
    assert first is not None and second is not None
    assert first.taken_at == datetime.fromtimestamp(PHOTO_NS // 10**9)  # noqa: DTZ006
    assert second.taken_at.year in (1970, 2116), "a time that no clock shows does not stop the migration"
    assert not first.hidden
    assert library.index(Shown(faces_min=2, faces_max=2)).ids == (1,)
    assert len(library.hashes()) == 3
    assert len(library.set_hidden([1], True, now=first.indexed_at)[1]) == 1
    library.database.close()
    assert (tmp_path / f"library.db.before-{REVISION}").exists()


def test_places_keep_their_jobs_and_no_id_is_used_twice_when_their_table_is_made_anew(
    tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import command

    database = Database.in_file(tmp_path / "library.db", library_key)
    to = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: to(config, "0007"))
        with database.write() as tx:
            migrator._migrate(tx)
            fill(tx)
            job = "INSERT INTO job (id, place_id, state, priority, attempts, changed_at) VALUES (7, 2, 'queued', 1, 2, 3)"
            tx.execute(text(job))
            tx.execute(text("DELETE FROM place WHERE id = 3"))
    migrator.upgrade(database)
    with database.write() as tx:
        assert tx.execute(text("SELECT id, place_id, state, priority, attempts, changed_at FROM job")).all() == [(7, 2, "queued", 1, 2, 3)]
        place = "INSERT INTO place (path, size, mtime_ns, noted_at, host) VALUES (:path, 1, 1, 1, :host) RETURNING id, source, host"
        here = {"path": b"/photos/c.jpg", "host": ""}
        assert tx.execute(text(place), here).one() == (4, "file", "")
        assert tx.execute(text(place), here | {"host": "other"}).one() == (5, "file", "other")
        with pytest.raises(IntegrityError):
            tx.execute(text(place), here)
        tx.rollback()
    database.close()
