"""A button whose action takes long keeps the focus meanwhile, and a second press sends nothing more."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

Visit = Callable[..., None]
Case = tuple[str, str, str, Callable[[Page], Locator]]


def _named(name: str) -> Callable[[Page], Locator]:
    return lambda page: page.get_by_role("button", name=name)


def _first_row(page: Page) -> Locator:
    return page.locator("main li").get_by_role("button").first


def _sheet(page: Page) -> Locator:
    page.locator(".tile").first.click()
    page.keyboard.press("Control+A")
    page.locator(".bar").get_by_role("button", name="Make a covered copy…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").last.fill("/copies")
    return dialog


def _selected(page: Page) -> Locator:
    page.locator(".tile").first.click()
    page.keyboard.press("Control+A")
    return page.locator(".bar").get_by_role("button", name="Scan again")


def _welcome(page: Page) -> Locator:
    page.get_by_role("button", name="Add a folder").click()
    page.locator(".sum").wait_for()
    return page.get_by_role("button", name="Start")


def _popup_welcome(page: Page) -> Locator:
    page.get_by_role("button", name="Add “Pictures”").click()
    page.get_by_role("button", name="Next").click()
    return page.get_by_role("button", name="Start")


# Scene, place, the call that takes long, and the button.
CASES: dict[str, Case] = {
    "all online-only files": (
        "trouble",
        "#online-only",
        "**/api/online-only/look",
        _named("Scan all"),
    ),
    "one online-only file": (
        "trouble",
        "#online-only",
        "**/retry",
        _first_row,
    ),
    "a name that counts": (
        "conflicts",
        "#people/conflicts",
        "**/api/people/conflicts",
        _first_row,
    ),
    "selected photos": ("family", "#photos", "**/api/library/actions", _selected),
    "a copy for the clipboard": (
        "family",
        "/popup",
        "**/copy-covered",
        _named("Copy with faces covered"),
    ),
    "an update": ("newer", "#status", "**/api/update/install", _named("Install now and restart")),
    "a folder for copies": (
        "family",
        "#photos",
        "**/api/folders/choose",
        lambda page: _sheet(page).get_by_text("Choose", exact=True),
    ),
    "copies": ("family", "#photos", "**/api/redactions", lambda page: _sheet(page).locator("button[type=submit]").last),
    "the welcome": ("first", "", "**/api/folders", _welcome),
    "the popup's welcome": ("first", "/popup", "**/api/folders", _popup_welcome),
    "a copy that is right": ("family", "#covers/c1/1", "**/api/redactions/**", lambda page: page.locator("main header .primary")),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_keeps_the_focus_and_acts_once(page: Page, visit: Visit, case: Case) -> None:
    scene, place, call, find = case
    sent: list[Route] = []
    page.route(call, lambda route: route.fallback() if route.request.method == "GET" else sent.append(route))
    visit(place, scene)
    button = find(page)
    button.press("Enter")
    busy = page.locator("button:focus[aria-disabled=true]")
    expect(busy).to_have_count(1)
    busy.press("Enter")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    while not sent:
        page.wait_for_timeout(20)
    assert len(sent) == 1
    expect(busy).to_be_focused()
    sent[0].abort()


def test_the_keyboard_is_at_the_photos_once_the_selected_ones_are_hidden(page: Page, visit: Visit) -> None:
    visit("#photos")
    page.locator(".tile").first.click()
    page.keyboard.press("Shift+ArrowRight")
    page.locator(".bar").get_by_role("button", name="Hide").press("Enter")
    expect(page.locator(".bar")).to_have_count(0)
    expect(page.get_by_role("listbox", name="Photos")).to_be_focused()


def test_the_keyboard_is_at_the_way_out_once_the_last_photo_is_hidden(page: Page, visit: Visit) -> None:
    visit("#photos?text=4899")
    page.locator(".tile").first.click()
    page.get_by_role("listbox", name="Photos").press("Delete")
    expect(page.locator(".tile")).to_have_count(0)
    expect(page.locator(".photos").get_by_role("button")).to_be_focused()
