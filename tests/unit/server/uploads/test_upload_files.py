"""The folder of uploads is its owner's and their group's."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.server.uploads.upload_files import UploadFiles


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_every_folder_that_is_made_is_closed_to_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        files = UploadFiles(lambda: tmp_path / "data" / "uploads")
        files.make_root(2)
        files.target("a.jpg", 2, datetime(2026, 12, 7, tzinfo=UTC))
    finally:
        os.umask(before)
    made = sorted(path for path in tmp_path.rglob("*") if path.is_dir())
    assert [path.name for path in made] == ["data", "uploads", "library-2", "2026-12"]
    assert {oct(path.stat().st_mode & 0o777) for path in made} == {"0o750"}
