"""`people`, `find`, `verify`, `undo`: without a running agent, on a library with made-up faces."""

from __future__ import annotations

import json
import os
from codecs import BOM_UTF8
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING

import httpx
import pytest

from agent.domain.face import Box
from agent.domain.identity_matching import Certainty, Identity
from agent.features.people import exchange_commands
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.secret_stores import FileSecretStore
from tests.support.in_process_agent import NOW, FakeAnalyser
from tests.unit.interfaces.cli.conftest import analyser, cli, running_agent

if TYPE_CHECKING:
    from agent.domain.face import Analysis
    from agent.features.library.records import StoredFace
    from agent.features.people.queries.people_queries import PeopleQueries
    from agent.inference.engine.analyser import Analyse
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent

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
    assert "m1.jpg: No face was found" in said.err and "m2.jpg: There are 3 faces" in said.err and "2 were skipped" in said.err


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
    assert "Did you mean “Grandpa”?" in cli("find", "--person", "grandpa").err


def test_what_is_suggested_is_told_apart_from_what_the_user_confirmed(cli: CommandLine, album: Path) -> None:
    cli("people", "import", str(album))
    for name in ("m3.jpg", "m4.jpg"):
        (album / name).write_bytes(name.encode())
    cli("scan", str(album))
    with closing(open_library(cli.paths.library, FileSecretStore(cli.paths.keys))) as database:
        library = RedactionQueries(database)
        place = library.place(str(album / "m4.jpg"))
        assert place is not None and place.image_id is not None
        image = library.image(place.image_id)
        assert image is not None
        mei = next(person.id for person in library.people() if person.name == "Mei")
        library.set_identities({image.faces[0].id: Identity(mei, Certainty.PROBABLE, 1.0, 1, 2)}, now=NOW)

    found = cli("find", "--person", "Mei")
    assert sorted(Path(path).name for path in found.out.split()) == ["m1.jpg", "m2.jpg", "m3.jpg", "m4.jpg"], "paths alone go down a pipe"
    assert "4 photos: 2 confirmed, 2 suggested" in found.err
    lines = {
        Path(line["path"]).name: line["certainty"] for line in map(json.loads, cli("find", "--person", "Mei", "--json").out.splitlines())
    }
    sure = {"Mei": "confirmed"}
    assert lines == {"m1.jpg": sure, "m2.jpg": sure, "m3.jpg": {"Mei": "certain"}, "m4.jpg": {"Mei": "probable"}}
    certain = cli("find", "--person", "Mei", "--certain")
    assert sorted(Path(path).name for path in certain.out.split()) == ["m1.jpg", "m2.jpg", "m3.jpg"]
    assert cli("find", "--certain", "--unnamed").code == 2

    assert "Mei  2 faces, 2 more suggested" in cli("people", "list").out
    known = {line["name"]: line for line in map(json.loads, cli("people", "list", "--json").out.splitlines())}
    assert (known["Mei"]["confirmed"], known["Mei"]["suggested"], known["Mei"]["faces"]) == (2, 2, 4)

    more = "2 more faces are suggested, not confirmed.\n"
    merge, forget = ("people", "merge", "Mei", "--into", "Grandpa", "--dry-run"), ("people", "forget", "Mei", "--dry-run")
    assert cli(*merge).out == f"2 faces would move to Grandpa.\n{more}"
    assert cli(*forget).out == f"Mei would be forgotten, with 2 faces.\n{more}"
    planned = {"faces": 4, "confirmed": 2, "suggested": 2, "dry_run": True}
    assert json.loads(cli(*merge, "--json").out) == {"name": "Grandpa", **planned}
    assert json.loads(cli(*forget, "--json").out) == {"name": "Mei", **planned}
    assert cli("people", "merge", "Mei", "--into", "Grandpa").out == f"2 faces moved to Grandpa.\n{more}"
    assert cli("undo").out == "Undone: merging people (2 faces moved).\n"
    assert "Photos: 2" in (said := cli("people", "show", "Mei").out) and "Suggested faces: 2" in said
    rows = cli("people", "export", "--person", "Mei").out.splitlines()
    assert len(rows) == 2, "only what was confirmed is given out"
    assert json.loads(cli("record", "list", "--action", "exported", "--json").out)["number"] == 4


