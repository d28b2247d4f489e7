"""Before the agent has told its language, a page speaks the browser's, and is accessible in it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

STATES = {
    # name: place, scene, what is there when it stands
    "popup, the agent away": ("/popup", "offline", ".notice"),
    "not running": ("#photos", "offline", ".notice"),
    "not signed in": ("#photos", "unauthorised", ".notice"),
    "loading": ("#photos", "loading", ".loading"),
    "people loading": ("#people", "loading", ".loading"),
    "status loading": ("#status", "loading", ".loading"),
}


@pytest.fixture(scope="module")
def browser_language() -> str:
    return "zh-CN"


@pytest.mark.parametrize("state", STATES)
def test_a_page_without_an_agent_speaks_the_browsers_language_and_is_accessible(
    page: Page, visit: Callable[..., None], violations: Callable[[], list[str]], state: str
) -> None:
    place, scene, there = STATES[state]
    visit(place, scene)
    page.locator(there).first.wait_for()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert violations() == []
