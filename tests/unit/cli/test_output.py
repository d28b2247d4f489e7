"""What a terminal would obey in a name is shown instead, wherever one is printed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from agent.cli.output import say

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import CommandLine
    from tests.world import FakeAnalyser


@pytest.mark.skipif(os.name == "nt", reason="such names can't be had there")
def test_a_name_with_escape_sequences_is_printed_escaped(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> None:
    photo = tmp_path / "photos" / "a\x1b[2J\nb.jpg: 9 faces\x9b\x7f.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"a")
    shown = f"{photo.parent}/a\\u001b[2J\\u000ab.jpg: 9 faces\\u009b\\u007f.jpg"
    assert cli("scan", str(photo.parent)).out == f"{shown}: 1 face\n"
    assert cli("redact", "-o", str(tmp_path / "out"), str(photo)).out.startswith(f"{shown} → ")
    assert json.loads(cli("scan", "--json", str(photo)).out)["path"] == str(photo)


def test_each_line_that_is_meant_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    say("图片 é", "a\tb\rc")
    say("d\x00", err=True)
    assert capsys.readouterr() == ("图片 é\na\\u0009b\\u000dc\n", "d\\u0000\n")
