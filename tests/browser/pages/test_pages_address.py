"""What is shown of the photos stands in the address: a reload keeps it, back and forward go through it, and a link shows the same."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from playwright.sync_api import Page, expect

Visit = Callable[..., None]


def shown(page: Page, count: int) -> None:
    expect(page.locator("main .filters [role=status]")).to_have_text(f"{count} photos" if count > 1 else "1 photo")


def narrow_to_faces(page: Page, name: str) -> None:
    page.locator("main").get_by_label("Number of faces").click()
    page.get_by_role("option", name=name, exact=True).click()


def test_filters_outlast_a_reload_and_are_gone_through(page: Page, visit: Visit) -> None:
    visit("#photos")
    shown(page, 27)
    narrow_to_faces(page, "No face found")
    shown(page, 3)
    expect(page).to_have_url(re.compile(r"#photos\?faces_min=0&faces_max=0$"))
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search").fill("4890")
    page.keyboard.press("Enter")
    shown(page, 1)
    expect(page).to_have_url(re.compile(r"#photos\?text=4890$"))
    page.go_back()
    shown(page, 3)
    expect(page.locator("main").get_by_label("Number of faces")).to_contain_text("No face found")
    page.go_back()
    shown(page, 27)
    page.go_forward()
    shown(page, 3)
    page.reload()
    shown(page, 3)
    page.get_by_role("link", name="Status").click()
    page.get_by_role("link", name="Photos").click()
    shown(page, 3)
    page.get_by_role("button", name="Clear filters").click()
    shown(page, 27)
    expect(page).to_have_url(re.compile("#photos$"))


def test_the_photos_of_a_year_are_searched_for(page: Page, visit: Visit) -> None:
    visit("#photos")
    shown(page, 27)
    year = int(page.evaluate("new Date().getFullYear()"))
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search").fill(f"{year - 9}")
    expect(page.get_by_role("option", name=f"Photos from {year - 9}")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"#photos\?after={year - 9}-01-01&before={year - 9}-12-31$"))
    expect(page.get_by_role("heading", name="No photo matches")).to_be_visible()


def test_only_what_the_address_names_is_asked_for(page: Page, visit: Visit) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/library?" in request.url else None)
    visit("#photos?people=1,2&match=only&after=2024-02-30&faces_min=-4&hidden=yes")
    expect(page.get_by_role("button", name="People: Mei, Grandpa")).to_be_visible()
    expect(page.locator("main .filters [role=status]")).not_to_be_empty()
    assert {tuple(parse_qsl(url.partition("?")[2])) for url in asked} == {(("packed", "true"), ("people", "1,2"), ("match", "only"))}


def test_an_open_photo_stays_among_those_it_was_opened_from(page: Page, visit: Visit) -> None:
    visit("#photos?faces_min=0&faces_max=0")
    shown(page, 3)
    page.locator("main .tile").first.dblclick()
    large = page.locator("section.large")
    expect(large.locator(".position")).to_have_text("1 of 3")
    page.keyboard.press("ArrowRight")
    expect(large.locator(".position")).to_have_text("2 of 3")
    page.reload()
    expect(large.locator(".position")).to_have_text("2 of 3")
    page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    shown(page, 3)
    page.go_back()
    expect(large.locator(".position")).to_have_text("2 of 3")


def test_a_photo_of_an_album_is_left_for_the_album_after_a_reload(page: Page, visit: Visit) -> None:
    album = {
        "id": 7,
        "name": "Sea",
        "match": None,
        "people": [],
        "kept_back": [],
        "certain": False,
        "count": 2,
        "cover": None,
        "library": None,
    }
    page.route("**/api/albums", lambda route: route.fulfill(json={"items": [album]}))
    page.route(
        re.compile(r"/api/library\?.*album=7"), lambda route: route.continue_(url=route.request.url.replace("album=7", "images=99,98"))
    )
    visit("#albums/7")
    shown(page, 2)
    page.locator("main .tile").first.dblclick()
    large = page.locator("section.large")
    expect(large.locator(".position")).to_have_text("1 of 2")
    page.reload()
    expect(large.locator(".position")).to_have_text("1 of 2")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Sea")).to_be_visible()
    shown(page, 2)


def test_a_link_that_was_sent_shows_the_same_after_signing_in(page: Page, visit: Visit) -> None:
    visit("#photos", "signed_out")
    page.goto(page.url.replace("#photos", "&library=1#photos?faces_min=0&faces_max=0"))
    page.locator("[name=username]").fill("tomas")
    page.locator("[name=password]").fill("correct horse battery staple")
    page.keyboard.press("Enter")
    shown(page, 3)
    expect(page).to_have_url(re.compile(r"/\?library=1#photos\?faces_min=0&faces_max=0$"))
