"""The policy and the assessment tell the truth of the program, and the same in both languages."""

import re
from pathlib import Path

import pytest

from agent.features.people.legal_thresholds import FILING_PEOPLE, FILING_WORKING_DAYS
from agent.infrastructure.core.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PAIRS = [("privacy.md", "privacy.zh-CN.md"), ("privacy-assessment.md", "privacy-assessment.zh-CN.md")]
PAGES = [page for pair in PAIRS for page in pair]
CHECKED = "2026-11-25"


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows(page: str) -> list[list[str]]:
    lines = [line for line in read(page).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def default(setting: str) -> int:
    section, key = setting.split(".")
    return int(getattr(getattr(Settings(), section), key))


@pytest.mark.parametrize("page", PAGES)
def test_the_times_and_counts_it_names_are_the_settings_defaults(page: str) -> None:
    named = re.findall(r"`([a-z]+\.[a-z_]+)`(?: \(|（)(\d+)", read(page))
    assert len(named) > 4
    assert [(setting, int(told)) for setting, told in named] == [(setting, default(setting)) for setting, _ in named]


def test_recognition_is_off_as_it_says() -> None:
    assert Settings().recognition.enabled is False


@pytest.mark.parametrize("page", PAGES)
def test_it_says_that_it_is_no_legal_advice_and_when_it_was_checked(page: str) -> None:
    assert CHECKED in read(page)
    words = " ".join(read(page).split())
    assert "no legal advice" in words or "不构成法律意见" in words


@pytest.mark.parametrize("page", PAIRS[1])
def test_the_assessment_names_the_number_at_which_the_program_says_a_filing_is_due(page: str) -> None:
    told = f"{FILING_PEOPLE:,}" if page == PAIRS[1][0] else f"{FILING_PEOPLE // 10_000} 万人"
    assert told in read(page)
    assert f"{FILING_WORKING_DAYS} working days" in read(page) or f"{FILING_WORKING_DAYS} 个工作日" in read(page)


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_rows_with_the_same_settings_files_and_gaps(english: str, chinese: str) -> None:
    def facts(page: str) -> list[list[tuple[bool, list[str]]]]:
        return [[(cell == "", sorted(re.findall(r"`[^`]+`", cell))) for cell in row] for row in rows(page)]

    assert facts(english) == facts(chinese)
