"""When the law asks for a filing: at its number, not after it."""

from datetime import date

import pytest

from agent.features.people.legal_thresholds import FILING_PEOPLE, filing_due, is_child


@pytest.mark.parametrize(("people", "due"), [(0, False), (FILING_PEOPLE - 1, False), (FILING_PEOPLE, True), (FILING_PEOPLE + 1, True)])
def test_a_filing_is_due_from_one_hundred_thousand_people_on(people: int, due: bool) -> None:
    assert FILING_PEOPLE == 100_000
    assert filing_due(people) is due


def test_somebody_is_a_child_until_their_fourteenth_birthday() -> None:
    born = date(2012, 2, 29)
    assert is_child(born, date(2026, 2, 28)) and not is_child(born, date(2026, 3, 1))
