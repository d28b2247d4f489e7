"""What restic's own runs can't show: a computer without room for what belongs to one."""

import errno
import shutil
import tempfile
from pathlib import Path

import pytest

from agent.backups.repositories import RepositoryFolder, RepositoryPasswords
from agent.backups.restic import Restic
from agent.domain.errors import BackupFailed
from agent.store import recovery_code


def test_a_disk_without_room_is_told_as_a_backup_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    place, passwords = RepositoryFolder(tmp_path), RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret()))
    with pytest.raises(BackupFailed):
        Restic(place, passwords, tmp_path / "cache").snapshots()
