"""How pages lie on a screen and on a phone, in either language."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

Visit = Callable[..., None]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_buttons_of_the_welcome_stand_side_by_side_on_a_phone(page: Page, visit: Visit, language: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    visit("", "first", language)
    buttons = page.locator("main footer button")
    buttons.last.wait_for()
    middles = buttons.evaluate_all(
        "(all) => all.map((each) => each.getBoundingClientRect()).map(({ top, height }) => Math.round(top + height / 2))"
    )
    assert len(middles) == 2
    assert middles[0] == pytest.approx(middles[1], abs=1)


@pytest.mark.parametrize(("width", "place"), [(1280, "#people"), (390, "#people"), (390, "#people/1")])
def test_the_shape_of_faces_that_load_keeps_off_the_pages_frame(page: Page, visit: Visit, width: int, place: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    visit(place, "loading")
    page.locator(".tiles").wait_for()
    left, top = page.evaluate(
        """() => {
            const [frame, tile] = ['main', '.tiles i'].map((each) => document.querySelector(each).getBoundingClientRect())
            return [tile.left - frame.left, tile.top - frame.top]
        }"""
    )
    assert min(left, top) >= 12