def test_nobody_is_renamed_to_nothing(cli: CommandLine, album: Path) -> None:
    cli("people", "import", str(album))
    said = cli("people", "rename", "Mei", " ")
    assert said.code in (1, 2) and said.out == "" and "Traceback" not in said.err and said.err.strip()
    assert "Mei  2 faces" in cli("people", "list").out


def test_photos_are_found_by_a_face_on_another_photo(cli: CommandLine, album: Path, tmp_path: Path) -> None:
    cli("people", "import", str(album))
    photo = tmp_path / "mine.jpg"
    photo.write_bytes(b"m, not in the library")
    found = cli("find", "--face", str(photo))
    meis = [str(album / "Mei" / name) for name in ("m1.jpg", "m2.jpg")]
    assert (found.code, sorted(found.out.split())) == (0, meis)
    line = json.loads(cli("find", "--face", str(photo), "--folder", str(album / "Mei"), "--json").out.splitlines()[0])
    assert line["people"] == ["Mei"] and line["path"] in meis
    for narrower in (("--person", "Grandpa"), ("--folder", str(album / "Grandpa")), ("--before", "1980-01-01")):
        assert cli("find", "--face", str(photo), *narrower).code == 1
    assert len(cli("find", "--face", str(photo), "--person", "Mei").out.splitlines()) == 2
    photo.write_bytes(b"nobody's")
    assert (cli("find", "--face", str(photo)).code, cli("find", "--which", "1", "--person", "Mei").code) == (1, 2)


