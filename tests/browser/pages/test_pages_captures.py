"""Captures of the screen in the popup, with a made-up agent behind it: who is covered is seen, changed by key and pointer, and kept."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect

if TYPE_CHECKING:
    from tests.browser.pages.conftest import InEachLanguage

Visit = Callable[..., None]
Act = Callable[[Page], object]


@pytest.fixture
def small(page: Page) -> Page:
    page.set_viewport_size({"width": 380, "height": 520})
    return page


def _draw(page: Page) -> None:
    page.locator("footer [aria-pressed]").click()
    page.locator(".paper").wait_for()


def _change(page: Page) -> None:
    page.locator(".cover").first.click()
    expect(page.locator(".cover").first).to_have_attribute("aria-pressed", "false")


STATES: dict[str, tuple[str, Act | None]] = {
    "copied": ("captured", None),
    "the newest of two, not copied": ("captures", None),
    "no face found": ("captured_nobody", None),
    "changed": ("captured", _change),
    "being drawn on": ("captured", _draw),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible_and_fits_in_each_language(
    small: Page, visit: Visit, violations: Callable[[], list[str]], in_each_language: "InEachLanguage", state: str
) -> None:
    scene, act = STATES[state]
    visit("/popup", scene)
    small.locator(".picture img.there").wait_for()
    if act is not None:
        act(small)
    fits = "(one => one.scrollHeight <= one.clientHeight && document.body.scrollWidth <= innerWidth)(document.querySelector('.content'))"
    found = in_each_language(lambda: {"violations": violations(), "fits": small.evaluate(fits)})
    assert found == {language: {"violations": [], "fits": True} for language in ("en", "zh-CN")}


def test_a_face_is_shown_and_covered_by_keyboard_alone_and_the_picture_comes_anew(small: Page, visit: Visit) -> None:
    visit("/popup", "captured")
    said, picture = small.locator(".rest [role=status]"), small.locator(".picture img")
    expect(said).to_have_text("Copied with 3 faces covered.")
    face = small.get_by_role("button", name="Face 2, Grandpa, covered")
    before = picture.get_attribute("src") or ""
    face.focus()
    small.keyboard.press("Space")
    shown = small.get_by_role("button", name="Face 2, Grandpa, shown")
    expect(shown).to_be_focused()
    expect(said).to_have_text("Changed since it was copied or saved.")
    expect(picture).not_to_have_attribute("src", before)
    expect(small.get_by_role("button", name="Grandpa", exact=True)).to_have_attribute("aria-pressed", "true")
    small.get_by_role("button", name="Copy again").click()
    expect(said).to_have_text("Copied with 2 faces covered.")
    expect(small.get_by_role("button", name="Copy with faces covered")).to_be_visible()


def test_whoever_is_surely_known_is_left_visible_by_name(small: Page, visit: Visit) -> None:
    visit("/popup", "captured")
    # Lin Yue is only probably on it.
    expect(small.locator(".known button")).to_have_text(["Mei", "Grandpa"])
    small.get_by_role("button", name="Mei", exact=True).click()
    expect(small.get_by_role("button", name="Face 1, Mei, shown")).to_be_visible()
    small.get_by_role("button", name="Mei", exact=True).click()
    expect(small.get_by_role("button", name="Face 1, Mei, covered")).to_be_visible()


def test_an_area_is_drawn_and_taken_away_by_key(small: Page, visit: Visit) -> None:
    visit("/popup", "captured_nobody")
    small.locator(".picture img.there").wait_for()
    small.get_by_role("button", name="Draw an area", exact=True).click()
    small.keyboard.press("Enter")
    area = small.get_by_role("button", name="Area 1, drawn by hand, covered")
    expect(area).to_be_focused()
    small.keyboard.press("Control+c")
    expect(small.locator(".rest [role=status]")).to_have_text("Copied with 1 place covered.")
    small.keyboard.press("Delete")
    expect(small.locator(".cover")).to_have_count(0)
    expect(small.locator(".stage")).to_be_focused()
    small.keyboard.press("d")
    small.locator(".paper").wait_for()
    small.keyboard.press("Escape")
    expect(small.locator(".stage")).to_be_focused()


def test_what_is_pressed_and_drawn_while_a_change_is_under_way_is_kept(small: Page, visit: Visit) -> None:
    held = list[Route]()

    def later(route: Route) -> None:
        if route.request.method == "PATCH" and len(held) == 0:
            held.append(route)
        else:
            route.continue_()

    small.route("**/api/captures/a", later)
    visit("/popup", "captured")
    small.locator(".picture img.there").wait_for()
    covers = small.locator(".cover")
    covers.nth(0).click()
    expect(covers.nth(0)).to_have_attribute("aria-pressed", "false")
    covers.nth(0).click()
    expect(covers.nth(0)).to_have_attribute("aria-pressed", "true")
    for count in (4, 5):
        small.get_by_role("button", name="Draw an area", exact=True).click()
        small.locator(".paper").press("Enter")
        expect(covers).to_have_count(count)
    small.get_by_role("button", name=re.compile("^Copy")).click()
    held[0].continue_()
    expect(small.locator(".rest [role=status]")).to_have_text("Copied with 5 places covered.")
    expect(covers).to_have_count(5)


def test_its_style_is_chosen_by_arrow_keys_and_the_weak_ones_are_said_to_be(small: Page, visit: Visit) -> None:
    visit("/popup", "captured")
    small.get_by_role("radio", name="Solid").focus()
    with small.expect_request(lambda request: request.method == "PATCH") as sent:
        small.keyboard.press("ArrowRight")
    assert sent.value.post_data_json == {"style": "mosaic"}
    expect(small.locator("fieldset .weak")).to_have_text("Blur and mosaic can be partly undone. Solid can’t.")


def test_what_is_saved_says_as_what_and_what_is_discarded_gives_way(small: Page, visit: Visit) -> None:
    visit("/popup", "captures")
    said = small.locator(".rest [role=status]")
    expect(said).to_have_text("Not copied or saved yet.")
    small.get_by_role("button", name="Save").click()
    expect(said).to_have_text("Saved as Capture 2026-11-26.png.")
    small.get_by_role("button", name="Discard").click()
    expect(said).to_have_text("Copied with 14 faces covered.")
    small.get_by_role("button", name="Discard").click()
    expect(small.locator("h1")).to_have_text("3 faces")


def _twice_by_pointer(page: Page) -> Act:
    page.get_by_role("button", name="Discard").click()

    def again(page: Page) -> None:
        page.mouse.down(click_count=2)
        page.mouse.up(click_count=2)

    return again


def _held_down(page: Page) -> Act:
    page.get_by_role("button", name="Discard").focus()
    page.keyboard.down("Enter")

    def again(page: Page) -> None:
        page.keyboard.down("Enter")  # it repeats
        page.keyboard.up("Enter")

    return again


@pytest.mark.parametrize("begin", [_twice_by_pointer, _held_down])
def test_what_is_meant_for_one_capture_does_not_discard_the_next(small: Page, visit: Visit, begin: Callable[[Page], Act]) -> None:
    visit("/popup", "captures")
    said = small.locator(".rest [role=status]")
    expect(said).to_have_text("Not copied or saved yet.")
    again = begin(small)
    expect(said).to_have_text("Copied with 14 faces covered.")
    again(small)
    small.get_by_role("button", name="Save").click()
    expect(said).to_have_text("Copied with 14 faces covered. Saved as Capture 2026-11-26.png.")


def test_the_keyboard_goes_on_in_the_popup_when_the_last_capture_is_discarded(small: Page, visit: Visit) -> None:
    visit("/popup", "captured")
    small.get_by_role("button", name="Discard").press("Enter")
    expect(small.locator("h1")).to_have_text("3 faces")
    expect(small.locator("main")).to_be_focused()
    small.keyboard.press("ArrowRight")
    expect(small.locator("h1")).not_to_have_text("3 faces")


def test_nothing_can_be_done_with_a_capture_before_it_is_there(small: Page, visit: Visit) -> None:
    held = list[Route]()
    small.route("**/api/captures", lambda route: held.append(route))
    with small.expect_request("**/api/captures"):
        visit("/popup", "captured")
    discard = small.get_by_role("button", name="Discard")
    expect(discard).to_have_count(0)
    small.route("**/api/captures", lambda route: route.continue_())  # asked before the other one
    for each in held:
        each.continue_()
    discard.press("Enter")
    expect(small.locator("h1")).to_have_text("3 faces")


def test_one_that_is_gone_says_so_and_the_cards_come_back(small: Page, visit: Visit) -> None:
    visit("/popup", "captured_gone")
    small.locator(".picture img.there").wait_for()
    small.get_by_role("button", name="Copy").click()
    expect(small.locator(".toast p")).to_have_text("This capture isn’t there any more.")
    expect(small.locator("h1")).to_have_text("3 faces")
