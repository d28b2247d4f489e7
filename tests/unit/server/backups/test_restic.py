"""What restic's own runs can't show: a computer without room for what belongs to one."""

import errno
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.domain.errors import BackupFailed, RepositoryUnreachable
from agent.infrastructure.store import recovery_code
from agent.server.backups.repositories import RepositoryFolder, RepositoryPasswords
from agent.server.backups.restic import Restic, Snapshot, expired, newest_of_each


def test_a_disk_without_room_is_told_as_a_backup_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(tempfile, "mkdtemp", full)
    place, passwords = RepositoryFolder(tmp_path), RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret()))
    with pytest.raises(BackupFailed):
        Restic(place, passwords, tmp_path / "cache").snapshots()


@pytest.mark.skipif(os.name == "nt", reason="Windows tells a file in a folder's place from a missing one only when the folder is made")
def test_a_file_in_the_place_of_the_folder_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: str(tmp_path / "never started"))
    (tmp_path / "backups").write_text("a file")
    place, passwords = RepositoryFolder(tmp_path / "backups"), RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret()))
    with pytest.raises(RepositoryUnreachable):
        Restic(place, passwords, tmp_path / "cache").prepare()


NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def made(*days: int, tag: str = "library") -> list[Snapshot]:
    """Snapshots from so many days ago."""
    return [Snapshot(f"{tag} {each}", NOW - timedelta(days=each), tag) for each in days]


def test_snapshots_are_kept_for_some_days_and_the_newest_of_each_kind_for_good() -> None:
    assert expired([*made(0, 3, 7, 8, 30), *made(40, 90, tag="config")], NOW, 7) == ["library 8", "library 30", "config 90"]
    assert expired([], NOW, 7) == []


def test_a_snapshot_from_the_future_neither_counts_as_the_newest_nor_pushes_others_out() -> None:
    """restic itself would count the days to keep from the newest date."""
    assert expired(made(-365, 0, 3), NOW, 7) == []
    assert newest_of_each([*made(-365, 3, 0), *made(-365, tag="config")], NOW) == {"library": "library 0", "config": "config -365"}
    assert expired(made(-365, 0, 3, 8), NOW, 7) == ["library 8", "library -365"], "it is older than what is right and too old"
