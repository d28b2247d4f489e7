"""`ai-popup albums`: without a running agent, on a library with made-up faces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.interfaces.cli.conftest import analyser, cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.in_process_agent import FakeAnalyser
    from tests.unit.interfaces.cli.conftest import CommandLine

__all__ = ["analyser", "cli"]  # fixtures

SETTINGS = '[library]\nkey_home = "file"\n[recognition]\nenabled = true\n'


@pytest.fixture
def photos(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> list[str]:
    """Two photos of Mei and one of Grandpa, named."""
    cli.paths.settings.write_text(SETTINGS)
    paths = [tmp_path / "photos" / name for name in ("Mei/m1.jpg", "Mei/m2.jpg", "Grandpa/g1.jpg")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode())
    assert cli("people", "import", str(tmp_path / "photos")).code == 0
    return list(map(str, paths))


def listed(cli: CommandLine) -> dict[str, int]:
    return {each["name"]: each["photos"] for each in map(json.loads, cli("albums", "list", "--json").out.splitlines())}


def test_an_album_by_hand_is_made_added_to_renamed_and_removed(cli: CommandLine, photos: list[str]) -> None:
    first, second, third = photos
    assert cli("albums", "list").out == "" and cli("albums", "list").code == 0
    assert json.loads(cli("albums", "add", "Sea", third, first, "--json").out) == {"name": "Sea", "photos": 2}
    assert cli("albums", "add", "Sea", first, second).out == "Sea  3 photos\n"
    assert cli("albums", "show", "Sea").out.splitlines() == [third, first, second]
    assert cli("albums", "show", "Sea", "-0").out == "\0".join([third, first, second, ""])
    assert cli("albums", "remove", "Sea", first).out == "1 photo removed from Sea.\n"
    assert cli("undo").code == 0 and listed(cli) == {"Sea": 3}
    assert cli("albums", "rename", "Sea", "Shore").code == 0
    assert cli("albums", "remove", "Shore").code == 0 and listed(cli) == {}
    assert cli("undo").code == 0 and listed(cli) == {"Shore": 3}
    assert [json.loads(each)["path"] for each in cli("albums", "show", "Shore", "--json").out.splitlines()] == [third, first, second]


def test_what_shows_nothing_makes_no_other_album(cli: CommandLine, photos: list[str]) -> None:
    assert cli("albums", "add", "Sea\u3164", photos[0]).code == 0 and listed(cli) == {"Sea": 1}
    assert cli("albums", "add", "S\u200bea", photos[1]).code == 0 and listed(cli) == {"Sea": 2}
    refused = cli("albums", "rename", "Sea", "\u3164")
    assert refused.code != 0 and "[people.name_empty]" in refused.err and listed(cli) == {"Sea": 2}


def test_an_album_of_people_follows_names_and_takes_no_photo(cli: CommandLine, photos: list[str]) -> None:
    assert cli("albums", "add", "All", "--person", "Mei", "--person", "Grandpa", "--match", "any").code == 0
    assert cli("albums", "list").out == "All  3 photos  Grandpa, Mei\n" or cli("albums", "list").out == "All  3 photos  Mei, Grandpa\n"
    assert cli("people", "merge", "Grandpa", "Mei", "--yes").code in (0, 2)
    refused = cli("albums", "add", "All", photos[0])
    assert refused.code != 0 and "[album.by_rule]" in refused.err
    assert "Did you mean “Mei”?" in cli("albums", "add", "One", "--person", "mei").err
    assert cli("albums", "add", "One").code == 2 and cli("albums", "add", "One", photos[0], "--person", "Mei").code == 2
    assert cli("albums", "add", "Family", "--person", "Mei").code == 0
    assert cli("people", "forget", "Mei", "--yes").code == 0
    assert "Family" not in listed(cli), "its name goes with her"


def test_what_is_not_there_is_said_in_both_languages(cli: CommandLine, photos: list[str], tmp_path: Path) -> None:
    assert "[album.unknown]" in cli("albums", "show", "Nowhere").err
    stranger = tmp_path / "stranger.jpg"
    stranger.write_bytes(b"x")
    assert "[album.photo_unknown]" in cli("albums", "add", "Sea", str(stranger)).err
    cli.paths.settings.write_text(SETTINGS + '[general]\nlanguage = "zh-CN"\n')
    assert cli("albums", "add", "Sea", photos[0]).out == "Sea  1 张照片\n"
    assert cli("albums", "remove", "Sea", photos[0]).out == "已从 Sea 移除 1 张照片。\n"
    assert "没有这个名称的相册" in cli("albums", "remove", "Nowhere").err
