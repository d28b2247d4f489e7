"""Backups: checked, few, and good to go back to after any damage."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from agent.domain.errors import (
    BackupDamaged,
    BackupMissing,
    StoreBusy,
    StoreDamaged,
    StoreDiskFull,
    StoreKeyMissing,
    StoreTooOld,
    StoreUnwritable,
)
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store import backup as backup_module
from agent.infrastructure.store.backup import BackupStore
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects import sqlcipher
from agent.infrastructure.store.keys import KEYS_FILE, LibraryKeys
from agent.infrastructure.store.open_library import DATABASE_FILE, open_library
from agent.infrastructure.store.schema import image, meta, undo
from agent.infrastructure.store.secret_stores import FileSecretStore

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty library with its keys, to copy."""
    root = tmp_path_factory.mktemp("made-once")
    open_library(root / "library", FileSecretStore(root / "keys")).close()
    return root


@pytest.fixture
def folder(tmp_path: Path, made_once: Path) -> Path:
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "library"


@pytest.fixture
def home(tmp_path: Path) -> FileSecretStore:
    return FileSecretStore(tmp_path / "keys")


@pytest.fixture
def backups(folder: Path, home: FileSecretStore) -> BackupStore:
    return BackupStore(folder, home, keep=3)


@pytest.fixture
def live(folder: Path, home: FileSecretStore) -> Iterator[RedactionQueries]:
    library = RedactionQueries(open_library(folder, home))
    note(library, "/photos/a.jpg")
    yield library
    library.database.close()


def note(library: RedactionQueries, path: str) -> None:
    library.note_file(FileSeen(path, 1, 1), Recipe("centerface-2"), priority=Priority.NEW, now=NOW)


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[5000] ^= 255
    path.write_bytes(content)


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


def test_a_backup_is_listed_checked_and_encrypted(backups: BackupStore, live: RedactionQueries) -> None:
    made = backups.create(live.database, NOW)
    assert made.name == "2026-03-04T050607Z" and made.at == NOW
    assert backups.list() == [made] and backups.get(made.name) == made
    assert backups.verify(made) == 0
    assert b"/photos" not in (made.path / "library.db").read_bytes()
    with closing(sqlite3.connect(made.path / "library.db")) as plain, pytest.raises(sqlite3.DatabaseError):
        plain.execute("SELECT * FROM place")


def test_a_day_without_a_backup_makes_one_due(backups: BackupStore, live: RedactionQueries, folder: Path, home: FileSecretStore) -> None:
    assert backups.make_if_due(live.database, NOW) is not None
    assert backups.make_if_due(live.database, NOW + DAY - timedelta(seconds=1)) is None
    assert backups.due(NOW + DAY)
    assert backups.due(NOW - timedelta(hours=1))  # the clock was wrong: one from the future is none
    assert not BackupStore(folder, home, keep=0).due(NOW + 9 * DAY)


def test_the_newest_few_are_kept(backups: BackupStore, live: RedactionQueries, folder: Path) -> None:
    for day in range(5):
        backups.create(live.database, NOW + day * DAY)
    assert [backup.at for backup in backups.list()] == [NOW + day * DAY for day in (4, 3, 2)]
    backups.create(live.database, NOW + 4 * DAY, keep=1)  # in the same second as another
    assert [backup.at for backup in backups.list()] == [NOW + 4 * DAY + timedelta(seconds=1)]
    assert left_over(folder) == []


def test_a_backup_from_the_future_counts_as_the_oldest(live: RedactionQueries, folder: Path, home: FileSecretStore) -> None:
    """A clock that was far ahead for a moment must not decide for a year what is restored, and what is kept."""
    backups = BackupStore(folder, home, keep=3, clock=lambda: NOW + 2 * DAY)
    before = backups.create(live.database, NOW)
    ahead = backups.create(live.database, NOW + 365 * DAY)
    assert backups.list() == [before, ahead]
    after = backups.create(live.database, NOW + DAY)
    assert backups.list() == [after, before, ahead] and backups.newest_good() == after
    last = backups.create(live.database, NOW + 2 * DAY)
    assert backups.list() == [last, after, before], "it goes before any other"


