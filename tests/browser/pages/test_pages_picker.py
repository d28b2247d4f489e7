"""The page that a region of the screen is chosen on, with a picture in place of the screen."""

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = [pytest.mark.own_tab]

SCREEN = '<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="800"><rect width="1280" height="800" fill="teal"/></svg>'


@pytest.fixture
def told(page: Page, made_up_agent: str) -> list[object]:
    """What the page has told the agent, once its picture is there."""
    steps = list[object]()

    def answer(route: Route) -> None:
        steps.append(route.request.post_data_json)
        route.fulfill(status=204)

    page.route("**/api/captures/frames/*", lambda route: route.fulfill(content_type="image/svg+xml", body=SCREEN))
    page.route("**/api/captures/picks/*", answer)
    # The page waits for the window beside it to be signed in.
    page.add_init_script("localStorage.setItem('session', JSON.stringify({ key: 'k', ticket: 't' }))")
    with page.expect_response("**/api/captures/picks/*"):
        page.goto(f"{made_up_agent}/picker.html#a/b/0/0/0/en")
    steps.clear()
    return steps


@pytest.mark.parametrize("across", [(300, 0), (300, 3), (2, 200), (3, 3), (0, 0)])
def test_a_line_is_no_region_and_says_again_what_to_do(page: Page, told: list[object], across: tuple[int, int]) -> None:
    hint = page.get_by_text("Drag over what you want to capture.")
    page.mouse.move(400, 300)
    page.mouse.down()
    page.mouse.move(500, 380)
    expect(hint).to_be_hidden()
    page.mouse.move(400 + across[0], 300 + across[1], steps=3)
    page.mouse.up()
    expect(hint).to_be_visible()
    expect(page.locator("#frame")).to_be_hidden()
    assert told == []


def test_what_is_thin_and_meant_is_a_region(page: Page, told: list[object]) -> None:
    page.mouse.move(400, 300)
    page.mouse.down()
    page.mouse.move(700, 304, steps=3)
    with page.expect_response("**/api/captures/picks/*"):
        page.mouse.up()
    assert told == [{"step": "chosen", "region": "400,300,300,4", "monitor": 0}]
