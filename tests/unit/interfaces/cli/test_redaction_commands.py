"""What `redact` says of what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.in_process_agent import FakeAnalyser
    from tests.unit.interfaces.cli.conftest import CommandLine


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_where_no_photo_and_no_video_is_that_is_said_and_is_no_success(
    cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path, more: tuple[str, ...]
) -> None:
    folder = tmp_path / "mistyped"
    folder.mkdir()
    (folder / "notes.txt").write_text("no photo")
    said = cli("redact", str(folder), "-o", str(tmp_path / "out"), *more)
    assert said.code == 1 and said.out == ""
    assert "No photos or videos were found there" in said.err and "0 copies" not in said.err
