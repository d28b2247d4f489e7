"""A server's start beside a restore."""

from pathlib import Path

import pytest

from agent.backups.restoring import READY, STAGE, finish
from agent.core.paths import AppPaths
from agent.domain.errors import RestoreInterrupted


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
