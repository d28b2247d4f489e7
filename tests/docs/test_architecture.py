"""The files and rooms that the architecture page and the contributor's page name are there."""

import ast
import io
import re
import tokenize
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/architecture.md", "CONTRIBUTING.md", "docs/walks.md")
NAMED = re.compile(r"`((?:agent|ui/src|ui|tests|scripts|assets|docs)/[\w./-]+)`")


def named(page: str) -> list[str]:
    return NAMED.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page: str) -> None:
    assert [each for each in named(page) if "<" not in each and not (ROOT / each).exists()] == []
    assert len(named(page)) > 10


def test_each_walk_passes_at_most_twelve_files() -> None:
    text = (ROOT / "docs" / "walks.md").read_text(encoding="utf-8") + "\n##"
    walks = re.findall(r"### (.+?)\n(.*?)(?=\n##)", text, re.DOTALL)
    assert [name for name, _ in walks] == ["A dropped photo", "A naming", "A redaction", "A capture"]
    for name, walk in walks:
        assert 5 < len(NAMED.findall(walk)) <= 12, name


def test_the_wings_and_their_rooms_are_those_of_the_import_contracts() -> None:
    table = (ROOT / PAGES[0]).read_text(encoding="utf-8").split("## How rooms talk")[0]
    told = {line.split("|")[1].strip(" `/"): line for line in table.splitlines() if line.startswith("| `")}
    wings = {path.name: path for path in (ROOT / "agent").iterdir() if (path / "__init__.py").is_file()}
    assert {*told} == {*wings}
    for name, wing in wings.items():
        if name not in ("app", "domain"):  # they have no rooms
            rooms = {path.name for path in wing.iterdir() if (path / "__init__.py").is_file()}
            assert rooms == {each.rstrip("/") for each in re.findall(r"`(\w+/)`", told[name].split("|")[2])}
            assert {path.name for path in wing.glob("*.py")} == {"__init__.py"}, "every module is in a room"


# The files that every room has, as the page says; and the folders that hold one file for each room, named after it.
OF_EVERY_ROOM = {"__init__.py", "service.py", "queries.py", "records.py", "routes.py", "schemas.py", "commands.py"}
BY_ROOM = ("agent/infrastructure/store/tables/", "agent/app/server/")


def test_a_file_name_stands_for_one_thing() -> None:
    found: dict[str, list[str]] = {}
    for path in (ROOT / "agent").rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if path.name not in OF_EVERY_ROOM and not name.startswith(BY_ROOM):
            found.setdefault(path.name, []).append(name)
    assert len(found) > 500
    assert {name: sorted(paths) for name, paths in found.items() if len(paths) > 1} == {}


def test_a_class_name_stands_for_one_thing() -> None:
    found: dict[str, list[str]] = {}
    for path in (ROOT / "agent").rglob("*.py"):
        if not path.name.endswith("schemas.py"):  # the API's own names, which the routes' users know
            for each in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(each, ast.ClassDef) and not each.name.startswith("_"):
                    found.setdefault(each.name, []).append(path.relative_to(ROOT).as_posix())
    assert len(found) > 1000
    assert {name: sorted(paths) for name, paths in found.items() if len(paths) > 1} == {}


MOST_ARGUMENTS = 7
# Constructors that take more today; the numbers may only become smaller.
LARGER = {"EnginePool": 9}


def test_no_constructor_takes_more_than_seven_things() -> None:
    found: dict[str, int] = {}
    for path in (ROOT / "agent").rglob("*.py"):
        classes = [each for each in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(each, ast.ClassDef)]
        for name, made in ((each.name, made) for each in classes for made in each.body):
            if isinstance(made, ast.FunctionDef) and made.name == "__init__":
                count = len(made.args.posonlyargs) + len(made.args.args) - 1 + len(made.args.kwonlyargs)
                found[name] = max(count, found.get(name, 0))
    assert len(found) > 150
    assert {name: count for name, count in found.items() if count > LARGER.get(name, MOST_ARGUMENTS)} == {}


# Words that mean several things each, where the field has a word for each meaning. They are no identifiers any more;
# of those with a number so many are left, and the numbers may only become smaller.
RIDDLES = """whereabouts in_force patiently opinions footprints gate door arrivals bare survey ground lead taking turning"""
LEFT = {"told": 349, "said": 449, "wish": 281, "meant": 84, "given_up": 6}


def test_riddles_are_no_identifiers() -> None:
    found = Counter(
        token.string
        for path in (ROOT / "agent").rglob("*.py")
        for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
        if token.type == tokenize.NAME and token.string in {*RIDDLES.split(), *LEFT}
    )
    assert {word: count for word, count in found.items() if count > LEFT.get(word, 0)} == {}
