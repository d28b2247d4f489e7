from pathlib import Path

import pytest

from scripts import licences

KNOWN = {"MIT": "", "LGPL-3.0-only": "", "Zlib": ""}


@pytest.mark.parametrize(
    ("expression", "may"),
    [
        ("MIT", True),
        ("GPL-2.0-only", False),
        ("", False),
        ("LGPL-3.0-only OR GPL-2.0-only", True),
        ("MIT AND Zlib", True),
        ("MIT AND GPL-2.0-only", False),
        ("(MIT OR GPL-2.0-only) AND Zlib", True),
    ],
)
def test_all_that_is_joined_must_be_on_the_list_and_one_of_what_may_be_chosen(expression: str, may: bool) -> None:
    assert licences.allowed(expression, KNOWN) is may


def test_whatever_the_program_brings_along_is_on_the_list() -> None:
    rules = licences.rules()
    parts = [*licences.python_parts(rules), *licences.library_parts(rules), *licences.server_parts(rules), *licences.ui_parts(rules)]
    assert {part.where for part in parts} == {"Python", "inside wheels", licences.SERVER, "UI"}
    assert [part for part in parts if not licences.allowed(part.licence, rules["allowed"])] == []


def test_a_library_that_nobody_has_looked_at_is_found() -> None:
    rules = {**licences.rules(), "libraries": {}}
    assert not any(licences.allowed(part.licence, rules["allowed"]) for part in licences.library_parts(rules))


def test_what_is_under_the_gpl_alone_is_found_in_what_is_shipped(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libx264-d6533a8d.so.165").touch()
    (tmp_path / "lib" / "libheif.so").touch()
    [found] = licences.refused(tmp_path, licences.rules())
    assert found.startswith(str(Path("lib", "libx264-d6533a8d.so.165"))) and "GPL" in found


def test_the_texts_of_the_licences_are_found() -> None:
    names = {name for _, name in licences.texts(licences.rules())}
    assert {"numpy", "pillow", "opencv-python-headless"} <= names
