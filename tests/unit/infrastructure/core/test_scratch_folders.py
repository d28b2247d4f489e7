"""What a program does not keep is gone after it, however it ends; nothing else is deleted with it."""

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from agent.infrastructure.core.scratch_folders import scratch_folder, sweep
from tests.support.killed_processes import left_by_a_killed_program

LATER_S = 3_600.0


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the system keeps what is not to be kept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_is_private_and_there_for_the_block_alone(temporary: Path) -> None:
    with scratch_folder("copy") as folder:
        (folder / "copy.png").write_bytes(b"a photo")
        [outer] = temporary.iterdir()
        assert outer in folder.parents
        assert sys.platform == "win32" or outer.stat().st_mode & 0o777 == 0o700
    assert not list(temporary.iterdir())


def test_what_a_killed_program_left_is_deleted_by_the_next_one(temporary: Path) -> None:
    left = left_by_a_killed_program(temporary)
    assert left.read_bytes() == b"a photo"
    sweep(time.time() + LATER_S)
    assert not list(temporary.iterdir())


def test_what_is_in_use_or_was_just_made_stays(temporary: Path) -> None:
    with scratch_folder("copy") as folder:
        sweep(time.time() + LATER_S)
        assert folder.exists()
    left = left_by_a_killed_program(temporary)
    sweep(time.time())
    assert left.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there each user has a folder of their own")
def test_a_link_and_another_users_folder_of_such_a_name_are_left_alone(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = temporary / "theirs"
    theirs.mkdir()
    left = left_by_a_killed_program(theirs)
    (temporary / "ai-popup-link").symlink_to(left.parent.parent)
    sweep(time.time() + LATER_S)
    assert left.exists()
    (temporary / "ai-popup-link").unlink()
    left.parent.parent.rename(temporary / "ai-popup-theirs")
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    sweep(time.time() + LATER_S)
    assert (temporary / "ai-popup-theirs" / "files" / left.name).exists()
