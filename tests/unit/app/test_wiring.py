"""What is put together follows the settings, and keeps following them."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from agent.app import wiring
from agent.app.library_home import backups_of
from agent.domain.errors import StoreDiskFull, StoreUnwritable
from agent.features.models.model_store import ModelStore
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.core.subprocesses import Stop, SubprocessStopped, run_subprocess
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.secret_stores import FileSecretStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = {"library": {"key_home": "file"}}


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find({"AI_POPUP_HOME": str(tmp_path / "home")}).create()


@pytest.fixture
def opened(paths: AppPaths) -> Iterator[RedactionQueries]:
    library = RedactionQueries(open_library(paths.library, FileSecretStore(paths.keys)))
    yield library
    library.database.close()


async def test_new_settings_reach_the_engine_the_folders_and_the_number_of_jobs_at_once(
    paths: AppPaths, opened: RedactionQueries, tmp_path: Path
) -> None:
    app = wiring.build(Settings.model_validate(FILE), paths, database=opened.database)
    changed = {**FILE, "engine": {"workers": 3}, "folders": [{"path": str(tmp_path)}]}
    await app.apply(Settings.model_validate(changed))
    assert app.indexer._slots() == 5
    assert list(app._source._folders._plans) == [str(tmp_path)]  # type: ignore[attr-defined]
    await app.analyser.close()


@pytest.mark.parametrize(("number", "meaning"), [(28, StoreDiskFull), (13, StoreUnwritable)])
async def test_a_disk_that_refuses_a_model_is_named(
    paths: AppPaths, opened: RedactionQueries, monkeypatch: pytest.MonkeyPatch, number: int, meaning: type[Exception]
) -> None:
    def fetch(self: ModelStore, name: str, stop: Stop) -> Path:
        raise OSError(number, "")

    monkeypatch.setattr(ModelStore, "fetch", fetch)
    app = wiring.build(Settings.model_validate(FILE), paths, database=opened.database)
    with pytest.raises(meaning):
        await app._supply(app.recipe())
    await app.analyser.close()


async def test_backups_follow_the_settings_of_their_moment(paths: AppPaths, opened: RedactionQueries) -> None:
    backups = backups_of(opened.database, paths)
    none, some = (Settings.model_validate({"library": {"key_home": "file", "backups": count}}) for count in (0, 2))
    now = utc_now()
    backups.daily(now, none)
    backups.replace(now, some)  # there is none to replace
    assert not (paths.library / "backups").exists()
    backups.daily(now, some)
    backups.daily(now, some)
    assert len(list((paths.library / "backups").iterdir())) == 1
    backups.replace(now, some)
    assert len(list((paths.library / "backups").iterdir())) == 1


async def test_a_servers_library_is_not_copied_and_earlier_copies_go_when_data_is_deleted(
    paths: AppPaths, opened: RedactionQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copying 300,000 photos would slow down answers for minutes, and the database has backups of its own."""
    now, some = utc_now(), Settings.model_validate({"library": {"key_home": "file", "backups": 2}})
    backups_of(opened.database, paths).daily(now, some)  # as an earlier version did
    monkeypatch.setattr(Database, "is_shared", True)
    backups = backups_of(opened.database, paths)
    backups.daily(now + timedelta(days=2), some)
    assert len(list((paths.library / "backups").iterdir())) == 1
    backups.replace(now, some)
    assert not list((paths.library / "backups").iterdir())


async def test_a_backup_that_is_begun_meanwhile_leaves_the_one_being_made_alone(
    paths: AppPaths, opened: RedactionQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups, copy = backups_of(opened.database, paths), opened.database.copy_to
    copied, others = threading.Event(), threading.Event()

    def slowly(target: Path) -> None:
        copy(target)
        copied.set()
        others.wait(0.5)

    await asyncio.to_thread(backups.daily, utc_now(), Settings.model_validate(FILE))
    monkeypatch.setattr(opened.database, "copy_to", slowly)
    later = utc_now() + timedelta(days=2)
    daily = asyncio.create_task(asyncio.to_thread(backups.daily, later, Settings.model_validate(FILE)))
    await asyncio.to_thread(copied.wait, 5)
    await asyncio.to_thread(backups.replace, later, Settings.model_validate(FILE))
    others.set()
    await daily
    assert len(list((paths.library / "backups").iterdir())) == 1


def test_a_download_that_hangs_does_not_keep_the_program_from_ending(
    paths: AppPaths, opened: RedactionQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, network = threading.Event(), threading.Event()
    stops: list[Stop] = []

    def fetch(self: ModelStore, name: str, stop: Stop) -> None:
        stops.append(stop)
        begun.set()
        network.wait(20)

    async def quit_meanwhile() -> None:
        app = wiring.build(Settings.model_validate(FILE), paths, database=opened.database)
        supplying = asyncio.ensure_future(app._supply(app.recipe()))
        await asyncio.to_thread(begun.wait, 20)
        supplying.cancel()
        await asyncio.wait([supplying])
        await app.analyser.close()

    monkeypatch.setattr(ModelStore, "fetch", fetch)
    asyncio.run(quit_meanwhile())
    assert not network.is_set()
    network.set()
    with pytest.raises(SubprocessStopped):
        run_subprocess(["never"], paths.data, limit_s=1, stop=stops[0])