def test_after_a_clock_that_was_behind_the_newest_is_the_last_one_made(live: RedactionQueries, folder: Path, home: FileSecretStore) -> None:
    now = [NOW]
    backups = BackupStore(folder, home, keep=3, clock=lambda: now[0])
    right = backups.create(live.database, NOW)
    now[0] = NOW - 5000 * DAY
    behind = backups.create(live.database, now[0])
    assert backups.list() == [behind, right]
    now[0] = NOW + timedelta(hours=1)
    assert backups.due(now[0]) is False and backups.list() == [right, behind], "by the right clock, its date is an early one"


def test_a_clock_that_is_corrected_a_little_changes_no_order(live: RedactionQueries, folder: Path, home: FileSecretStore) -> None:
    backups = BackupStore(folder, home, keep=3, clock=lambda: NOW)
    before, after = backups.create(live.database, NOW - DAY), backups.create(live.database, NOW + timedelta(minutes=5))
    assert backups.list() == [after, before]


def test_what_is_no_backup_is_passed_over(backups: BackupStore, folder: Path) -> None:
    (folder / "backups" / "2026-03-04T050607Z").mkdir(parents=True)  # without a database
    (folder / "backups" / "holiday").mkdir()
    (folder / "backups" / ".unfinished-2026-03-04T050607Z").mkdir()
    assert backups.list() == []
    with pytest.raises(BackupMissing):
        backups.get("holiday")


def test_a_disk_that_fills_up_leaves_nothing_half_and_the_older_ones_alone(
    backups: BackupStore, live: RedactionQueries, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = backups.create(live.database, NOW)

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_module, "sync_file", full)
    with pytest.raises(StoreDiskFull):
        backups.create(live.database, NOW + DAY, keep=1)
    assert backups.list() == [good] and left_over(folder) == []


def test_a_copy_that_does_not_check_is_no_backup(
    backups: BackupStore, live: RedactionQueries, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "sync_file", spoil)
    with pytest.raises(StoreDamaged):
        backups.create(live.database, NOW)
    assert backups.list() == [] and left_over(folder) == []


