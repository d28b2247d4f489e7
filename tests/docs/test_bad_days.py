"""The table of bad days and the tests agree: each row's test exists, each test of a bad day has its row, both languages say the same."""

import ast
import re
from pathlib import Path

import pytest

from agent.domain.errors import leaves

ROOT = Path(__file__).parents[2]
PAGES = ["docs/bad-days.md", "docs/bad-days.zh-CN.md"]
# What goes wrong with files, not with the machine: the guide tells of them.
OTHERS = {
    "test_a_file_replaced_while_it_is_read_ends_as_what_it_is_now",
    "test_five_hundred_files_at_once",
    "test_moved_and_renamed_files_keep_their_faces",
}


def rows(page: str) -> list[list[str]]:
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    told = [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if line.startswith("| ") and not after.startswith("|--")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in told]


def found_in(name: str) -> set[str]:
    """The table leaves out the folders above, which say what kind of test it is."""
    return {test for module in (ROOT / "tests").rglob(f"{name}.py") for test in named_in(module)}


def named_in(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name for node in found if node.name.startswith("test_")}


@pytest.mark.parametrize("page", PAGES)
def test_each_row_names_a_test_that_exists_and_codes_that_exist(page: str) -> None:
    table = rows(page)
    assert len(table) > 20
    for row in table:
        assert len(row) == 5, row
        assert all(row), row
        module, _, name = row[4].strip("`").partition("::")
        assert name in found_in(module), row[4]
        codes = set(re.findall(r"`([a-z]+\.[a-z_]+)`", row[1])) - {"api.port"}
        assert codes <= leaves().keys(), codes


def test_each_test_of_a_bad_day_has_its_row() -> None:
    modules = (ROOT / "tests" / "program" / "bad_days").glob("test_bad_days*.py")
    there = {f"{module.stem}::{name}" for module in modules for name in named_in(module) - OTHERS}
    assert there <= {row[4].strip("`") for row in rows(PAGES[0])}


def test_both_languages_tell_the_same_days_by_the_same_codes_and_commands() -> None:
    english, chinese = ([[sorted(re.findall(r"`[^`]+`", cell)) for cell in row[1:3] + row[4:]] for row in rows(page)] for page in PAGES)
    assert english == chinese
