"""The assessment answers each requirement once, and names evidence that exists."""

import copy
import tomllib
from typing import Any

import pytest

from scripts.asvs import DATA, expanded, page, problems


@pytest.fixture
def data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


def test_a_range_is_each_of_its_numbers() -> None:
    assert list(expanded(["6.2.9-11", "7.1.1"])) == ["6.2.9", "6.2.10", "6.2.11", "7.1.1"]


def test_all_requirements_of_the_two_levels_are_answered(data: dict[str, Any]) -> None:
    assert problems(data) == []
    assert len([number for chapter in data["chapter"] for number in expanded(chapter["ids"])]) == 253


def test_a_missing_double_or_unproven_answer_is_told(data: dict[str, Any]) -> None:
    changed = copy.deepcopy(data)
    gone = changed["entry"].pop()
    changed["entry"].append({**changed["entry"][0], "evidence": ["tests/nowhere.py"]})
    told = problems(changed)
    assert f"{next(expanded(gone['ids']))} is not answered" in told
    assert any("is answered 2 times" in each for each in told) and any("tests/nowhere.py does not exist" in each for each in told)
    changed["entry"][0] = {**changed["entry"][0], "evidence": []}
    assert any("has no evidence" in each for each in problems(changed))


@pytest.mark.parametrize(("language", "word"), [("en", "**not met**"), ("zh", "**未满足**")])
def test_a_page_says_what_is_not_met(data: dict[str, Any], language: str, word: str) -> None:
    made = page(data, language)
    assert made.count("\n## ") == 17 and f"| {word} |" in made
