"""`people`, `find`, `verify`, `undo`: without a running agent, on a library with made-up faces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.unit.cli.conftest import analyser, cli, running_agent
from tests.world import FakeAnalyser

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine, FakeAgent

__all__ = ["analyser", "cli", "running_agent"]  # fixtures


@pytest.fixture
def album(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> Path:
    """Two photos of Mei, one of Grandpa, in a folder for each; recognition is on."""
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n[recognition]\nenabled = true\n')
    for name in ("Mei/m1.jpg", "Mei/m2.jpg", "Grandpa/g1.jpg"):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Path(name).name.encode())
    return tmp_path / "album"


def test_a_folder_of_reference_photos_per_person_is_taken_in(cli: CommandLine, album: Path) -> None:
    said = cli("people", "import", str(album))
    assert (said.code, said.out) == (0, "3 faces were named.\n")
    assert cli("people", "list").out == "Grandpa  1 face\nMei  2 faces\n"
    assert "Photos: 2" in cli("people", "show", "Mei").out


def test_a_photo_that_is_no_reference_is_refused_and_says_why(cli: CommandLine, album: Path, analyser: FakeAnalyser) -> None:
    analyser.faces["m1.jpg"] = 0
    analyser.faces["m2.jpg"] = 3
    said = cli("people", "import", str(album))
    assert said.code == 1 and said.out == "1 face was named.\n"
    assert "m1.jpg: No face was found" in said.err and "m2.jpg: There are 3 faces" in said.err and "2 were left out" in said.err


def test_photos_are_found_by_who_is_on_them(cli: CommandLine, album: Path) -> None:
    cli("people", "import", str(album))
    found = cli("find", "--person", "Mei")
    assert found.code == 0 and sorted(found.out.split()) == [str(album / "Mei" / name) for name in ("m1.jpg", "m2.jpg")]
    line = json.loads(cli("find", "--person", "Grandpa", "--json").out)
    assert line["people"] == ["Grandpa"] and line["path"] == str(album / "Grandpa" / "g1.jpg") and line["faces"] == 1
    assert cli("find", "--person", "Mei", "--person", "Grandpa").code == 1
    assert len(cli("find", "--person", "Mei", "--person", "Grandpa", "--any").out.splitlines()) == 3
    assert cli("find", "--person", "Mei", "--folder", str(album / "Grandpa")).out == ""
    assert cli("find").code == 2
    assert "Did you mean Grandpa?" in cli("find", "--person", "grandpa").err


def test_people_are_renamed_merged_split_and_that_is_taken_back(cli: CommandLine, album: Path) -> None:
    cli("people", "import", str(album))
    assert cli("people", "rename", "Mei", "Mei Lin").code == 0
    taken = cli("people", "rename", "Mei Lin", "Grandpa")
    assert taken.code == 1 and "[people.name_taken]" in taken.err
    assert "1 face moved to Mei Lin" in cli("people", "merge", "Grandpa", "--into", "Mei Lin").out
    assert cli("people", "list").out == "Mei Lin  3 faces\n"
    assert cli("undo").out == "Taken back.\n" and "Grandpa" in cli("people", "list").out
    assert cli("redo").code == 0 and cli("undo").code == 0
    split = cli("people", "split", "Mei Lin", str(album / "Mei" / "m1.jpg"), "--to", "Anna")
    assert split.code == 0 and "Anna  1 face" in cli("people", "list").out
    assert cli("people", "split", "Anna", str(album / "Grandpa" / "g1.jpg")).code == 1
    for _ in range(9):
        cli("undo")
    assert "[people.nothing_to_undo]" in cli("undo").err


def test_a_person_is_forgotten_once_that_is_confirmed(cli: CommandLine, album: Path) -> None:
    cli("people", "import", str(album))
    said = cli("people", "forget", "Mei", "--yes")
    assert said.code == 0 and "face prints 2" in said.out
    assert cli("people", "list").out == "Grandpa  1 face\n"


@pytest.mark.parametrize("kind", [(), ("--csv",)])
def test_what_was_exported_is_taken_in_again(cli: CommandLine, album: Path, tmp_path: Path, kind: tuple[str, ...]) -> None:
    cli("people", "import", str(album))
    file = tmp_path / "people.txt"
    assert cli("people", "export", str(file), *kind).code == 0
    assert len(file.read_text().splitlines()) == 3 + len(kind)
    cli("people", "forget", "Mei", "--yes")
    said = cli("people", "import", str(file))
    assert said.code == 0 and said.out == "3 faces were named.\n"
    assert "Mei  2 faces" in cli("people", "list").out
    assert len(cli("people", "export", "--person", "Grandpa").out.splitlines()) == 1


def test_a_broken_row_is_named(cli: CommandLine, album: Path, tmp_path: Path) -> None:
    cli("people", "import", str(album))
    file = tmp_path / "people.csv"
    file.write_text("person,sha256,x,y,w,h\nMei,short,1,1,1,1\n")
    said = cli("people", "import", str(file))
    assert said.code == 1 and "Line 2" in said.err


def test_nobody_is_taken_in_while_recognition_is_off(cli: CommandLine, album: Path) -> None:
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n')
    assert "[people.recognition_off]" in cli("people", "import", str(album)).err
    assert "Nobody is known yet" in cli("people", "list").err


def test_two_photos_are_compared_and_nothing_is_stored(cli: CommandLine, album: Path) -> None:
    one, other = str(album / "Mei" / "m1.jpg"), str(album / "Grandpa" / "g1.jpg")
    same = json.loads(cli("verify", one, str(album / "Mei" / "m2.jpg"), "--json").out)
    assert same == {"distance": 0.0, "same": True, "threshold": 0.9}
    assert cli("verify", one, other).out.startswith("Not the same person")
    assert cli("find", "--unnamed").out == ""


def test_a_photo_to_compare_must_show_one_face(cli: CommandLine, album: Path, analyser: FakeAnalyser) -> None:
    analyser.faces["g1.jpg"] = 2
    said = cli("verify", str(album / "Mei" / "m1.jpg"), str(album / "Grandpa" / "g1.jpg"))
    assert said.code == 1 and "g1.jpg: There are 2 faces" in said.err


def test_a_running_agent_is_asked(cli: CommandLine, running_agent: FakeAgent, tmp_path: Path) -> None:
    running_agent.answers["/api/undo"] = httpx.Response(200, json={"action": "name", "count": 1})
    assert cli("undo").out == "Taken back.\n" and running_agent.asked == ["POST /api/undo"]
    refused = {"code": "people.reference_several", "params": {"count": 2, "path": "/a.jpg"}}
    running_agent.answers["/api/verify"] = httpx.Response(422, json=refused)
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"a")
    assert "There are 2 faces" in cli("verify", str(photo), str(photo)).err