def test_of_several_faces_the_largest_is_looked_for_or_the_one_that_is_said(
    cli: CommandLine, album: Path, analyser: FakeAnalyser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cli("people", "import", str(album))
    whole = analyser.analyse

    async def two_faces(task: Analyse) -> Analysis:
        one = await whole(task)
        small, large = Box(60, 5, 20, 20), Box(5, 5, 40, 40)
        faces = tuple(replace(one.faces[0], box=box, embedding=pack("<f", ord(who))) for box, who in ((small, "m"), (large, "g")))
        return replace(one, faces=faces)

    monkeypatch.setattr(analyser, "analyse", two_faces)
    photo = tmp_path / "both.jpg"
    photo.write_bytes(b"x")
    found = cli("find", "--face", str(photo))
    assert found.out == f"{album / 'Grandpa' / 'g1.jpg'}\n" and "2 faces" in found.err and "number 1 from the left" in found.err
    said = cli("find", "--face", str(photo), "--which", "2")
    assert "Mei" in said.out and "Grandpa" not in said.out and "largest" not in said.err
    beyond = cli("find", "--face", str(photo), "--which", "3")
    assert beyond.code == 2 and "only 2 faces" in beyond.err


def test_a_photo_without_a_face_cannot_be_looked_for(
    cli: CommandLine, album: Path, analyser: FakeAnalyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("people", "import", str(album))
    original = analyser.analyse

    async def no_face(task: Analyse) -> Analysis:
        return replace(await original(task), faces=())

    monkeypatch.setattr(analyser, "analyse", no_face)
    said = cli("find", "--face", str(album / "Mei" / "m1.jpg"))
    assert said.code == 1 and "m1.jpg: No face was found" in said.err and "[people.reference_no_face]" in said.err
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n')
    assert "[people.recognition_off]" in cli("find", "--face", str(album / "Mei" / "m1.jpg")).err


def test_people_are_renamed_merged_split_and_that_is_taken_back(cli: CommandLine, album: Path) -> None:
    cli("people", "import", str(album))
    assert cli("people", "rename", "Mei", "Mei Lin").code == 0
    taken = cli("people", "rename", "Mei Lin", "Grandpa")
    assert taken.code == 1 and "[people.name_taken]" in taken.err
    assert "1 face moved to Mei Lin" in cli("people", "merge", "Grandpa", "--into", "Mei Lin").out
    assert cli("people", "list").out == "Mei Lin  3 faces\n"
    assert cli("undo").out == "Undone: merging people (1 face moved).\n" and "Grandpa" in cli("people", "list").out
    assert cli("redo").out == "Redone: merging people (1 face moved).\n" and cli("undo").code == 0
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


def test_a_face_on_a_scanned_photo_is_named(cli: CommandLine, album: Path, analyser: FakeAnalyser) -> None:
    photo = album / "Mei" / "m1.jpg"
    said = cli("people", "name", str(photo), "Mei")
    assert said.code == 1 and "Scan it first" in said.err
    analyser.faces["g1.jpg"] = 3
    cli("scan", str(album))
    assert cli("people", "name", str(photo), "Mei").code == 0
    assert str(photo) in cli("find", "--person", "Mei").out
    group = album / "Grandpa" / "g1.jpg"
    said = cli("people", "name", str(group), "Grandpa")
    assert said.code == 2 and "3 faces" in said.err and "--which" in said.err
    assert cli("people", "name", str(group), "Grandpa", "--which", "4").code == 2
    assert cli("people", "name", str(group), "Grandpa", "--which", "2").code == 0
    assert cli("find", "--person", "Grandpa").out == f"{group}\n"


def test_photos_are_found_by_day_or_folder_alone_and_told_with_zeros(cli: CommandLine, album: Path) -> None:
    cli("scan", str(album))
    everything = sorted(map(str, album.rglob("*.jpg")))
    assert sorted(cli("find", "--after", "1980-01-01").out.split()) == everything
    assert cli("find", "--before", "1980-01-01").code == 1
    assert cli("find", "--folder", str(album / "Grandpa")).out == f"{album / 'Grandpa' / 'g1.jpg'}\n"
    other = album / "Other" / "a copy.jpg"
    other.parent.mkdir()
    other.write_bytes((album / "Grandpa" / "g1.jpg").read_bytes())
    cli("scan", str(other))
    assert cli("find", "--folder", str(other.parent)).out == f"{other}\n", "where it was looked for"
    assert cli("find", "--folder", str(album / "Grandpa")).out == f"{album / 'Grandpa' / 'g1.jpg'}\n"
    said = cli("find", "-0", "--folder", str(album))
    assert sorted(said.out.removesuffix("\0").split("\0")) == everything and "\n" not in said.out
    assert cli("find", "-0", "--json", "--folder", str(album)).code == 2


def test_a_dry_run_changes_nothing(cli: CommandLine, album: Path, tmp_path: Path) -> None:
    assert sorted(cli("people", "import", str(album), "--dry-run").out.splitlines()) == ["Grandpa: 1 photo", "Mei: 2 photos"]
    assert cli("people", "list").out == ""
    cli("people", "import", str(album))
    known = cli("people", "list").out
    file = tmp_path / "people.json"
    cli("people", "export", str(file))
    assert sorted(cli("people", "import", str(file), "--dry-run").out.splitlines()) == ["Grandpa: 1 face", "Mei: 2 faces"]
    assert cli("people", "merge", "Grandpa", "--into", "Mei", "--dry-run").out == "1 face would move to Mei.\n"
    split = ("people", "split", "Mei", str(album / "Mei" / "m1.jpg"), "--dry-run")
    assert cli(*split).out == "1 face would no longer be Mei.\n"
    assert cli("people", "forget", "Mei", "--dry-run").out == "Mei would be forgotten, with 2 faces.\n"
    assert cli("people", "list").out == known and "Undone: naming 2 faces" not in cli("undo").out


def test_an_export_replaces_a_file_only_if_that_is_wanted(cli: CommandLine, album: Path, tmp_path: Path) -> None:
    cli("people", "import", str(album))
    file = tmp_path / "people.json"
    file.write_text("mine")
    said = cli("people", "export", str(file))
    assert said.code == 2 and "--yes" in said.err and file.read_text() == "mine"
    assert cli("people", "export", str(file), "--yes").code == 0 and "Mei" in file.read_text()


def test_an_import_of_nothing_says_what_it_takes(cli: CommandLine, album: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = cli("people", "import", str(tmp_path / "empty"))
    assert (said.code, said.out) == (1, "") and "one folder per person" in said.err
    (tmp_path / "empty" / "Mei").mkdir()
    said = cli("people", "import", str(tmp_path / "empty"))
    assert (said.code, said.out) == (1, "") and "no photos" in said.err
    (tmp_path / "rows.csv").write_text("")
    assert cli("people", "import", str(tmp_path / "rows.csv")).code == 1


@pytest.mark.parametrize("kind", [(), ("--csv",)])
def test_what_was_exported_is_taken_in_again(cli: CommandLine, album: Path, tmp_path: Path, kind: tuple[str, ...]) -> None:
    cli("people", "import", str(album))
    file = tmp_path / "people.txt"
    assert cli("people", "export", str(file), *kind).code == 0
    assert len(file.read_text().splitlines()) == 3 + len(kind)
    cli("people", "forget", "Mei", "--yes")
    said = cli("people", "import", str(file))
    assert said.code == 0 and said.out == "2 faces were named.\n1 face had its name already.\n"
    again = cli("people", "import", str(file))
    assert again.code == 0 and again.out == "3 faces had their names already.\n"
    assert "Mei  2 faces" in cli("people", "list").out
    assert len(cli("people", "export", "--person", "Grandpa").out.splitlines()) == 1


@pytest.mark.parametrize("broken", ["Mei,short,1,1,1,1", 'Mei,"' + "x" * 200_000, "Mei,{hash},left,1,1,1"], ids=["hash", "field", "number"])
def test_a_broken_row_is_named_and_nobody_else_is(cli: CommandLine, album: Path, tmp_path: Path, broken: str) -> None:
    cli("people", "import", str(album))
    file = tmp_path / "people.csv"
    cli("people", "export", str(file), "--csv")
    head, *rows = file.read_text().splitlines()
    anna = ["Anna" + row[row.index(",") :] for row in rows]
    file.write_text("\n".join([head, *anna * 4_000, broken.format(hash="0" * 64), *anna]))
    said = cli("people", "import", str(file))
    assert said.code == 1 and f"Line {2 + 4_000 * len(rows):,} " in said.err
    assert cli("people", "list").out == "Grandpa  1 face\nMei  2 faces\n"


def test_faces_on_photos_that_are_hidden_or_away_are_exported_too(cli: CommandLine, album: Path) -> None:
    cli("people", "import", str(album))
    with closing(open_library(cli.paths.library, FileSecretStore(cli.paths.keys))) as database:
        library = RedactionQueries(database)
        library.set_hidden([1], True, now=NOW)
        library.files_gone([str(album / "Grandpa" / "g1.jpg")], now=NOW)
    assert len(cli("people", "export").out.splitlines()) == 3


@pytest.mark.parametrize(("encoding", "name"), [("gb18030", "王小美"), ("cp1252", "Zoë Müller"), ("utf-16", "王小美")])
def test_a_spreadsheet_reads_the_names_and_what_it_saves_is_taken_in(
    cli: CommandLine, album: Path, tmp_path: Path, encoding: str, name: str
) -> None:
    (album / "Mei").rename(album / "小美")
    cli("people", "import", str(album))
    file = tmp_path / "people.csv"
    said = cli("people", "export", str(file), "--csv")
    assert said.err == f"3 faces exported to {file}\n" and file.read_bytes().startswith(BOM_UTF8)
    file.write_bytes(file.read_text(encoding="utf-8-sig").replace("小美", name).encode(encoding))
    cli("people", "import", str(file))
    assert {f"{name}  2 faces", "小美  0 faces"} <= set(cli("people", "list").out.splitlines())


@pytest.mark.parametrize("kind", [(), ("--csv",)])
def test_names_that_cannot_be_read_are_no_names(cli: CommandLine, album: Path, tmp_path: Path, kind: tuple[str, ...]) -> None:
    cli("people", "import", str(album))
    file = tmp_path / "people.txt"
    cli("people", "export", str(file), *kind)
    file.write_bytes(file.read_bytes().replace(b"Mei", b"M\x8d"))
    said = cli("people", "import", str(file))
    assert said.code == 1 and "[people.import_bad_row]" in said.err
    assert cli("people", "list").out == "Grandpa  1 face\nMei  2 faces\n"


def test_an_import_is_one_step_and_is_taken_back_as_one(cli: CommandLine, album: Path, tmp_path: Path) -> None:
    cli("people", "import", str(album))
    assert cli("undo").out == "Undone: naming 3 faces.\n" and "Mei" not in cli("people", "list").out
    cli("redo")
    file = tmp_path / "people.csv"
    cli("people", "export", str(file), "--csv")
    file.write_text(file.read_text().replace("Mei,", "Anna,").replace("Grandpa,", "Xu,"))
    assert cli("people", "import", str(file)).out == "3 faces were named.\n"
    assert {"Anna  2 faces", "Xu  1 face"} <= set(cli("people", "list").out.splitlines())
    assert cli("undo").out == "Undone: naming 3 faces.\n" and cli("people", "list").out == "Grandpa  1 face\nMei  2 faces\n"


def test_a_large_import_that_is_broken_off_keeps_what_it_named(cli: CommandLine, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_commands, "NAMED_AT_ONCE", 1)
    reference, asked = exchange_commands._reference, iter([True])

    def broken_off(library: PeopleQueries, sha256: str) -> StoredFace:
        if next(asked, False):
            return reference(library, sha256)
        raise KeyboardInterrupt

    with monkeypatch.context() as while_it_is_ended:
        while_it_is_ended.setattr(exchange_commands, "_reference", broken_off)
        assert cli("people", "import", str(album)).code != 0
    assert cli("people", "list").out == "Grandpa  1 face\n"
    assert cli("people", "import", str(album)).out == "2 faces were named.\n1 face had its name already.\n"


def test_an_import_over_other_names_says_so(cli: CommandLine, album: Path) -> None:
    cli("people", "import", str(album))
    (album / "Mei").rename(album / "Anna")
    said = cli("people", "import", str(album))
    assert said.out.startswith("2 faces were named.\n2 of them had other names before;") and said.out.endswith(
        "1 face had its name already.\n"
    )
    assert "Mei  0 faces" in cli("people", "list").out
    cli("undo")
    assert json.loads(cli("people", "import", str(album), "--json").out) == {"faces": 2, "renamed": 2, "known": 1, "refused": 0}


def test_nobody_is_taken_in_while_recognition_is_off(cli: CommandLine, album: Path) -> None:
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n')
    assert "[people.recognition_off]" in cli("people", "import", str(album)).err
    assert "No people yet" in cli("people", "list").err


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
    assert cli("undo").out == "Undone: naming 1 face.\n" and running_agent.asked == ["POST /api/undo"]
    refused = {"code": "people.reference_several", "params": {"count": 2, "path": "/a.jpg"}}
    running_agent.answers["/api/verify"] = httpx.Response(422, json=refused)
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"a")
    assert "There are 2 faces" in cli("verify", str(photo), str(photo)).err
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n[recognition]\nenabled = true\n')
    running_agent.answers["/api/search/face"] = httpx.Response(422, json={"code": "image.truncated", "params": {}})
    assert "[image.truncated]" in cli("find", "--face", str(photo)).err and running_agent.asked[-1] == "POST /api/search/face"
    nobody = {"width": 1, "height": 1, "faces": [{"box": [0, 0, 1, 1], "person_id": None, "certainty": None, "found": []}]}
    running_agent.answers["/api/search/face"] = httpx.Response(200, json=nobody)
    assert cli("find", "--face", str(photo)).code == 1


@pytest.mark.parametrize("line", ['{"person": "' + "M" * 200_000, "person,sha256\n" + "M" * 200_000, '{"person": ' + "[" * 100_000])
def test_a_file_of_one_endless_row_is_not_read_to_its_end(cli: CommandLine, album: Path, line: str) -> None:
    (album / "people.json").write_text(line, encoding="utf-8")
    said = cli("people", "import", str(album / "people.json"))
    assert said.code == 1 and "[people.import_bad_row]" in said.err


@pytest.mark.skipif(os.name != "posix", reason="links need rights there")
def test_people_are_exported_nowhere_through_a_link(cli: CommandLine, album: Path, tmp_path: Path) -> None:
    (tmp_path / ".people.json.part").symlink_to(tmp_path / "elsewhere")
    assert cli("people", "export", str(tmp_path / "people.json")).code == 0
    assert not (tmp_path / "elsewhere").exists() and (tmp_path / "people.json").is_file()


def test_clusters_of_unnamed_faces_are_listed_with_photo_and_box(cli: CommandLine, album: Path) -> None:
    assert cli("scan", str(album)).code == 0
    said = cli("people", "clusters", "--json")
    [cluster] = map(json.loads, said.out.splitlines())
    assert said.code == 0 and {face["path"] for face in cluster["faces"]} == {str(album / "Mei" / name) for name in ("m1.jpg", "m2.jpg")}
    assert all(len(face["box"]) == 4 for face in cluster["faces"])
    table = cli("people", "clusters")
    assert table.out.startswith(f"Group {cluster['id']}: 2 faces\n") and "1 group." in table.err
    cli("people", "import", str(album))
    assert cli("people", "clusters", "--json").out == ""
    assert "No groups" in cli("people", "clusters").err


def test_clusters_need_recognition(cli: CommandLine) -> None:
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n')
    said = cli("people", "clusters")
    assert said.code != 0 and said.out == "" and "[people.recognition_off]" in said.err
