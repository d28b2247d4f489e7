"""What a terminal would obey in a name is shown instead, wherever one is printed."""

from __future__ import annotations

import io
import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from agent.interfaces.cli.output import ProgressBar, say

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.in_process_agent import FakeAnalyser
    from tests.unit.interfaces.cli.conftest import CommandLine


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


def test_a_line_that_comes_while_a_bar_is_shown_stands_alone_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("sys.stderr", terminal)
    progress = ProgressBar()
    with progress.showing():
        progress.begin(2)
        for done, line in enumerate(("a.jpg: 1 face", "b.jpg: 2 faces"), 1):
            progress.say(line)
            progress.say(f"{line}?", err=True)
            progress.move(1, done)
    *lines, bar, rest = terminal.getvalue().split("\n")
    assert rest == "" and "2/2" in bar
    assert [re.split(r"\r\x1b\[K", line)[-1] for line in lines] == ["a.jpg: 1 face", "a.jpg: 1 face?", "b.jpg: 2 faces", "b.jpg: 2 faces?"]
    assert all(line.startswith("\r\x1b[?25l") and "/2" in line for line in [*lines, bar]), "the bar is there again after each"