def test_what_is_put_aside_is_on_the_disk_before_the_library_is_replaced(
    backups: BackupStore, live: RedactionQueries, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.create(live.database, NOW)
    live.database.close()
    synced = list[Path]()
    monkeypatch.setattr(backup_module, "sync_file", lambda path: synced.append(path))
    backups.restore(None, NOW + DAY)
    aside = folder / "damaged-2026-03-05T050607Z"
    assert set(aside.iterdir()) <= set(synced)


def test_a_damaged_library_comes_back_and_is_kept_aside(
    backups: BackupStore, live: RedactionQueries, folder: Path, home: FileSecretStore
) -> None:
    backups.create(live.database, NOW)
    note(live, "/photos/later.jpg")
    live.database.close()
    (folder / "library.db").write_bytes(b"damaged" * 1000)
    with pytest.raises(StoreDamaged):
        open_library(folder, home)
    (folder / "library.db-wal").write_bytes(b"old log")
    backups.restore(None, NOW + DAY)
    library = RedactionQueries(open_library(folder, home))
    assert library.place("/photos/a.jpg") is not None and library.place("/photos/later.jpg") is None
    library.database.close()
    aside = folder / "damaged-2026-03-05T050607Z"
    assert (aside / "library.db").read_bytes() == b"damaged" * 1000
    assert (aside / "library.db-wal").read_bytes() == b"old log"


def test_the_old_log_is_gone_before_the_backup_comes_and_is_never_applied_to_it(
    backups: BackupStore, live: RedactionQueries, folder: Path, home: FileSecretStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.create(live.database, NOW)
    live.database.close()
    logs = [folder / "library.db-wal", folder / "library.db-shm"]
    for log in logs:
        log.write_bytes(b"old log")
    there: list[list[bool]] = []
    replace = Path.replace

    def seen(self: Path, target: Path) -> Path:
        if target == folder / "library.db":
            there.append([log.exists() for log in logs])
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", seen)
    backups.restore(None, NOW + DAY)
    assert there == [[False, False]] and not any(log.exists() for log in logs)
    open_library(folder, home).close()


def test_a_crash_before_the_backup_comes_loses_nothing_of_the_old_log(
    backups: BackupStore, live: RedactionQueries, folder: Path, home: FileSecretStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.create(live.database, NOW)
    note(live, "/photos/later.jpg")
    files = [folder / "library.db", folder / "library.db-wal"]
    for each in files:
        shutil.copyfile(each, tmp_path / each.name)
    live.database.close()
    for each in files:  # as a kill leaves them
        shutil.copyfile(tmp_path / each.name, each)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(backup_module, "replace_file", crash)
        backups.restore(None, NOW + DAY)
    library = RedactionQueries(open_library(folder, home))
    assert library.place("/photos/later.jpg") is not None
    library.database.close()


def test_the_newest_good_backup_is_taken(backups: BackupStore, live: RedactionQueries) -> None:
    good = backups.create(live.database, NOW)
    spoilt = backups.create(live.database, NOW + DAY)
    live.database.close()
    spoil(spoilt.path / "library.db")
    with pytest.raises(BackupDamaged):
        backups.verify(spoilt)
    with pytest.raises(BackupDamaged):
        backups.restore(spoilt, NOW)
    assert backups.restore(None, NOW + 2 * DAY) == good


@pytest.mark.parametrize("left", [0, 1, 4096, 20_000])
def test_a_backup_that_was_cut_off_is_damaged(backups: BackupStore, live: RedactionQueries, left: int) -> None:
    made = backups.create(live.database, NOW)
    os.truncate(made.path / "library.db", left)
    with pytest.raises(BackupDamaged):
        backups.verify(made)


def test_without_a_good_backup_nothing_is_touched(backups: BackupStore, live: RedactionQueries, folder: Path) -> None:
    live.database.close()
    before = (folder / "library.db").read_bytes()
    with pytest.raises(BackupMissing):
        backups.restore(None, NOW)
    note_made = folder / "backups" / "2026-03-04T050607Z"
    note_made.mkdir(parents=True)
    (note_made / "library.db").write_bytes(b"nothing")
    with pytest.raises(BackupDamaged):
        backups.restore(None, NOW)
    assert (folder / "library.db").read_bytes() == before


def test_lost_keys_come_back_with_the_backup_and_the_recovery_code(
    backups: BackupStore, live: RedactionQueries, folder: Path, home: FileSecretStore, tmp_path: Path
) -> None:
    keys = LibraryKeys(folder, home)
    code = keys.recovery_code(keys.unlock())
    made = backups.create(live.database, NOW)
    live.database.close()
    (folder / KEYS_FILE).unlink()
    (folder / "library.db").unlink()
    shutil.rmtree(tmp_path / "keys")
    with pytest.raises(StoreKeyMissing):
        backups.restore(None, NOW)
    backups.keys(made).recover(code)
    backups.restore(made, NOW)
    library = RedactionQueries(open_library(folder, home))
    assert library.place("/photos/a.jpg") is not None
    library.database.close()


def test_one_without_what_was_deleted_takes_the_place_of_all_that_may_hold_it(
    backups: BackupStore, live: RedactionQueries, folder: Path, home: FileSecretStore
) -> None:
    backups.replace(live.database, NOW)
    assert not (folder / "backups").exists(), "where there was none, none is made"
    backups.create(live.database, NOW)
    live.database.close()
    backups.restore(None, NOW)
    backups.restore(None, NOW + DAY)
    (folder / "library.db.before-0002").write_bytes(b"as it was before an upgrade")
    library = RedactionQueries(open_library(folder, home))
    backups.replace(library.database, NOW + DAY)
    library.database.close()
    assert {path.name for path in folder.iterdir()} == {"backups", "library.db", KEYS_FILE}
    assert [backup.at for backup in backups.list()] == [NOW + DAY]


def test_after_the_clock_was_set_back_the_new_one_stays_and_the_old_ones_go_all_the_same(
    backups: BackupStore, live: RedactionQueries
) -> None:
    for days in (2, 3, 4):
        backups.create(live.database, NOW + days * DAY)
    daily = backups.make_if_due(live.database, NOW)
    assert daily is not None and [backup.at for backup in backups.list()] == [NOW + 4 * DAY, NOW + 3 * DAY, NOW]
    backups.replace(live.database, NOW + DAY)
    assert [backup.at for backup in backups.list()] == [NOW + DAY], "what was deleted is in none"


def test_what_was_deleted_leaves_the_log_too_once_nobody_reads(
    backups: BackupStore, live: RedactionQueries, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlcipher, "_WAIT_S", 0.1)
    live.database.let_go()
    with live.database.read() as tx:
        tx.execute(select(meta)).all()
        live.set_flags({"deleted": 1})
        with pytest.raises(StoreBusy):
            backups.replace(live.database, NOW)
        assert (folder / "library.db-wal").stat().st_size > 0
    backups.replace(live.database, NOW)
    assert (folder / "library.db-wal").stat().st_size == 0


def test_a_copy_put_aside_that_can_not_be_deleted_is_told(
    backups: BackupStore, live: RedactionQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.create(live.database, NOW)
    live.database.close()
    backups.restore(None, NOW)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(StoreUnwritable):
        backups.drop_aside()


@pytest.mark.parametrize("step", ["_put_aside", "_same_keys"])
def test_a_restore_that_is_cut_short_can_be_done_again(
    backups: BackupStore, live: RedactionQueries, folder: Path, home: FileSecretStore, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.create(live.database, NOW)
    live.database.close()
    (folder / "library.db").write_bytes(b"damaged" * 1000)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(BackupStore, step, crash)
        backups.restore(None, NOW)
    assert (folder / "library.db").exists()
    backups.restore(None, NOW + DAY)
    open_library(folder, home).close()


def test_the_offer_counts_what_a_restore_would_lose(backups: BackupStore, live: RedactionQueries) -> None:
    backups.create(live.database, NOW)
    newest = backups.create(live.database, NOW + DAY)
    offer = backups.offer(live.database)
    assert (offer.backup, offer.photos, offer.newer) == (newest, 0, (0, 0))
    recipe = Recipe("centerface-2")
    for number in range(3):
        live.note_file(FileSeen(f"/photos/{number}.jpg", 10, 1, "/photos"), recipe, priority=Priority.NEW, now=NOW)
    with live.database.write() as tx:
        columns = {"size": 1, "width": 1, "height": 1, "format": "JPEG", "detector": "d", "precision": "f32", "indexed_at": NOW}
        times = {f"ms_{stage}": 0.0 for stage in ("decode", "detect", "align", "embed")}
        tx.execute(insert(image), [{**columns, **times, "sha256": str(number)} for number in range(2)])
        tx.execute(insert(undo), {"token": "a", "at": NOW, "action": "name", "number": 1, "changes": []})
    assert backups.offer(live.database).newer == (2, 1)
    assert backups.offer(None).newer is None
    spoil(newest.path / DATABASE_FILE)
    assert backups.offer(live.database).backup.at == NOW.replace(microsecond=0)


def test_a_backup_from_before_the_baseline_is_refused_and_the_library_stays(
    backups: BackupStore, live: RedactionQueries, folder: Path, home: FileSecretStore
) -> None:
    made = backups.create(live.database, NOW)
    live.database.close()
    with closing(Database.in_file(made.path / DATABASE_FILE, LibraryKeys(made.path, home).unlock())) as old, old.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0039'"))
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(StoreTooOld):
        backups.restore(made, NOW + DAY)
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
