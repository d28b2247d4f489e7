"""The grid of photos in a browser: the day one is in, its tiles while it is scrolled, and days that are typed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow


def test_the_day_one_is_in_stays_in_sight_and_is_heard_with_each_photo(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "huge")
    page.locator(".tile img").first.wait_for()
    page.locator(".view").evaluate("(view) => { view.scrollTop = view.scrollHeight / 2 + 60 }")
    top = page.locator(".view").evaluate(
        """async (view) => {
            await new Promise(requestAnimationFrame)
            const { left, top } = view.getBoundingClientRect()
            const titles = [...view.querySelectorAll('.day p')].filter((title) => title.getBoundingClientRect().bottom > top)
            const tile = [...view.querySelectorAll('.tile')].find((each) => each.getBoundingClientRect().bottom > top + 44)
            const at = titles[0].getBoundingClientRect().top - top
            return { title: titles[0].querySelector('strong').textContent, at, heard: tile.ariaLabel }
        }"""
    )
    assert top["at"] <= 0
    assert top["heard"].endswith(f", {top['title']}")


def test_tiles_are_used_again_for_the_photos_that_come_into_view(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "huge")
    page.locator(".tile img").first.wait_for()
    page.evaluate("for (const tile of document.querySelectorAll('.tile')) tile.known = true")
    page.locator(".view").evaluate("(view) => { view.scrollTop = view.scrollHeight / 2 }")
    page.locator(".tile img").first.wait_for()
    found = page.evaluate(
        """() => [...document.querySelectorAll('.tile')].map((tile) => ({
            known: tile.known === true,
            id: tile.dataset.id,
            picture: tile.querySelector('img')?.getAttribute('src') ?? `/api/images/${tile.dataset.id}/thumbnail`,
        }))"""
    )
    assert sum(tile["known"] for tile in found) > len(found) / 2
    assert all(tile["picture"] == f"/api/images/{tile['id']}/thumbnail" for tile in found), "each shows its own photo"
    assert len({tile["id"] for tile in found}) == len(found)


@pytest.mark.parametrize(
    ("language", "order", "name", "chip"),
    [("en", ("day", "month", "year"), "day", "Since 2 Dec 2025"), ("zh-CN", ("year", "month", "day"), "日", "2025年12月2日")],
)
def test_a_day_is_typed_in_the_order_of_the_programs_language(
    page: Page, visit: Callable[..., None], language: str, order: tuple[str, ...], name: str, chip: str
) -> None:
    visit("#photos", "family", language)
    page.locator(".chip").first.click()
    parts = page.locator(".days [role=spinbutton]")
    parts.first.wait_for()
    assert parts.evaluate_all("(parts) => parts.slice(0, 3).map((part) => part.dataset.segment)") == list(order)
    expect(page.locator(".days [data-segment=day]").first).to_have_attribute("aria-label", name)
    parts.first.click()
    for part in order:
        page.keyboard.type({"day": "02", "month": "12", "year": "2025"}[part])
    expect(page.locator(".chip").first).to_contain_text(chip)
