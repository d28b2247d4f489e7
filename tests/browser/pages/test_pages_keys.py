"""Keys that lead from page to page, and settings found by other words, with a made-up agent behind the pages."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from scripts.page_conditions import wait_for_condition

Visit = Callable[..., None]


def test_number_keys_go_to_the_pages_in_the_sidebars_order(page: Page, visit: Visit) -> None:
    visit("#photos")
    entries = page.locator("nav ul").first.locator("a.entry")
    entries.first.wait_for()
    for number in range(entries.count(), 0, -1):
        page.keyboard.press(f"Control+{number}")
        expect(entries.nth(number - 1)).to_have_attribute("aria-current", "page")
        expect(entries.nth(number - 1)).to_have_attribute("aria-keyshortcuts", f"Control+{number}")


def test_arrows_go_on_where_a_number_key_led(page: Page, visit: Visit) -> None:
    visit("#status")
    page.locator("main h1").first.wait_for()
    page.keyboard.press("Control+1")
    page.locator(".tile.photo").first.wait_for()  # the page before has tiles, too
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".large .position")).to_have_text("2 of 27")
    page.keyboard.press("Escape")
    expect(page.locator(".large")).to_have_count(0)  # while it is open it has the keys
    page.keyboard.press("Control+3")
    expect(page).to_have_url(re.compile("#people$"))  # the details of a photo list people, too
    page.locator(".people li").first.wait_for()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".people a").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".people a").nth(1)).to_be_focused()


def test_number_keys_and_search_work_from_a_name_field(page: Page, visit: Visit) -> None:
    visit("#people")
    page.locator(".groups input").first.focus()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".groups input").first).to_be_focused()
    page.keyboard.press("Control+6")
    expect(page).to_have_url(re.compile("#status$"))


def test_arrows_scroll_a_page_without_a_list(page: Page, visit: Visit) -> None:
    page.set_viewport_size({"width": 1280, "height": 420})
    visit("#photos")
    page.locator(".tile").first.wait_for()
    page.keyboard.press("Control+6")
    page.get_by_role("heading", level=1, name="Status").wait_for()  # the page before has things to scroll, too
    wait_for_condition(page, "[...document.querySelectorAll('main *')].some((part) => part.scrollHeight > part.clientHeight + 100)")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    wait_for_condition(page, "[...document.querySelectorAll('main *')].some((part) => part.scrollTop > 100)")


def test_esc_closes_one_thing_at_a_time(page: Page, visit: Visit) -> None:
    visit("#covers/c1/1")
    page.locator(".cover").first.wait_for()
    page.keyboard.press("d")
    page.locator(".paper").wait_for()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".paper")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".paper")).to_have_count(0)
    expect(page.locator(".cover").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".cover")).to_have_count(0)


def test_esc_goes_back_to_people_after_what_is_chosen_is_let_go(page: Page, visit: Visit) -> None:
    visit("#people/group-2")
    page.locator("[role=option]").first.click()
    expect(page.locator("[role=option][aria-selected=true]")).to_have_count(1)
    page.get_by_role("link", name="People").first.focus()
    page.keyboard.press("Escape")
    expect(page.locator("[role=option][aria-selected=true]")).to_have_count(0)
    field = page.locator("main input").first
    field.fill("Tina")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(field).to_have_value("Tina")
    field.fill("")
    page.keyboard.press("Escape")
    expect(page.locator(".groups li").first).to_be_visible()
    assert page.evaluate("location.hash") == "#people"
    for place in ("#people/1", "#people/review"):
        page.evaluate("(place) => (location.hash = place)", place)
        page.locator("main a.button[href='#people']").wait_for()
        page.keyboard.press("Escape")
        expect(page.locator(".groups li").first).to_be_visible()


ESCAPE_OF_AN_INPUT_METHOD = (
    "(field) => field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', isComposing: true, bubbles: true, cancelable: true}))"
)


def test_esc_of_an_input_method_leaves_what_was_typed(page: Page, visit: Visit) -> None:
    visit("#people", language="zh-CN")
    search = page.get_by_role("main").get_by_role("searchbox")
    search.fill("li")
    search.evaluate(ESCAPE_OF_AN_INPUT_METHOD)
    expect(search).to_have_value("li")
    page.keyboard.press("Control+k")
    everywhere = page.get_by_role("dialog").get_by_role("combobox")
    everywhere.fill("zhang")
    everywhere.evaluate(ESCAPE_OF_AN_INPUT_METHOD)
    expect(everywhere).to_have_value("zhang")
    page.keyboard.press("Escape")
    expect(everywhere).to_have_count(0)
    page.evaluate("location.hash = '#people/1'")
    heading = page.get_by_role("main").get_by_role("heading", level=1).get_by_role("button")
    heading.click()
    name = page.locator("main h1 + form input")
    name.fill("wang")
    name.evaluate(ESCAPE_OF_AN_INPUT_METHOD)
    expect(name).to_have_value("wang")
    page.keyboard.press("Escape")
    expect(heading).to_be_focused()
    page.evaluate("location.hash = '#settings/popup'")
    field = page.locator('[data-key="popup.seconds"] input')
    field.fill("37")
    field.evaluate(ESCAPE_OF_AN_INPUT_METHOD)
    expect(field).to_have_value("37")


@pytest.mark.parametrize(
    ("language", "wanted", "found"),
    [
        ("en", "dark", "general.theme"),
        ("en", "notification position", "popup.corner"),
        ("zh-CN", "夜间", "general.theme"),
        ("zh-CN", "waiguan", "general.theme"),
        ("zh-CN", "显卡", "engine.device"),
    ],
)
def test_a_setting_is_found_by_what_people_call_it(page: Page, visit: Visit, language: str, wanted: str, found: str) -> None:
    visit("#settings", "family", language)
    page.get_by_role("searchbox").fill(wanted)
    expect(page.locator(f'[data-key="{found}"]')).to_be_visible()


def test_a_suggested_folder_is_added_by_one_press(page: Page, visit: Visit) -> None:
    visit("#settings/folders")
    page.get_by_role("list", name="Suggested folders").get_by_role("button").first.click()
    expect(page.locator(".toast p")).to_contain_text("Pictures")


def test_the_whole_row_of_a_suggested_folder_adds_it_on_the_first_run(page: Page, visit: Visit) -> None:
    visit("/", "first")
    suggested = page.locator(".offered")
    # One is offered after the other.
    expect(suggested).to_have_count(2)
    suggested.first.locator(".count").click()
    expect(suggested).to_have_count(1)


def test_about_tells_version_places_and_licences_and_is_reached_from_the_help(page: Page, visit: Visit) -> None:
    visit("#help/guide")
    page.get_by_role("navigation", name="Help").get_by_role("link", name="About").click()
    main = page.locator("main")
    expect(main.get_by_role("heading", level=1)).to_have_text("About AI Popup")
    for told in ("Version 0.2.0", "/home/mei/.local/share/ai-popup", "Apache-2.0", "MobileFaceNet"):
        expect(main).to_contain_text(told)
    main.get_by_role("button", name="Keyboard").click()
    expect(page.get_by_role("dialog")).to_contain_text("Zoom in and out")
