"""The people with a made-up agent behind them: accessible in every state, and whole at twice the size."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect

if TYPE_CHECKING:
    from tests.browser.pages.conftest import InEachLanguage, Reach, State

Visit = Callable[..., None]


# -- accessible in every state ----------------------------------------------------------------------------------------------------


def _choose(page: Page) -> None:
    page.locator(".face").nth(1).click()
    page.locator(".face").nth(3).click(modifiers=["Shift"])
    page.locator(".bar").wait_for()


def _rename(page: Page) -> None:
    page.locator("h1 button").click()
    page.keyboard.type("Sam")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_role("button").wait_for()


def _merge(page: Page) -> None:
    page.locator(".acts button").nth(1).click()
    page.locator("[role=dialog] input").fill("a")
    page.locator(".menu [role=option]").first.wait_for()


def _forget(page: Page) -> None:
    page.locator(".forget").click()
    page.locator("[role=alertdialog]").wait_for()


def _forgotten(page: Page) -> None:
    _forget(page)
    page.locator("[role=alertdialog] .danger").click()
    page.locator(".receipt").wait_for()


def _ask(page: Page) -> None:
    page.locator(".groups input").first.fill("a")
    page.locator(".menu [role=option]").first.wait_for()


def _somebody_new(page: Page) -> None:
    page.locator(".groups input").first.fill("Zoe")
    page.locator(".basis button").click()
    page.locator("[role=option]").first.wait_for()


def _ignore(page: Page) -> None:
    page.locator(".groups .button.icon").first.click()
    page.locator(".toast").wait_for()


def _take_out(page: Page) -> None:
    page.locator(".face").nth(1).click()


def _answer_all(page: Page) -> None:
    for _ in range(12):
        page.keyboard.press("s")
    page.locator("aside .notice").wait_for()


def _search(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("qqq")
    page.locator(".none").wait_for()


def _narrow(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^(People|人物)[:：]")).click()
    page.locator(".menu .item .name").first.wait_for()
    page.locator(".menu .field").fill("a")
    page.keyboard.press("Enter")
    page.locator(".token").wait_for()


STATES: dict[str, "State"] = {
    "people": ("family", "#people", ".groups li", None),
    "people in thousands": ("many", "#people", ".groups li", None),
    "a name is asked for": ("family", "#people", ".groups li", _ask),
    "a group is ignored": ("family", "#people", ".groups li", _ignore),
    "nobody found": ("family", "#people", ".people li", _search),
    "all skipped": ("family", "#people", "aside h3", _answer_all),
    "nobody named yet": ("nobody", "#people", ".groups li", None),
    "nothing to do": ("settled", "#people", "aside .notice", None),
    "recognition off": ("counts", "#people", "main .off", None),
    "not read": ("unread", "#people", ".notice", None),
    "people loading": ("loading", "#people", ".loading", None),
    "names that differ": ("conflicts", "#people", ".strip:not(.doubts)", None),
    "names compared": ("conflicts", "#people/conflicts", "section li", None),
    "no names differ": ("family", "#people/conflicts", ".notice", None),
    "somebody new": ("family", "#people", ".groups li", _somebody_new),
    "review alone": ("family", "#people/review", "h3", None),
    "a person": ("family", "#people/1", ".face", None),
    "a person with a long name": ("family", "#people/12", ".face", None),
    "faces chosen": ("family", "#people/1", ".face", _choose),
    "a name is taken": ("family", "#people/1", ".face", _rename),
    "merging": ("family", "#people/1", ".face", _merge),
    "forgetting": ("family", "#people/1", ".face", _forget),
    "forgotten": ("family", "#people/1", ".face", _forgotten),
    "a person who is gone": ("family", "#people/777", ".notice", None),
    "a group": ("family", "#people/group-1", ".face", None),
    "faces taken out": ("family", "#people/group-1", ".face", _take_out),
    "a group that is gone": ("family", "#people/group-777", ".notice", None),
    "filter by people": ("family", "#photos", ".tile", _narrow),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible_in_each_language(
    reach: "Reach", violations: Callable[[], list[str]], in_each_language: "InEachLanguage", state: str
) -> None:
    reach(STATES[state])
    assert not any(found := in_each_language(violations).values()), found


@pytest.mark.parametrize(
    ("place", "there"),
    [
        ("#people", ".groups li"),
        ("#people/12", ".face"),
        ("#people/group-1", ".face"),
        ("#people/review", "h3"),
        ("#people/conflicts", ".notice"),
    ],
)
def test_nothing_is_wider_than_the_page_at_twice_the_size(
    page: Page, visit: Visit, in_each_language: "InEachLanguage", place: str, there: str
) -> None:
    page.set_viewport_size({"width": 640, "height": 400})
    visit(place, "family")
    page.locator(there).first.wait_for()
    fits = in_each_language(lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
    assert fits == {"en": True, "zh-CN": True}


def test_people_with_a_name_are_shown_while_the_groups_are_loaded(page: Page, visit: Visit) -> None:
    held: list[Route] = []
    page.route("**/api/groups?*", lambda route: held.append(route))
    visit("#people")
    expect(page.locator(".people a").first).to_be_visible()
    expect(page.locator(".tiles.faces")).to_have_count(1)
    for each in held:
        each.continue_()
    expect(page.locator(".groups input").first).to_be_visible()
