"""Popup, settings, welcome and help are accessible in every state, in both languages and themes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page

if TYPE_CHECKING:
    from tests.browser.pages.conftest import InEachLanguage

Act = Callable[[Page], object]


def _nothing(_: Page) -> None:
    """It is looked at as it comes."""


def _menu(label: str) -> Act:
    def act(page: Page) -> None:
        page.locator(f"[aria-haspopup=menu] >> nth={label}").click()
        page.locator("[role=menu]").wait_for()

    return act


def _mistype(page: Page) -> None:
    page.locator('[data-key="popup.seconds"] input').fill("0")
    page.locator(".wrong svg").wait_for()


def _select(page: Page) -> None:
    page.locator('[data-key="popup.corner"] button').click()
    page.locator("[role=listbox]").wait_for()


def _switch_off(page: Page) -> None:
    page.locator("[role=switch]").first.click()
    page.locator("[role=alertdialog]").wait_for()


def _unfold(page: Page) -> None:
    page.locator("summary").first.click()


def _patterns(page: Page) -> None:
    page.locator("summary").nth(1).click()


def _copies(page: Page) -> None:
    _unfold(page)
    field = page.locator(".copies input").first
    field.fill("/photos/phone/safe")
    page.locator(".refused:not(:empty)").wait_for()
    field.fill("/safe")
    field.press("Enter")
    page.locator(".options [role=radio]").nth(1).click()
    page.locator(".options [role=combobox]").wait_for()


def _search(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("engine")
    page.locator(".content h2").first.wait_for()


def _search_in_vain(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("xyzzy")
    page.locator(".notice").wait_for()


def _remove_folder(page: Page) -> None:
    page.locator("main li header button").first.click()
    page.locator(".toast").wait_for()


def _show_code(page: Page) -> None:
    page.locator(".recovery button").click()
    page.locator(".recovery code").wait_for()


def _recognise(page: Page) -> None:
    page.locator("[role=radio]").nth(1).click()
    _unfold(page)


def _choose_folder(page: Page) -> None:
    page.locator(".add button").first.click()
    page.locator(".sum:not(:empty)").wait_for()


def _start(page: Page) -> None:
    _choose_folder(page)
    page.locator(".button.primary").click()
    page.locator(".recovery code").wait_for()


def _next(page: Page) -> None:
    """To the popup's second page of the welcome: one folder is chosen, and recognition is read about."""
    page.locator(".offered button").first.click()
    page.locator(".button.primary").click()
    _recognise(page)


def _begin(page: Page) -> None:
    _next(page)
    page.locator(".button.primary").click()
    page.locator(".recovery code").wait_for()


def _put_off(page: Page) -> None:
    page.locator("footer .button.quiet").last.click()
    page.locator(".notice").wait_for()


def _keys(page: Page) -> None:
    page.keyboard.press("?")
    page.locator("[role=dialog]").wait_for()


STATES: dict[str, tuple[str, str, str, Act]] = {
    # name: place, scene, what is there when it stands, what is done then
    "popup": ("/popup", "family", ".found", _nothing),
    "popup without recognition": ("/popup", "counts", ".found", _nothing),
    "popup with a crowd": ("/popup", "crowd", ".found", _nothing),
    "popup with a long name": ("/popup", "long", ".found", _nothing),
    "popup of a file that failed": ("/popup", "failed", ".notice", _nothing),
    "popup of a file that was set aside": ("/popup", "setaside", ".notice", _nothing),
    "popup with forty": ("/popup", "forty", ".found", _nothing),
    "popup that asks who": ("/popup", "unknown", "form input", _nothing),
    "popup in quiet": ("/popup", "quiet", "[role=status]", _nothing),
    "popup, the battery low": ("/popup", "battery", "progress", _nothing),
    "popup, a limit passed": ("/popup", "limited", "progress", _nothing),
    "popup in a burst": ("/popup", "burst", "progress", _nothing),
    "popup after a burst": ("/popup", "finished", ".notice", _nothing),
    "popup, the work paused": ("/popup", "paused", "progress", _nothing),
    "popup, nothing yet": ("/popup", "empty", ".notice", _nothing),
    "popup, no folder yet": ("/popup", "first", ".offered", _put_off),
    "popup, welcome": ("/popup", "first", ".offered", _nothing),
    "popup, welcome, the language": ("/popup", "first", ".offered", _menu("0")),
    "popup, welcome, recognition": ("/popup", "first", ".offered", _next),
    "popup, welcome, done": ("/popup", "first", ".offered", _begin),
    "popup, the agent away": ("/popup", "offline", ".notice", _nothing),
    "popup, bell": ("/popup", "family", ".found", _menu("0")),
    "popup, more": ("/popup", "family", ".found", _menu("1")),
    "settings": ("#settings", "family", ".setting", _nothing),
    "settings, a choice": ("#settings/popup", "family", ".setting", _select),
    "settings, a mistake": ("#settings/popup", "family", ".setting", _mistype),
    "settings, folded out": ("#settings/engine", "family", ".setting", _unfold),
    "settings found": ("#settings", "family", ".setting", _search),
    "settings not found": ("#settings", "family", ".setting", _search_in_vain),
    "folders": ("#settings/folders", "away", "main li", _nothing),
    "folders, patterns": ("#settings/folders", "family", "main li", _patterns),
    "folders, covered copies": ("#settings/folders", "family", "main li", _copies),
    "folders, one removed": ("#settings/folders", "family", "main li", _remove_folder),
    "recognition": ("#settings/recognition", "family", ".card", _nothing),
    "recognition, switched off": ("#settings/recognition", "family", ".card", _switch_off),
    "recovery code": ("#settings/library", "family", ".recovery", _show_code),
    "signed-in browsers": ("#settings/api", "family", "section li", _nothing),
    "welcome": ("", "first", "[role=radio]", _nothing),
    "welcome, recognition": ("", "first", "[role=radio]", _recognise),
    "welcome, a folder": ("", "first", "[role=radio]", _choose_folder),
    "welcome, the language": ("", "first", "[role=radio]", _menu("0")),
    "welcome, done": ("", "first", "[role=radio]", _start),
    "guide": ("#help/guide", "family", "article h1", _nothing),
    "guide, a task": ("#help/change-settings", "family", "article img[src$='.png']", _nothing),
    "all settings": ("#help/settings", "family", "article h1", _nothing),
    "all errors": ("#help/errors", "family", "article h1", _nothing),
    "keys": ("#settings", "family", ".setting", _keys),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible_in_each_language(
    page: Page, visit: Callable[..., None], violations: Callable[[], list[str]], in_each_language: "InEachLanguage", state: str
) -> None:
    place, scene, there, act = STATES[state]
    visit(place, scene)
    page.locator(there).first.wait_for()
    act(page)
    assert not any(found := in_each_language(violations).values()), found


@pytest.mark.parametrize(
    "state",
    [
        "settings",
        "settings, folded out",
        "folders, covered copies",
        "recognition",
        "recovery code",
        "signed-in browsers",
        "welcome, a folder",
        "guide",
        "guide, a task",
    ],
)
def test_nothing_is_wider_than_the_page_at_twice_the_size(
    page: Page, visit: Callable[..., None], in_each_language: "InEachLanguage", state: str
) -> None:
    place, scene, there, act = STATES[state]
    page.set_viewport_size({"width": 640, "height": 400})
    visit(place, scene)
    page.locator(there).first.wait_for()
    act(page)
    fits = in_each_language(lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
    assert fits == {"en": True, "zh-CN": True}
