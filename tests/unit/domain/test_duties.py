"""When the law asks for a filing: at its number, not after it."""

import pytest

from agent.domain.duties import FILING_PEOPLE, filing_due


@pytest.mark.parametrize(("people", "due"), [(0, False), (FILING_PEOPLE - 1, False), (FILING_PEOPLE, True), (FILING_PEOPLE + 1, True)])
def test_a_filing_is_due_from_one_hundred_thousand_people_on(people: int, due: bool) -> None:
    assert FILING_PEOPLE == 100_000
    assert filing_due(people) is due
