"""What the threat model names as evidence exists, and both languages name the same."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "operate" / f"threat-model{suffix}.md" for suffix in ("", ".zh-CN")]


def evidence(page: Path) -> list[str]:
    return re.findall(r"`(tests/[^`]+)`", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_test_that_is_named_as_evidence_exists(page: Path) -> None:
    assert [name for name in evidence(page) if not (ROOT / name).is_file()] == []
    assert len(evidence(page)) > 25


def test_both_languages_name_the_same_evidence() -> None:
    assert evidence(PAGES[0]) == evidence(PAGES[1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_threat_has_a_defence_and_what_shows_it(page: Path) -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    threats = [row for row in rows if len(row) == 4 and row[0] not in ("threat", "威胁")]
    assert len(threats) > 25
    assert [row for row in threats if not (row[0] and row[1] and ("`tests/" in row[2] or "](" in row[2]))] == []
