"""Covered copies with a made-up agent behind them: accessible in every state, reviewed by keyboard alone, and begun from the photos."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from scripts.page_conditions import wait_for_condition
from tests.browser.pages.answers import answer_to

if TYPE_CHECKING:
    from tests.browser.pages.conftest import InEachLanguage, Presence, Reach, State


def _ask(page: Page) -> None:
    page.locator(".tile").nth(1).click()
    page.locator(".tile").nth(3).click(modifiers=["Shift"])
    page.locator(".bar").get_by_role("button", name=re.compile("covered copy|打码副本")).click()
    page.locator("[role=dialog] .segment").nth(1).click()
    page.locator("[role=dialog] .segment").nth(1).evaluate("(one) => Promise.all(one.getAnimations().map((each) => each.finished))")


def _draw(page: Page) -> None:
    page.locator(".cover").first.wait_for()
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    expect(page.locator(".cover")).to_have_count(4)


STATES: dict[str, "State"] = {
    "batches": ("family", "#covers", "main li", None),
    "a batch under way": ("covering", "#covers", "progress", None),
    "no batch yet": ("empty", "#covers", ".notice", None),
    "a batch": ("family", "#covers/c1", "main li", None),
    "a batch that is no more": ("family", "#covers/none", ".notice", None),
    "a copy": ("family", "#covers/c1/1", ".cover", None),
    "an area drawn": ("family", "#covers/c1/1", ".cover", _draw),
    "no face found": ("family", "#covers/c1/5", "aside .none", None),
    "what moves": ("family", "#covers/c2/20", ".cover", lambda page: page.get_by_role("slider").press("End")),
    "a copy that failed": ("family", "#covers/c1/6", ".notice", None),
    "a copy in the original's place": ("family", "#covers/c3/21", ".only img", None),
    "a copy that is no more": ("family", "#covers/c1/999", ".notice", None),
    "what is asked first": ("family", "#photos", ".tile", _ask),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible_in_each_language(
    reach: "Reach", violations: Callable[[], list[str]], in_each_language: "InEachLanguage", state: str
) -> None:
    reach(STATES[state])
    assert not any(found := in_each_language(violations).values()), found


@pytest.mark.parametrize(("place", "there"), [("#covers", "main li"), ("#covers/c1", "main li"), ("#covers/c1/4", ".cover")])
def test_nothing_is_wider_than_the_page_at_twice_the_size(
    page: Page, visit: Callable[..., None], in_each_language: "InEachLanguage", place: str, there: str
) -> None:
    page.set_viewport_size({"width": 640, "height": 400})
    visit(place, "family")
    page.locator(there).first.wait_for()
    whole = "document.documentElement.scrollWidth <= innerWidth && !document.querySelector('main').scrollLeft"
    assert in_each_language(lambda: page.evaluate(whole)) == {"en": True, "zh-CN": True}


# -- one copy ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(page: Page, visit: Callable[..., None]) -> Page:
    """The first of five doubtful ones."""
    visit("#covers/c1/1")
    page.locator(".cover").first.wait_for()
    return page


def pressed(page: Page) -> list[str | None]:
    return [one.get_attribute("aria-pressed") for one in page.locator(".cover").all()]


def test_a_copy_is_put_right_by_keyboard_alone_and_the_next_doubtful_one_comes(copy: Page) -> None:
    expect(copy.locator(".cover").nth(2)).to_have_attribute("aria-label", "Face 3, covered, small, turned away")
    copy.locator(".cover").first.focus()
    copy.keyboard.press("ArrowRight")
    copy.keyboard.press("Space")
    assert pressed(copy) == ["true", "false", "true"]
    expect(copy.locator("aside h2")).to_have_text("3 faces, 2 covered")
    with copy.expect_request(lambda request: request.method == "PUT") as sent:
        copy.keyboard.press("Control+s")
    assert [mark["covered"] for mark in (sent.value.post_data_json or {})["marks"]] == [True, False, True]
    expect(copy.locator("h1")).to_have_text("IMG_4898.jpg")
    expect(copy.locator("header [role=status]")).to_have_text("IMG_4899.jpg saved. 4 to review first")


def test_tab_passes_the_faces_once_on_the_photo_and_once_in_the_list(copy: Page) -> None:
    frames, switches = copy.get_by_role("toolbar", name="Faces in the picture").get_by_role("button"), copy.locator("aside [role=switch]")
    frames.first.focus()
    copy.keyboard.press("End")
    expect(frames.nth(2)).to_be_focused()
    copy.keyboard.press("Tab")
    expect(copy.get_by_role("button", name="Draw")).to_be_focused()
    copy.keyboard.press("Shift+Tab")
    expect(frames.nth(2)).to_be_focused()
    copy.keyboard.press("d")
    copy.keyboard.press("Enter")
    expect(copy.get_by_role("button", name="Area 4, drawn by hand, covered", exact=True)).to_be_focused()
    copy.keyboard.press("Shift+Tab")
    expect(frames.nth(2)).to_be_focused()
    switches.first.focus()
    copy.keyboard.press("ArrowDown")
    expect(switches.nth(1)).to_be_focused()
    copy.keyboard.press("Tab")
    expect(copy.locator("aside input[type=radio]:checked")).to_be_focused()


def test_what_was_done_is_taken_back_and_done_again(copy: Page) -> None:
    copy.locator(".cover").first.click()
    copy.locator("aside label").nth(3).click()
    expect(copy.locator(".fills .fill.emoji")).to_have_count(2)
    copy.keyboard.press("Control+z")
    copy.keyboard.press("Control+z")
    assert pressed(copy) == ["true", "true", "true"]
    expect(copy.locator(".fills .fill.solid")).to_have_count(3)
    expect(copy.get_by_role("button", name="Approve")).to_be_visible()
    copy.keyboard.press("Control+Shift+z")
    assert pressed(copy) == ["false", "true", "true"]
    expect(copy.get_by_role("button", name="Save")).to_be_visible()


def test_an_area_is_drawn_where_the_pointer_went(copy: Page) -> None:
    copy.keyboard.press("d")
    copy.mouse.move(300, 600)
    copy.mouse.down()
    copy.mouse.move(380, 660, steps=3)
    copy.mouse.up()
    drawn = copy.get_by_role("button", name=re.compile("Area 4"))
    expect(drawn).to_be_focused()
    box = drawn.bounding_box()
    assert box is not None
    assert [round(box[side]) for side in ("x", "y", "width", "height")] == [300, 600, 80, 60]


def test_an_area_is_set_moved_and_removed_by_key(copy: Page) -> None:
    copy.keyboard.press("d")
    copy.keyboard.press("Enter")
    drawn = copy.get_by_role("button", name="Area 4, drawn by hand, covered", exact=True)
    expect(drawn).to_be_focused()
    before = drawn.bounding_box()
    copy.keyboard.press("ArrowRight")
    copy.keyboard.press("Shift+ArrowDown")
    after = drawn.bounding_box()
    assert before is not None and after is not None
    assert after["x"] > before["x"] and after["height"] > before["height"] and after["width"] == pytest.approx(before["width"])
    copy.keyboard.press("Delete")
    expect(copy.locator(".cover")).to_have_count(3)


def test_the_keyboard_goes_on_where_an_area_went(copy: Page) -> None:
    for _ in range(2):
        copy.keyboard.press("d")
        copy.keyboard.press("Enter")
    expect(copy.get_by_role("button", name="Area 5, drawn by hand, covered", exact=True)).to_be_focused()
    copy.keyboard.press("Delete")
    expect(copy.get_by_role("button", name="Area 4, drawn by hand, covered", exact=True)).to_be_focused()
    copy.get_by_role("button", name="Remove area 4").press("Enter")
    expect(copy.get_by_role("switch", name="Face 3")).to_be_focused()
    copy.keyboard.press("d")
    copy.keyboard.press("Enter")
    expect(copy.get_by_role("button", name="Area 4, drawn by hand, covered", exact=True)).to_be_focused()
    copy.keyboard.press("Control+z")
    expect(copy.locator("section.editor")).to_be_focused()


def test_in_what_moves_a_face_is_where_it_is_in_each_frame_and_changed_in_all(page: Page, visit: Callable[..., None]) -> None:
    visit("#covers/c2/20")
    page.locator(".cover").first.wait_for()
    faces, slider = page.locator("aside li"), page.get_by_role("slider")
    before = page.locator(".cover").first.bounding_box()
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "Frame 4 of 12")
    expect(page.locator("img")).to_have_attribute("src", re.compile("moment=3"))
    wait_for_condition(page, "(x) => document.querySelector('.cover').getBoundingClientRect().x > x", before["x"] if before else 0)

    slider.press("End")
    expect(page.locator(".cover")).to_have_count(faces.count() - 1)
    page.get_by_role("button", name=re.compile("^Show a frame with")).click()
    expect(page.locator(".cover")).to_have_count(faces.count())
    page.locator(".cover").first.click()
    expect(faces.first).to_contain_text("shown", ignore_case=True)
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    slider.press("End")
    expect(page.locator(".cover")).to_have_count(faces.count() - 1)  # the area is in all frames
    page.keyboard.press("Control+s")
    page.locator("[role=status]", has_text="saved").wait_for()


def test_a_frame_that_does_not_come_holds_up_no_other(page: Page, visit: Callable[..., None]) -> None:
    page.route("**/preview?of=original*moment=3", lambda route: route.abort())
    visit("#covers/c2/20")
    page.locator(".cover").first.wait_for()
    slider, missing = page.get_by_role("slider"), page.locator(".stage .missing")
    slider.press("ArrowRight")
    expect(missing).to_contain_text("can’t be shown at this point")
    expect(page.locator(".cover")).to_have_count(0)
    slider.press("ArrowRight")
    page.locator(".cover").first.wait_for()
    expect(page.locator(".stage img")).to_have_attribute("src", re.compile("moment=4"))
    expect(page.locator(".stage img")).to_be_visible()
    expect(missing).to_have_count(0)
    slider.press("ArrowLeft")
    missing.wait_for()


def test_the_original_is_seen_only_while_the_key_is_held(copy: Page) -> None:
    fill = copy.locator(".fills .fill").first
    copy.keyboard.down("o")
    expect(fill).to_be_hidden()
    copy.keyboard.up("o")
    expect(fill).to_be_visible()


def test_a_cover_is_drawn_no_further_than_the_photo(page: Page, visit: Callable[..., None]) -> None:
    def beyond(route: Route) -> None:
        answer = answer_to(route).json()
        answer["marks"][0]["box"][1] = -answer["marks"][0]["box"][3] / 2
        route.fulfill(json=answer)

    page.route("**/api/redaction-items/1", beyond)
    visit("#covers/c1/1")
    cover, photo = page.locator(".cover").first.bounding_box(), page.locator(".stage img").bounding_box()
    assert cover is not None and photo is not None
    assert cover["y"] < photo["y"] - 6
    drawn = "([x, y]) => document.elementsFromPoint(x, y).some((each) => each.matches('.fill'))"
    middle = cover["x"] + cover["width"] / 2
    assert not page.evaluate(drawn, [middle, photo["y"] - 3])
    assert page.evaluate(drawn, [middle, photo["y"] + 3])


def test_an_uncovered_photo_is_gone_from_the_page_when_its_copy_is_left(copy: Page) -> None:
    copy.keyboard.press("Escape")
    copy.locator("main li").first.wait_for()
    expect(copy.locator("img[src*='of=original']")).to_have_count(0)


def test_a_copy_that_is_saved_slowly_takes_nobody_back_who_went_elsewhere(copy: Page) -> None:
    held = list[Route]()
    copy.route("**/api/redaction-items/1/marks", lambda route: held.append(route))
    copy.locator(".cover").first.click()
    with copy.expect_request("**/marks"):
        copy.keyboard.press("Control+s")
    copy.get_by_role("link", name="Photos").click()
    copy.locator(".tile").first.wait_for()
    held[0].continue_()
    expect(copy.locator(".toast")).to_contain_text("IMG_4899.jpg saved.")
    expect(copy).to_have_url(re.compile("#photos$"))


@pytest.mark.parametrize(("first", "asked"), [(True, "**/redaction-items/1/marks"), (False, "**/redactions/c1/accept")])
def test_whoever_changes_more_while_a_copy_is_saved_or_said_to_be_right_stays_with_it(copy: Page, first: bool, asked: str) -> None:
    held = list[Route]()
    copy.route(asked, lambda route: held.append(route))
    if first:
        copy.locator(".cover").first.click()
    with copy.expect_request(asked):
        copy.keyboard.press("Control+s")
    copy.locator(".cover").nth(1).click()
    held[0].continue_()
    expect(copy.locator(".toast")).to_contain_text("IMG_4899.jpg")
    expect(copy.locator("h1")).to_have_text("IMG_4899.jpg")
    assert pressed(copy) == ["false" if first else "true", "false", "true"]
    expect(copy.get_by_role("button", name="Save")).to_be_enabled()


def test_where_nothing_is_covered_no_style_is_offered_that_would_not_hold(page: Page, visit: Callable[..., None]) -> None:
    visit("#covers/c1/5")
    page.locator("aside .none").wait_for()
    expect(page.get_by_role("radio")).to_have_count(0)
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    page.locator("aside label").nth(1).click()
    expect(page.locator(".fills .fill.mosaic")).to_have_count(1)


def test_what_was_changed_and_not_saved_is_still_there(copy: Page) -> None:
    copy.locator(".cover").first.click()
    copy.keyboard.press("Escape")
    copy.locator("main li a").first.click()
    copy.locator(".cover").first.wait_for()
    assert pressed(copy) == ["false", "true", "true"]


def test_all_doubtful_ones_are_gone_through_with_one_key(copy: Page) -> None:
    for name in ("IMG_4899", "IMG_4898", "IMG_4897", "IMG_4896", "IMG_4895"):
        expect(copy.locator("h1")).to_have_text(f"{name}.jpg")
        expect(copy.get_by_role("button", name="Approve")).to_be_visible()
        copy.keyboard.press("Control+s")
    expect(copy.locator("main li")).to_have_count(14)
    expect(copy.locator("a.needs_review")).to_have_count(0)


# -- a batch -------------------------------------------------------------------------------------------------------------------------


def _keeping_mei(page: Page) -> Locator:
    """Asks for copies of some photos on which Mei is to stay visible, as fast as the keys go."""
    page.locator(".tile").first.wait_for()
    _ask(page)
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Add a person").fill("Mei")
    page.keyboard.press("Enter")
    return dialog


def test_everyone_but_nobody_asks_who_stays_visible(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos")
    dialog = _keeping_mei(page)
    dialog.get_by_role("button", name="Cover Mei too").click()
    dialog.get_by_label("Where to").fill("/home/mei/safe")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert").first).to_have_text("Choose who stays visible, or cover everyone.")
    expect(dialog.get_by_role("combobox", name="Add a person")).to_be_focused()
    dialog.get_by_role("radio", name="Everyone", exact=True).click()
    dialog.get_by_role("button", name="Make copies").click()
    expect(dialog).to_have_count(0)


def test_batches_are_told_apart_and_a_stopped_one_makes_the_rest(page: Page, visit: Callable[..., None]) -> None:
    visit("#covers")
    stopped = page.locator("main li", has_text="Stopped: 1 copy not made")
    expect(stopped).to_contain_text("3 copies in holiday-safe")
    expect(stopped).to_contain_text("Solid, everyone but Mei Lin")
    expect(stopped.locator("img")).to_be_visible()
    stopped.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Stopped before they were made")).to_be_visible()
    with page.expect_request("**/api/redactions/c3/retry"):
        page.get_by_role("button", name="Make the rest").click()


def test_where_no_dialog_can_be_opened_the_path_is_typed(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "undialogued")
    page.locator(".tile").first.wait_for()
    _ask(page)
    dialog = page.get_by_role("dialog")
    choose = dialog.get_by_role("button", name="Choose", exact=True)
    choose.click()
    expect(choose).to_have_count(0)
    expect(dialog.get_by_text("Type the folder’s full path")).to_be_visible()
    expect(dialog.get_by_label("Where to")).to_be_focused()


def test_copies_of_chosen_photos_are_begun_and_told_of(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos")
    dialog = _keeping_mei(page)
    dialog.get_by_role("button", name="Cover Mei too").wait_for()
    dialog.get_by_role("button", name="Make copies").click()
    expect(dialog.get_by_role("alert")).to_have_text("Choose the folder that the copies go to.")
    page.keyboard.type("/")
    expect(dialog.get_by_role("alert")).to_have_text("")
    page.keyboard.press("Backspace")
    dialog.get_by_label("Where to").fill("/nowhere")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("can’t be written to")
    dialog.get_by_label("Where to").fill("/home/mei/safe")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.keyboard.press("Enter")
    wanted = sent.value.post_data_json
    assert wanted is not None
    assert (wanted["out"], wanted["style"], wanted["keep"], wanted["strip"]) == ("/home/mei/safe", "solid", ["Mei"], True)
    assert len(wanted["images"]) == 3
    expect(dialog).to_have_count(0)
    told = page.locator(".toast", has_text="3 covered copies made")
    told.get_by_role("link", name="Show").click()
    expect(page.locator("main li")).to_have_count(3)


def test_an_answer_to_a_sheet_that_was_left_is_told_and_closes_no_other(page: Page, visit: Callable[..., None]) -> None:
    held = list[Route]()
    page.route("**/api/redactions", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    visit("#photos")
    page.locator(".tile").first.wait_for()
    dialog = page.get_by_role("dialog")
    for folder in ("/nowhere", "/home/mei/safe"):
        _ask(page)
        dialog.get_by_role("radio", name="Everyone", exact=True).click()
        dialog.get_by_label("Where to").fill(folder)
        with page.expect_request("**/api/redactions"):
            page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    held[0].continue_()
    expect(page.locator(".banners")).to_contain_text("can’t be written to")
    _ask(page)
    held[1].continue_()
    page.locator(".toast", has_text="3 covered copies made").wait_for()
    expect(dialog).to_be_visible()


def test_enter_is_not_lost_on_a_name_that_is_not_known_yet(page: Page, visit: Callable[..., None]) -> None:
    held = list[Route]()
    holding = True

    def people_asked(route: Route) -> None:
        # A busy page may ask only after Enter was pressed; nothing holds it up then.
        if holding:
            held.append(route)
        else:
            route.continue_()

    page.route(re.compile(r"/api/people(\?|$)"), people_asked)
    visit("#photos")
    dialog = _keeping_mei(page)
    expect(dialog.get_by_role("button", name="Cover Mei too")).to_have_count(0)
    holding = False
    for each in held:
        each.continue_()
    dialog.get_by_role("button", name="Cover Mei too").wait_for()


def test_a_batch_is_accepted_and_tried_again(page: Page, visit: Callable[..., None]) -> None:
    visit("#covers/c1")
    page.get_by_role("button", name="Approve all").click()
    expect(page.locator("a.needs_review")).to_have_count(0)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("a.failed")).to_have_count(0)


def test_who_planned_copies_for_publishing_is_not_offered_to_approve_them(page: Page, visit: Callable[..., None]) -> None:
    asked: list[str] = []

    def awaits_colleague(route: Route) -> None:
        said = (answer := route.fetch()).json()
        for each in said.get("items", [said.get("item")]):
            each["awaits_colleague"] = each["state"] == "needs_review"
        route.fulfill(response=answer, json=said)

    page.route(re.compile(r"/api/(redactions/c1/items|redaction-items/\d+)(\?|$)"), awaits_colleague)
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/accept") else None)
    visit("#covers/c1")
    waiting = page.locator("a.needs_review")
    waiting.first.wait_for()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_role("button", name="Approve all")).to_have_count(0)
    waiting.first.click()
    expect(page.locator("main [role=status]").first).to_contain_text("Waits for a colleague’s approval.")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    page.keyboard.press("Control+s")
    expect(page.get_by_role("button", name="Next")).to_be_visible()
    assert asked == []


def _pressed_twice(button: Locator) -> None:
    button.click()
    button.click(force=True)


def _enter_held(button: Locator) -> None:
    button.focus()
    button.page.keyboard.down("Enter")
    button.page.keyboard.down("Enter")  # it repeats
    button.page.keyboard.up("Enter")


@pytest.mark.parametrize("press", [_pressed_twice, _enter_held, lambda button: button.dblclick()])
def test_that_all_are_right_is_said_once(page: Page, visit: Callable[..., None], press: Callable[[Locator], None]) -> None:
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" and "/redactions/c1/" in request.url else None)
    held = list[Route]()
    page.route("**/redactions/c1/accept", lambda route: held.append(route))
    visit("#covers/c1")
    button = page.get_by_role("button", name="Approve all")
    button.wait_for()
    with page.expect_request("**/accept"):
        press(button)
    while not held:  # it is told of a request before it is asked what becomes of it
        page.wait_for_timeout(10)
    for each in held:
        each.continue_()
    expect(page.locator(".toast p")).to_have_text("5 copies approved")
    expect(button).to_have_count(0)
    page.mouse.down(click_count=2)  # a slow answer's second press is not for the button that came into its place
    page.mouse.up(click_count=2)
    assert [url.rsplit("/", 1)[1] for url in asked] == ["accept"]
    expect(page.locator("a.failed")).to_have_count(1)


def test_the_keyboard_goes_on_with_the_copies_when_all_are_right(page: Page, visit: Callable[..., None]) -> None:
    visit("#covers/c1")
    page.get_by_role("button", name="Approve all").press("Enter")
    expect(page.locator("a.needs_review")).to_have_count(0)
    expect(page.locator("main li a").first).to_be_focused()


def test_the_keyboard_stays_with_its_copy_and_goes_on_where_that_was(page: Page, visit: Callable[..., None]) -> None:
    becomes: dict[str, str] | None = {}

    def later(route: Route) -> None:
        answer = answer_to(route).json()
        one = next(each for each in answer["items"] if each["id"] == wanted)
        if becomes is None:
            answer["items"].remove(one)
        else:
            one.update(becomes)
        route.fulfill(json=answer)

    visit("#covers/c4", "covering")
    link = page.locator("a.planned").nth(2)
    place = link.get_attribute("href") or ""
    wanted = int(place.rsplit("/", 1)[1])
    link.focus()
    becomes = {"state": "done"}
    page.route("**/redactions/c4/items*", later)
    one = page.locator(f"a.done[href='{place}']")
    expect(one).to_be_focused()
    becomes = None
    expect(one).to_have_count(0)
    expect(page.locator("main li a").nth(11)).to_be_focused()  # the twelfth before, the last that was made
    page.unroute("**/redactions/c4/items*")
    page.get_by_role("button", name="Stop").press("Enter")
    expect(page.locator("main li a").first).to_be_focused()


def test_the_keyboard_goes_on_with_the_first_of_those_that_came(page: Page, visit: Callable[..., None]) -> None:
    asked = False

    def some(route: Route) -> None:
        nonlocal asked
        asked = asked or "offset=9" in route.request.url
        answer = answer_to(route).json()
        route.fulfill(json=answer if asked else {**answer, "items": answer["items"][:10]})

    page.route("**/redactions/c1/items*", some)
    visit("#covers/c1")
    page.get_by_role("button", name="Show more").press("Enter")
    expect(page.locator("main li")).to_have_count(14)
    expect(page.locator("main li a").nth(10)).to_be_focused()


def test_a_batch_is_stopped(page: Page, visit: Callable[..., None]) -> None:
    visit("#covers/c4", "covering")  # a test of its own: what the page before asked late would begin the made-up agent's batches anew
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("main li")).to_have_count(11)


def test_a_copy_that_failed_is_tried_again_where_it_says_so(page: Page, visit: Callable[..., None]) -> None:
    visit("#covers/c1/6")
    expect(page.locator(".notice")).to_contain_text("Free some space, then try again.")
    again = page.locator(".notice").get_by_role("button", name="Try again", exact=True)
    with page.expect_request("**/redactions/c1/retry"):
        again.press("Enter")
    page.locator(".cover").first.wait_for()
    expect(page.locator(".editor")).to_be_focused()


def _press(page: Page, words: str) -> None:
    """Not waiting for it: a page that reads anew by itself at this very moment needs it no more."""
    page.evaluate("words => [...document.querySelectorAll('button')].find((each) => each.textContent.trim() === words)?.click()", words)


def test_a_change_that_failed_is_made_by_trying_again(copy: Page) -> None:
    failed = {
        "state": "failed",
        "editable": False,
        "error": {"code": "x", "cause": "Disk full.", "remedy": "Free some space.", "params": {}},
    }
    trying = False

    def refused(route: Route) -> None:
        answer = answer_to(route).json()
        if not trying:
            answer.get("item", answer).update(failed)
        route.fulfill(json=answer)

    def tried(route: Route) -> None:
        nonlocal trying
        trying = True
        route.continue_()

    copy.route("**/redaction-items/1", refused)
    copy.route("**/redaction-items/1/marks", refused)
    copy.route("**/redactions/c1/retry", tried)
    copy.locator(".cover").first.click()
    copy.keyboard.press("Control+s")
    expect(copy.locator("aside [role=alert]")).to_have_text("Disk full. Free some space.")
    expect(copy.get_by_role("button", name="Save")).to_have_count(0)
    copy.locator("aside").get_by_role("button", name="Try again").wait_for()
    _press(copy, "Try again")
    expect(copy.locator(".cover").first).to_have_attribute("aria-pressed", "false")
    expect(copy.locator("aside [role=alert]")).to_have_count(0)


def test_that_all_that_failed_are_tried_again_is_said_first(page: Page, visit: Callable[..., None]) -> None:
    def two_failed(route: Route) -> None:
        route.fulfill(json={**answer_to(route).json(), "failed": 2})

    page.route("**/api/redactions/c1", two_failed)
    visit("#covers/c1/6")
    page.locator(".notice").get_by_role("button", name="Try all 2 again").wait_for()


# -- the agent is away and back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "button"), [("#covers/c1/1", "Approve"), ("#covers/c1", "Approve all")])
def test_what_is_shown_is_read_anew_once_the_agent_is_back(
    page: Page, presence: "Presence", visit: Callable[..., None], place: str, button: str
) -> None:
    visit(place)
    doubtful = page.get_by_role("button", name=button)
    doubtful.wait_for()
    presence.goes()
    page.locator(".banners").wait_for()
    page.request.post(page.url.split("?")[0] + "api/redactions/c1/accept", data={"ids": None})
    presence.returns()
    expect(doubtful).to_have_count(0)


def test_a_copy_is_said_to_be_away_only_where_the_agent_said_so(page: Page, presence: "Presence", visit: Callable[..., None]) -> None:
    visit("#covers/c1/1")
    page.locator(".cover").first.wait_for()
    presence.goes()
    page.locator(".banners").wait_for()
    page.evaluate("location.hash = '#covers/c1/2'")
    expect(page.locator(".notice h2")).to_have_text("AI Popup isn’t running")
    presence.returns()
    page.locator(".cover").first.wait_for()
    page.evaluate("location.hash = '#covers/c1/999'")
    expect(page.locator(".notice h2")).to_have_text("This copy is no longer listed")


def test_an_original_is_not_said_to_be_gone_while_the_agent_is_and_comes_with_it(
    page: Page, presence: "Presence", visit: Callable[..., None]
) -> None:
    page.route("**/preview?of=original*", lambda route: route.abort())
    visit("#covers/c1/1")
    missing = page.locator(".stage .missing")
    expect(missing).to_contain_text("moved or deleted")
    presence.goes()
    expect(missing).to_contain_text("AI Popup isn’t running.")
    page.unroute("**/preview?of=original*")
    presence.returns()
    page.locator(".cover").first.wait_for()


@pytest.mark.parametrize(
    ("place", "asked"),
    [("#covers", "**/api/redactions?*"), ("#covers/c1", "**/redactions/c1"), ("#covers/c1/1", "**/redaction-items/1")],
)
def test_what_could_not_be_read_says_so_and_is_read_by_one_press(page: Page, visit: Callable[..., None], place: str, asked: str) -> None:
    problem = {"code": "store.failed", "cause": "It went wrong.", "remedy": "Try again.", "params": {}}
    page.route(asked, lambda route: route.fulfill(status=500, json=problem))
    visit(place)
    expect(page.locator(".notice h2")).to_have_text("The copies could not be loaded")
    page.get_by_role("button", name="Reload").wait_for()
    page.unroute(asked)
    _press(page, "Reload")
    page.locator(".cover, main li").first.wait_for()
    expect(page.locator(".notice")).to_have_count(0)


def test_messages_leave_the_bar_of_the_selected_photos_free(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos")
    page.locator("[role=option]").first.click()
    page.keyboard.press("Control+a")
    bar = page.get_by_role("group", name="Selected photos")
    bar.get_by_role("button", name="Make a covered copy").click()
    page.get_by_role("dialog").get_by_label("Where to").fill("/safe")
    page.get_by_role("dialog").locator("[type=submit]").click()
    toast = page.locator(".toast").first
    toast.wait_for()
    said, actions = toast.bounding_box(), bar.bounding_box()
    assert said is not None and actions is not None
    assert said["y"] + said["height"] <= actions["y"]
