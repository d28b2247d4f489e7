"""A file manager's menu, with the real program: it did not run before, and keeps running afterwards."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import psutil
import pytest

from agent.interfaces.web.runtime_file import find

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.real_program import RealProgram


@pytest.mark.timeout(300)
def test_a_chosen_photo_starts_the_program_and_gets_its_covered_copy(program: RealProgram, samples_folder: Path, tmp_path: Path) -> None:
    photo = tmp_path / "我的 照片" / "obama.jpg"
    photo.parent.mkdir()
    shutil.copy(samples_folder / photo.name, photo)
    try:
        found = program.run("hand-over", "find", str(photo))
        assert found.returncode == 0, found.stderr
        first = find(program.paths.runtime).pid
        assert program.run("hand-over", "redact", str(photo)).returncode == 0
        assert (photo.parent / "redacted" / photo.name).is_file()
        assert find(program.paths.runtime).pid == first
    finally:
        agent = psutil.Process(find(program.paths.runtime).pid)
        assert program.run("quit").returncode == 0
        agent.wait(60)
