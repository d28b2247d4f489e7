"""What restic's own runs can't show: a computer without room for what belongs to one."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from agent.backups.repositories import RepositoryFolder, RepositoryPasswords
from agent.backups.restic import Restic
from agent.domain.errors import BackupFailed, RepositoryUnreachable
from agent.store import recovery_code


def test_a_disk_without_room_is_told_as_a_backup_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
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
