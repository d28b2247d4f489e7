"""Finding photos in a large library: the search, folders inside folders, favourites and the track of dates."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect


def test_the_search_leads_to_people_and_to_photos_by_name(
    page: Page, visit: Callable[..., None], violations: Callable[[], list[str]]
) -> None:
    visit("#photos")
    page.locator(".tile").first.wait_for()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search")
    expect(field).to_be_focused()
    assert violations() == []
    field.fill("4890")
    expect(page.get_by_role("option", name="Photos with “4890” in their name or folder")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove the text “4890”")).to_be_visible()
    page.get_by_role("button", name="Remove the text “4890”").click()
    expect(page.locator(".tile").nth(1)).to_be_visible()

    page.get_by_role("navigation").get_by_role("button", name="Search").click()
    field.fill("mei")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#people/"))
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    expect(page).to_have_url(re.compile("#people/"))


def test_the_search_leads_to_an_album_by_a_part_of_its_name(page: Page, visit: Callable[..., None]) -> None:
    album = {"id": 7, "name": "By the sea", "match": None, "people": [], "kept_back": [], "certain": False}
    shown = {"count": 3, "cover": None, "library": None}
    page.route("**/api/albums", lambda route: route.fulfill(json={"items": [{**album, **shown}]}))
    visit("#photos")
    page.locator(".tile").first.wait_for()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search").fill("the SEA")
    page.get_by_role("option", name="By the sea").click()
    expect(page).to_have_url(re.compile("#albums/7$"))


def test_what_is_typed_before_the_spelling_of_names_is_loaded_stays(page: Page, visit: Callable[..., None]) -> None:
    late: list[Route] = []
    page.route("**/pinyin-*.js", lambda route: late.append(route))
    visit("#photos")
    page.locator(".tile").first.wait_for()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search")
    field.fill("mei")
    with page.expect_response("**/pinyin-*.js"):
        late[0].continue_()
    option = page.get_by_role("option", name="Mei")
    option.first.wait_for()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(field).to_have_value("mei")


def test_a_folder_inside_a_watched_one_is_reached_by_the_keyboard(
    page: Page, visit: Callable[..., None], violations: Callable[[], list[str]]
) -> None:
    visit("#photos")
    page.get_by_role("button", name="Folder: All folders").click()
    expect(page.get_by_role("treeitem", name="All folders")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("treeitem", name="2025")).to_be_visible()
    assert violations() == []
    page.get_by_role("treeitem", name="2025").locator(".fold").click()
    birthday = page.get_by_role("treeitem", name="2025-11 Birthday")
    expect(birthday).to_have_attribute("aria-level", "3")
    birthday.click()
    expect(page.get_by_role("button", name="Folder: 2025-11 Birthday")).to_be_visible()
    page.get_by_role("button", name="Folder: 2025-11 Birthday").click()
    expect(birthday).to_be_focused()  # opened down to it
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(birthday).to_have_count(0)


def test_favourites_are_marked_listed_and_taken_back(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos")
    page.locator(".tile").nth(1).click()
    page.keyboard.press("s")
    expect(page.locator(".toast p").last).to_have_text("1 photo added to favourites")
    expect(page.locator(".tile .favourite")).to_have_count(1)
    page.get_by_role("button", name="Favourites").click()
    expect(page.locator(".tile")).to_have_count(1)
    page.locator(".tile").first.click()
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="No photo matches")).to_be_visible()
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(page.locator(".tile")).to_have_count(1)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_track_of_dates_leads_through_the_years(page: Page, visit: Callable[..., None], language: str) -> None:
    visit("#photos", "huge", language)
    track = page.get_by_role("slider", name="Date" if language == "en" else "日期")
    newest = track.get_attribute("aria-valuetext")
    track.focus()
    page.keyboard.press("End")
    expect(track).not_to_have_attribute("aria-valuetext", newest or "")
    last = track.get_attribute("aria-valuenow")
    assert last is not None and last == track.get_attribute("aria-valuemax")
    page.keyboard.press("ArrowUp")
    expect(track).to_have_attribute("aria-valuenow", str(int(last) - 1))
    page.keyboard.press("Home")
    expect(track).to_have_attribute("aria-valuetext", newest or "")
    box = track.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 20, box["y"] + box["height"] / 2)
    expect(track).not_to_have_attribute("aria-valuenow", "0")
    expect(page.locator(".tile img").first).to_be_visible()
