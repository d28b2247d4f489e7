"""Controls that repeat in a list, as they are heard one by one: none is called like another."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.pages.test_pages_team import STATES

CONTROL = re.compile(r'^\s*- ((?:button|link|combobox|textbox|checkbox|radio|switch) "[^"]*")', re.MULTILINE)
SUMMARIES = "(all) => all.map((each) => each.getAttribute('aria-label') ?? each.innerText)"


def heard_twice(page: Page) -> list[str]:
    """Return the names that several controls have."""
    named = CONTROL.findall(page.locator("main").aria_snapshot()) + page.locator("main summary").evaluate_all(SUMMARIES)
    assert named
    return [name for name, times in Counter(named).items() if times > 1]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(
    ("place", "scene", "there"),
    [
        ("#incidents/5", "team", ".list > li.open"),
        ("#alerts/8", "team", ".list > li.open"),
        ("#members", "team", "section .list .sent"),
        ("#workers", "team", ".list li"),
        ("#people/conflicts", "conflicts", "section li"),
    ],
)
def test_no_two_controls_of_a_list_are_called_alike(
    page: Page, visit: Callable[..., None], place: str, scene: str, there: str, language: str
) -> None:
    visit(place, scene, language)
    page.locator(there).first.wait_for()
    assert heard_twice(page) == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_reference_photos_added_on_one_day_are_told_apart(page: Page, visit: Callable[..., None], language: str) -> None:
    place, scene, there, add = STATES["a person's reference photos"]
    visit(place, scene, language)
    page.locator(there).first.wait_for()
    add(page)
    assert heard_twice(page) == []
