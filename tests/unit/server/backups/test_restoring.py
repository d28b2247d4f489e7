"""A server's start beside a restore."""

from datetime import datetime
from pathlib import Path

import pytest

from agent.domain.errors import RestoreInterrupted
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import recovery_code
from agent.infrastructure.store.secret_stores import FileSecretStore, Home
from agent.server.backups.file_sets import CONFIG, DATA
from agent.server.backups.repositories import RepositoryFolder
from agent.server.backups.restoring import READY, STAGE, RestoredServer, Restoring, finish


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}).create()


def test_no_empty_server_begins_where_a_restore_was_interrupted(paths: AppPaths) -> None:
    """It would take the home, and the restore could not be repeated."""
    finish(paths)  # there is none
    (paths.data / STAGE / "data" / "postgres").mkdir(parents=True)
    with pytest.raises(RestoreInterrupted):
        finish(paths)
    assert not (paths.data / "postgres").exists()
    (paths.data / STAGE / READY).touch()
    finish(paths)
    assert (paths.data / "postgres").is_dir() and not (paths.data / STAGE).exists()


def test_what_an_earlier_restore_left_keeps_no_server_from_its_start(paths: AppPaths) -> None:
    (paths.data / "postgres").mkdir()
    (paths.data / STAGE / "data").mkdir(parents=True)
    finish(paths)


def test_a_variable_that_says_where_the_key_is_kept_counts_in_a_restore(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in our image: the settings that were backed up don't say it."""
    homes = list[Home]()

    def files(restoring: Restoring) -> None:
        (paths.data / STAGE / CONFIG).mkdir(parents=True)
        (paths.data / STAGE / CONFIG / "settings.toml").write_text("[backup]\nat = '04:00'\n")
        (paths.data / STAGE / DATA).mkdir()

    def database(restoring: Restoring, to: datetime | None, home: Home) -> RestoredServer:
        homes.append(home)
        return RestoredServer(0, 0, 0, None, 0, 0)

    monkeypatch.setattr(Restoring, "_files", files)
    monkeypatch.setattr(Restoring, "_database", database)
    monkeypatch.setenv("AI_POPUP__LIBRARY__KEY_HOME", "file")
    code = recovery_code.write(recovery_code.new_secret())
    Restoring(RepositoryFolder(paths.data / "elsewhere"), code, Settings(), paths, utc_now).run(None)
    assert isinstance(homes[0], FileSecretStore)
