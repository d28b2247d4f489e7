"""What the first page does without comes later: at once when it is wanted, and again when it could not be read."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

REST = "**/assets/rest-*.js"


def test_a_page_that_comes_later_has_the_keyboard(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos")
    page.locator("[role=option]").first.wait_for()
    page.keyboard.press("Control+7")
    expect(page.locator("main")).to_be_focused()
    expect(page.locator(".setting").first).to_be_visible()


def test_a_page_that_could_not_be_read_is_read_when_it_is_next_gone_to(page: Page, visit: Callable[..., None]) -> None:
    page.route(REST, lambda route: route.abort())
    with page.expect_event("requestfailed"):
        visit("#settings")
    page.unroute(REST)
    expect(page.locator(".setting")).to_have_count(0)
    page.get_by_role("link", name="Status").click()
    expect(page.get_by_role("heading", level=1, name="Status")).to_be_visible()


def test_a_page_that_could_not_be_read_says_so_and_offers_to_reload(page: Page, visit: Callable[..., None]) -> None:
    page.route(REST, lambda route: route.abort())
    with page.expect_event("requestfailed"):
        visit("#settings")
    page.unroute(REST)
    expect(page.get_by_role("status").get_by_role("heading", name="This page could not be read")).to_be_visible()
    page.get_by_role("button", name="Reload").click()
    expect(page.locator(".setting").first).to_be_visible()
