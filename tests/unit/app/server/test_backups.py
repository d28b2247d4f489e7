"""How a server's backups begin."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from agent.app.server import backups as module
from agent.app.server.backups import DRILL_FOLDER, backups_of_server
from agent.domain.errors import StoreUnwritable
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find({"AI_POPUP_HOME": str(tmp_path)})


def begin(paths: AppPaths) -> None:
    backups_of_server(cast(Any, None), None, Settings, paths, lambda: datetime.now(UTC))


def test_the_database_of_a_killed_trial_restore_does_not_outlast_the_next_start(paths: AppPaths) -> None:
    """It has people who are forgotten meanwhile, also where no trial restore follows: backups may be off by then."""
    left = paths.data / DRILL_FOLDER / "cluster" / "data" / "base"
    left.mkdir(parents=True)
    begin(paths)
    assert not (paths.data / DRILL_FOLDER).exists()


def test_one_that_cannot_be_deleted_keeps_no_server_from_its_start(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Path]()

    def refuse(folder: Path) -> None:
        asked.append(folder)
        raise StoreUnwritable

    monkeypatch.setattr(module, "clear", refuse, raising=False)
    begin(paths)
    assert asked == [paths.data / DRILL_FOLDER]
