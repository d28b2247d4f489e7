"""`ai-popup help` prints the documentation where no browser is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.interfaces.cli.conftest import CommandLine

PAGE = """<!-- a note -->
# A disk is almost full {#full}

[简体中文](disk-full.zh-CN.md) · [Back up](../operate/backup.md#second)

- [Back up](backup.md)
- Not enough: [back up](backup.md) before [Back up](backup.md) is read.

See [below](#then), [why](../decisions/0066-backups.md) and [elsewhere](https://example.org). ![a picture](x.png)
"""


@pytest.fixture(autouse=True)
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "help"
    (folder / "en").mkdir(parents=True)
    (folder / "en" / "disk-full.md").write_text(PAGE, "utf-8")
    (folder / "en" / "backup.md").write_text("# Back up\n", "utf-8")
    monkeypatch.setattr("agent.app.help_commands.resource", lambda _: folder)
    return folder


@pytest.mark.parametrize("name", ["disk-full", "disk_full", "docs/runbook/disk-full.zh-CN.md"])
def test_a_page_is_text_whose_links_are_commands(cli: CommandLine, name: str) -> None:
    assert cli("help", name).out.split("\n") == [
        "# A disk is almost full",
        "",
        "Back up (`ai-popup help backup`)",
        "",
        "- Back up (`ai-popup help backup`)",
        "- Not enough: back up (`ai-popup help backup`) before “Back up” (`ai-popup help backup`) is read.",
        "",
        "See below, why and elsewhere (https://example.org).",
        "",
    ]


def test_without_a_name_all_pages_are_listed(cli: CommandLine) -> None:
    assert [line.split(maxsplit=1) for line in cli("help").out.splitlines()] == [
        ["backup", "Back up"],
        ["disk-full", "A disk is almost full"],
    ]
    assert json.loads(cli("help", "backup", "--json").out) == {"page": "backup", "text": "# Back up"}


def test_a_misspelt_page_names_the_nearest(cli: CommandLine) -> None:
    said = cli("help", "disc-full")
    assert said.code == 2 and "“disk-full”" in said.err
    assert "lists all" in cli("help", "xyz").err


def test_a_build_without_pages_says_where_they_are(cli: CommandLine, pages: Path) -> None:
    for file in (pages / "en").iterdir():
        file.unlink()
    said = cli("help")
    assert said.code == 1 and "docs/" in said.err
