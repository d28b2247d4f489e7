"""The grid of photos in a browser: the day one is in, its tiles while it is scrolled, and days that are typed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

# the photo at the top of the grid, once it is scrolled
FIRST_IN_VIEW = """() => {
    const view = document.querySelector('.view[role=listbox]')
    const above = (tile) => tile.getBoundingClientRect().bottom <= view.getBoundingClientRect().top
    return view?.scrollTop > 0 && [...view.querySelectorAll('.tile')].find((tile) => !above(tile))?.dataset.id
}"""


def test_the_day_one_is_in_stays_in_sight_and_is_heard_with_each_photo(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "huge")
    page.locator(".tile img").first.wait_for()
    top = page.locator(".view").evaluate(
        """async (view) => {
            const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
            const above = (element) => element.getBoundingClientRect().top - view.getBoundingClientRect().top
            view.scrollTop = view.scrollHeight / 2
            await drawn()
            // Into a day by more than its heading and less than its first row: which day lies in the middle changes daily, and the
            // next one may begin out of sight.
            let day
            while (!(day = [...view.querySelectorAll('.day')].find((each) => above(each) > 0))) {
                view.scrollTop += view.clientHeight / 2
                await drawn()
            }
            view.scrollTop += above(day) + 60
            await drawn()
            const tile = [...view.querySelectorAll('.tile')].find((each) => above(each) + each.clientHeight > 44)
            const title = day.querySelector('p')
            return { title: title.querySelector('strong').textContent, begins: above(day), at: above(title), heard: tile.ariaLabel }
        }"""
    )
    assert top["begins"] == pytest.approx(-60, abs=1), "the day's own beginning is out of sight"
    assert top["at"] == pytest.approx(0, abs=1), "and its name is not"
    assert top["heard"].endswith(f", {top['title']}")


def test_photos_fit_beside_the_track_of_dates_at_any_height_of_a_phone(page: Page, visit: Callable[..., None]) -> None:
    # Photos are smaller beside the track: without it the grid may be long enough for one, and with it too short.
    page.set_viewport_size({"width": 390, "height": 700})
    visit("#photos", "team")
    page.locator(".tile img").first.wait_for()
    for height in range(700, 860, 20):
        page.set_viewport_size({"width": 390, "height": height})
        page.wait_for_function(
            """(height) => {
                const right = (element) => element.getBoundingClientRect().right
                const canvas = document.querySelector('.view .canvas')
                const tiles = [...canvas.querySelectorAll('.tile')]
                return innerHeight === height && tiles.length > 0 && Math.max(...tiles.map(right)) <= right(canvas) + 1
            }""",
            arg=height,
            timeout=5_000,
        )


def test_a_step_scrolled_in_the_moment_the_window_changes_is_not_taken_back(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "huge")
    page.locator(".tile img").first.wait_for()
    asked, came_to = page.locator(".view").evaluate(
        """async (view) => {
            const frame = () => new Promise(requestAnimationFrame)
            view.scrollTop = view.scrollHeight / 2
            await frame()
            await frame()
            // Within a frame the page hears of another size before it hears of this step.
            view.scrollTop += 200
            const asked = view.scrollTop
            view.parentElement.style.paddingBottom = '40px'
            for (let count = 0; count < 5; count++) await frame()
            return [asked, view.scrollTop]
        }"""
    )
    assert came_to == asked


def test_back_from_another_page_the_photos_are_where_they_were(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "huge")
    page.locator(".tile img").first.wait_for()
    page.locator(".view").evaluate("(view) => { view.scrollTop = view.scrollHeight / 2 }")
    shown = page.wait_for_function(FIRST_IN_VIEW).json_value()
    page.get_by_role("link", name="People").click()
    expect(page.locator(".tile")).to_have_count(0)
    page.go_back()
    page.wait_for_function(f"(shown) => ({FIRST_IN_VIEW})() === shown", arg=shown)


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
    parts = page.locator(".days input")
    parts.first.wait_for()
    assert parts.evaluate_all("(parts) => parts.slice(0, 3).map((part) => part.dataset.segment)") == list(order)
    expect(page.locator(".days [data-segment=day]").first).to_have_attribute("aria-label", name)
    parts.first.click()
    for part in order:
        page.keyboard.type({"day": "02", "month": "12", "year": "2025"}[part])
    expect(page.locator(".chip").first).to_contain_text(chip)


def test_a_finger_opens_a_photo_and_selects_by_the_mark_that_is_always_shown(chromium: Browser, made_up_agent: str) -> None:
    phone = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en")
    try:
        page = phone.new_page()
        page.goto(f"{made_up_agent}/?scene=family#photos")
        tile, bar = page.get_by_role("option").nth(1), page.get_by_role("group", name="Selected photos")
        tile.locator(".mark").tap()
        expect(tile).to_have_attribute("aria-selected", "true")
        page.get_by_role("option").nth(2).locator(".mark").tap()
        expect(bar).to_contain_text("2 selected")
        hit = bar.get_by_role("button").first.bounding_box()
        assert hit is not None and hit["height"] >= 44
        tile.tap(position={"x": 60, "y": 40})
        expect(page.locator(".large .photo")).to_be_visible()
    finally:
        phone.close()


@pytest.fixture
def far(page: Page, visit: Callable[..., None]) -> str:
    """The first photo in view, far down the grid."""
    visit("#photos", "huge")
    page.locator(".tile img").first.wait_for()
    page.locator(".view").evaluate("(view) => { view.scrollTop = view.scrollHeight / 2 }")
    return str(page.wait_for_function(FIRST_IN_VIEW).json_value())


def test_a_reload_shows_the_photos_that_were_in_view(page: Page, far: str) -> None:
    page.reload()
    page.wait_for_function(f"(id) => ({FIRST_IN_VIEW})() === id", arg=far)


def test_the_place_of_one_tab_is_not_that_of_another(page: Page, far: str) -> None:
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    with page.context.new_page() as other:
        other.goto(page.url)
        other.locator(".tile img").first.wait_for()
        assert other.locator(".view").evaluate("(view) => view.scrollTop") == 0


def test_back_from_a_photo_that_has_not_come_the_photos_are_where_they_were(page: Page, far: str) -> None:
    page.route("**/api/images/by-id?ids=1", lambda _: None)
    page.evaluate("location.hash = '#photo-1'")
    page.reload()
    expect(page.locator(".large")).to_be_visible()
    page.wait_for_function(f"(id) => ({FIRST_IN_VIEW})() === id", arg=far)
    page.go_back()
    expect(page.locator(".view")).to_be_focused()
    assert page.evaluate(FIRST_IN_VIEW) == far
