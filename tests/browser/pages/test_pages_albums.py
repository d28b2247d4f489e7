"""Albums in a real browser: made from a selection, put in order by keyboard and pointer, renamed, removed, and all of it undone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from agent.infrastructure.core.i18n import LANGUAGES, Texts
from tests.support.accessibility import violations

Visit = Callable[..., None]
SMALL, LARGE = {"width": 360, "height": 740}, {"width": 1280, "height": 800}


def at(page: Page, place: int) -> Locator:
    return page.locator(f"[role=option][aria-posinset='{place}']")


def right(page: Page) -> None:
    """No violation of accessibility in either theme, and nothing wider than a phone."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(page, None) == [], theme
    page.set_viewport_size(SMALL)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    page.set_viewport_size(LARGE)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_album_by_hand_is_made_put_in_order_renamed_and_removed(page: Page, visit: Visit, language: str) -> None:
    texts, name = Texts(language), "Sea"
    visit("#albums", language=language)
    expect(page.get_by_text(texts("album_page.none_text"))).to_be_visible()
    right(page)

    page.goto(page.url.partition("?")[0] + "#photos")
    expect(at(page, 4)).to_be_visible()
    order = [at(page, place).get_attribute("data-id") for place in range(1, 5)]
    at(page, 1).click()
    at(page, 4).click(modifiers=["Shift"])
    bar = page.get_by_role("group", name=texts("ui.library.batch"))
    bar.get_by_role("button", name=texts("album_page.add")).click()
    page.get_by_label(texts("album_page.new_album")).fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text(texts("album_page.added", count=4, name=name))).to_be_visible()

    page.get_by_role("link", name=texts("ui.nav.albums")).click()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    grid = page.get_by_role("listbox")
    for place, photo in enumerate(order, 1):
        expect(at(page, place)).to_have_attribute("data-id", str(photo))
    grid.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Home")
    page.keyboard.press("Alt+ArrowDown")
    expect(at(page, 2)).to_have_attribute("data-id", str(order[0]))
    at(page, 4).drag_to(at(page, 1), target_position={"x": 4, "y": 20})
    expect(at(page, 1)).to_have_attribute("data-id", str(order[3]))
    grid.focus()
    page.keyboard.press("Control+z")
    expect(at(page, 1)).to_have_attribute("data-id", str(order[1]))
    right(page)

    page.get_by_role("button", name=texts("album_page.change_name", name=name)).click()
    page.keyboard.type("Shore")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Shore")
    page.get_by_role("button", name=texts("album_page.remove"), exact=True).click()
    expect(page.get_by_text(texts("album_page.none_text"))).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_role("link", name="Shore")).to_be_visible()
    right(page)


def test_an_album_of_people_is_made_and_followed(page: Page, visit: Visit) -> None:
    texts = Texts("en")
    visit("#albums")
    page.get_by_role("button", name=texts("album_page.new"), exact=True).click()
    field = page.locator("fieldset input")
    field.fill("Mei")
    expect(page.locator("fieldset").get_by_role("button", name="Mei")).to_be_visible()
    field.press("Enter")
    expect(page.locator("fieldset li")).to_have_count(1)
    page.get_by_label(texts("album_page.name"), exact=True).fill("Family")
    page.get_by_role("button", name=texts("album_page.make"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Family")
    expect(at(page, 1)).to_be_visible()
    at(page, 1).click()
    expect(page.get_by_role("button", name=texts("album_page.take_out"))).to_have_count(0)
    page.get_by_role("button", name=texts("album_page.back")).or_(page.get_by_role("link", name=texts("album_page.back"))).first.click()
    expect(page.get_by_role("link", name="Family")).to_be_visible()
    right(page)


def test_a_new_albums_name_is_typed_at_once_and_given_up(page: Page, visit: Visit) -> None:
    texts = Texts("en")
    visit("#people")
    page.locator(".people li").first.wait_for()  # so that the choice of people is there at once, too
    page.evaluate("location.hash = '#albums'")
    page.get_by_role("button", name=texts("album_page.new"), exact=True).press("Enter")
    expect(page.locator("fieldset").get_by_role("button", name="Mei")).to_be_visible()
    expect(page.get_by_label(texts("album_page.name"), exact=True)).to_be_focused()
    right(page)
    page.get_by_role("button", name=texts("ui.cancel")).press("Enter")
    expect(page.get_by_role("button", name=texts("album_page.new"), exact=True)).to_be_focused()


def test_enter_twice_on_a_slow_line_makes_one_album(page: Page, visit: Visit) -> None:
    texts, held = Texts("en"), list[Route]()
    visit("#albums")
    page.route("**/api/albums", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    page.get_by_role("button", name=texts("album_page.new"), exact=True).click()
    page.get_by_label(texts("album_page.name"), exact=True).fill("Sea")
    for _ in range(3):
        page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=texts("album_page.make"))).to_have_attribute("aria-disabled", "true")
    for route in held:
        route.continue_()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sea")
    assert len(held) == 1


def test_an_album_that_is_gone_or_empty_has_nothing_to_filter(page: Page, visit: Visit) -> None:
    texts = Texts("en")
    visit("#albums/987654")
    expect(page.get_by_text(texts("album_page.gone"))).to_be_visible()
    expect(page.get_by_role("button", name=texts("ui.library.date.any"))).to_have_count(0)
    right(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_album_of_people_says_who_is_not_to_be_shown_and_how_they_combine(page: Page, visit: Visit, language: str) -> None:
    texts = Texts(language)
    visit("#people", language=language)
    people = page.evaluate("fetch('/api/people').then((answer) => answer.json())")[:2]
    names = texts("album_page.names_separator").join(each["name"] for each in people)
    album = {"id": 7, "name": "Sea", "match": "all", "people": [each["id"] for each in people], "certain": False}
    shown = {"kept_back": [people[0]["id"]], "count": 0, "cover": None, "library": None}
    page.route("**/api/albums", lambda route: route.fulfill(json={"items": [{**album, **shown}]}))
    page.evaluate("location.hash = '#albums'")
    expect(page.get_by_role("link", name="Sea")).to_contain_text(texts("album_page.of_all", people=names))
    page.evaluate("location.hash = '#albums/7'")
    expect(page.get_by_text(texts("album_page.kept_back", people=people[0]["name"]))).to_have_count(1)
    expect(page.get_by_text(texts("album_page.empty_people_text"))).to_have_count(0)
    right(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_several_libraries_one_is_chosen_for_a_new_album(page: Page, visit: Visit, language: str) -> None:
    texts = Texts(language)
    visit("#albums", "team", language)
    page.get_by_role("button", name=texts("album_page.new")).click()
    select = page.get_by_label(texts("team_page.libraries.one"), exact=True)
    options = select.get_by_role("option")
    expect(options).not_to_have_count(0)
    second = options.nth(1).get_attribute("value")
    select.select_option(second)
    right(page)
    page.get_by_label(texts("album_page.name"), exact=True).fill("Sea")
    with page.expect_request(lambda asked: asked.method == "POST" and asked.url.endswith("/api/albums")) as sent:
        page.get_by_role("button", name=texts("album_page.make")).click()
    assert str((sent.value.post_data_json or {})["library"]) == second
