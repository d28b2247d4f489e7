"""What the program stands on, looked at with real folders and a real library."""

import os
from contextlib import closing
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.app.diagnosis import DiagnosticsContext
from agent.app.health import examine
from agent.app.library_home import backups_of
from agent.domain.errors import (
    AuditBroken,
    BackupToolMissing,
    FilingDue,
    ModelMissing,
    OffsiteLate,
    SourceUnreachable,
    StoreDamaged,
    StoreDiskFull,
)
from agent.features.models.model_store import ModelStore
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.backup_settings import BackupSettings
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Folder, KeyHome, LibrarySettings, Settings
from agent.infrastructure.store.backup import BackupStore
from agent.infrastructure.store.open_library import DATABASE_FILE, open_library
from agent.infrastructure.store.secret_stores import Home, key_home

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}).create()


def home(paths: AppPaths) -> Home:
    return key_home(KeyHome.FILE, paths.keys)


def diagnostics_context(paths: AppPaths, *folders: Path) -> DiagnosticsContext:
    settings = Settings(folders=tuple(Folder(path=str(folder)) for folder in folders), library=LibrarySettings(key_home=KeyHome.FILE))
    return DiagnosticsContext(
        paths, ModelStore(paths.data / "models"), settings=lambda: settings, texts=lambda: Texts("en"), home=lambda _: home(paths)
    )


def test_a_new_home_lacks_its_models_and_nothing_else(paths: AppPaths, tmp_path: Path) -> None:
    found = {each.name: each for each in examine(diagnostics_context(paths, tmp_path).checks())}
    assert [name for name, each in found.items() if each.state != "ok"] == ["models"]
    assert isinstance(found["models"].error, ModelMissing)
    assert (found["library"].text, found["folders"].text, found["key"].text) == ("none yet", "1", "file")


def test_a_watched_folder_that_is_gone_is_named(paths: AppPaths, tmp_path: Path) -> None:
    found = {each.name: each for each in examine(diagnostics_context(paths, tmp_path / "gone").checks())}
    assert isinstance(found["folders"].error, SourceUnreachable)


def test_too_little_free_space_is_named(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.diagnosis.LEAST_FREE", 2**62)
    found = {each.name: each for each in examine(diagnostics_context(paths).checks())}
    assert isinstance(found["disk"].error, StoreDiskFull)


def test_a_duty_that_many_people_bring_is_told(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    open_library(paths.library, home(paths)).close()
    assert diagnostics_context(paths).checks()["filing"]() == "not reached: it starts at 100,000 people"
    monkeypatch.setattr("agent.features.people.queries.people_queries.PeopleQueries.people_kept", lambda *_, **__: 104_213)
    found = {each.name: each for each in examine(diagnostics_context(paths).checks())}["filing"]
    assert isinstance(found.error, FilingDue) and found.error.params == {"people": 104_213, "days": 30}


def test_a_library_with_a_damaged_page_is_not_said_to_be_well(paths: AppPaths) -> None:
    open_library(paths.library, home(paths)).close()
    database = paths.library / DATABASE_FILE
    whole = database.read_bytes()
    pages = len(whole) // 4096
    assert diagnostics_context(paths).checks()["library"]()
    for page in range(pages // 4, pages, pages // 4):
        database.write_bytes(whole[: page * 4096 + 100] + b"damaged" + whole[page * 4096 + 107 :])
        with pytest.raises(StoreDamaged) as damaged:
            diagnostics_context(paths).checks()["library"]()
        assert damaged.value.params in ({}, {"lost": 1}), "there is no backup, whether it could be opened or not"


def test_a_damaged_library_is_told_with_the_backup_that_replaces_it(paths: AppPaths) -> None:
    with closing(open_library(paths.library, home(paths))) as library:
        BackupStore(paths.library, home(paths), keep=1).create(library, NOW)
        with library.read() as tx:  # a page that the opening doesn't read
            page = tx.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'rejection'").scalar_one()
    database = paths.library / DATABASE_FILE
    whole = database.read_bytes()
    start = (page - 1) * 4096
    database.write_bytes(whole[: start + 100] + b"damaged" + whole[start + 107 :])
    with pytest.raises(StoreDamaged) as damaged:
        diagnostics_context(paths).checks()["library"]()
    told = {**damaged.value.params}
    assert told.pop("backup") == f"{NOW.astimezone():%Y-%m-%d %H:%M}"
    assert told == {"photos": 0, "newer": 0, "edits": 0}
    assert "photos scanned 0" in Texts("en").remedy(damaged.value)


def test_a_record_that_was_changed_from_outside_is_named(paths: AppPaths) -> None:
    library = RedactionQueries(open_library(paths.library, home(paths)))
    library.purge_recognition(now=NOW, tell_none=True)
    assert library.audit_broken_at() is None
    with library.database.write() as tx:
        tx.exec_driver_sql("UPDATE audit SET number = number + 1")
    library.database.close()
    found = {each.name: each for each in examine(diagnostics_context(paths).checks())}
    assert isinstance(found["library"].error, AuditBroken) and found["library"].error.params == {"row": 1}


def test_the_library_its_backups_and_the_disk_are_measured_apart(paths: AppPaths) -> None:
    asked = diagnostics_context(paths)
    assert asked.last_backup() is None and astuple(asked.disk())[1:] == (0, 0, 0)
    library = RedactionQueries(open_library(paths.library, home(paths)))
    BackupStore(paths.library, home(paths), keep=2).create(library.database, NOW)
    disk = asked.disk()
    assert asked.last_backup() == NOW
    assert disk.backups > 10_000 and disk.library > 10_000 and disk.free > 0
    assert asked.checks()["library"]() == "0 photos, 0 faces, 0 people"
    library.database.close()


def test_the_models_that_look_at_photos_are_told_the_samples_are_not(paths: AppPaths) -> None:
    told = diagnostics_context(paths).models()
    assert {model.role for model in told} == {"detector", "embedder"} and all(model.state == "missing" for model in told)


def test_a_second_place_is_late_at_its_first_failure_and_then_after_two_days(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # no restic
    place = str(paths.data / "elsewhere")
    settings = Settings(library=LibrarySettings(key_home=KeyHome.FILE), backup=BackupSettings(offsite=place))
    with closing(open_library(paths.library, home(paths))) as database:
        send = backups_of(database, paths).send
        with pytest.raises(OffsiteLate):
            send(NOW, settings)
        mark = paths.data / "offsite-sent"
        mark.write_text(f"{place}\nan earlier one", newline="\n")
        os.utime(mark, (NOW.timestamp(), NOW.timestamp()))
        with pytest.raises(BackupToolMissing):
            send(NOW + timedelta(days=2), settings)
        with pytest.raises(OffsiteLate) as late:
            send(NOW + timedelta(days=2, seconds=1), settings)
        assert "2026-05-06" in Texts("en").cause(late.value)
        with pytest.raises(OffsiteLate):
            send(NOW - timedelta(days=365), settings)  # by a clock that was wrong: nobody knows when it was
        send(NOW, Settings())
