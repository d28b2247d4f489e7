"""The people with a made-up agent behind them: accessible in every state; naming, review, correcting, undo and search."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

Act = Callable[[Page], object]
Visit = Callable[..., None]


# -- accessible in every state ----------------------------------------------------------------------------------------------------


def _choose(page: Page) -> None:
    page.locator(".face").nth(1).click()
    page.locator(".face").nth(3).click(modifiers=["Shift"])
    page.locator(".bar").wait_for()


def _rename(page: Page) -> None:
    page.locator("h1 button").click()
    page.keyboard.type("Sam")
    page.keyboard.press("Enter")
    page.locator(".taken").wait_for()


def _merge(page: Page) -> None:
    page.locator(".acts button").nth(1).click()
    page.locator("[role=dialog] input").fill("a")
    page.locator(".menu [role=option]").first.wait_for()


def _forget(page: Page) -> None:
    page.locator(".forget").click()
    page.locator("[role=alertdialog]").wait_for()


def _forgotten(page: Page) -> None:
    _forget(page)
    page.locator("[role=alertdialog] .danger").click()
    page.locator(".receipt").wait_for()


def _ask(page: Page) -> None:
    page.locator(".groups input").first.fill("a")
    page.locator(".menu [role=option]").first.wait_for()


def _ignore(page: Page) -> None:
    page.locator(".groups .button.icon").first.click()
    page.locator(".toast").wait_for()


def _take_out(page: Page) -> None:
    page.locator(".face").nth(1).click()


def _answer_all(page: Page) -> None:
    for _ in range(12):
        page.keyboard.press("s")
    page.locator("aside .notice").wait_for()


def _search(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("qqq")
    page.locator(".none").wait_for()


def _narrow(page: Page) -> None:
    page.locator(".filters .chip").nth(3).click()
    page.locator(".menu .item .name").first.wait_for()
    page.locator(".menu .field").fill("a")
    page.keyboard.press("Enter")
    page.locator(".token").wait_for()


STATES: dict[str, tuple[str, str, str, Act | None]] = {
    # name: scene, fragment, what is there when it stands, what is done then
    "people": ("family", "#people", ".groups li", None),
    "people in thousands": ("many", "#people", ".groups li", None),
    "a name is asked for": ("family", "#people", ".groups li", _ask),
    "a group is ignored": ("family", "#people", ".groups li", _ignore),
    "nobody found": ("family", "#people", ".people li", _search),
    "all skipped": ("family", "#people", "aside h3", _answer_all),
    "nobody named yet": ("nobody", "#people", ".groups li", None),
    "nothing to do": ("settled", "#people", "aside .notice", None),
    "recognition off": ("counts", "#people", ".off", None),
    "not read": ("unread", "#people", ".notice", None),
    "people loading": ("loading", "#people", ".loading", None),
    "review alone": ("family", "#people/review", "h3", None),
    "a person": ("family", "#people/1", ".face", None),
    "a person with a long name": ("family", "#people/12", ".face", None),
    "faces chosen": ("family", "#people/1", ".face", _choose),
    "a name is taken": ("family", "#people/1", ".face", _rename),
    "merging": ("family", "#people/1", ".face", _merge),
    "forgetting": ("family", "#people/1", ".face", _forget),
    "forgotten": ("family", "#people/1", ".face", _forgotten),
    "a person who is gone": ("family", "#people/777", ".notice", None),
    "a group": ("family", "#people/group-1", ".face", None),
    "faces taken out": ("family", "#people/group-1", ".face", _take_out),
    "a group that is gone": ("family", "#people/group-777", ".notice", None),
    "filter by people": ("family", "#photos", ".tile", _narrow),
}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible(page: Page, visit: Visit, violations: Callable[[], list[str]], state: str, language: str) -> None:
    scene, fragment, there, act = STATES[state]
    visit(fragment, scene, language)
    page.locator(there).first.wait_for()
    if act is not None:
        act(page)
    assert violations() == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(
    ("place", "there"),
    [("#people", ".groups li"), ("#people/12", ".face"), ("#people/group-1", ".face"), ("#people/review", "h3")],
)
def test_nothing_is_wider_than_the_page_at_twice_the_size(page: Page, visit: Visit, language: str, place: str, there: str) -> None:
    page.set_viewport_size({"width": 640, "height": 400})
    visit(place, "family", language)
    page.locator(there).first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# -- naming ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def people(page: Page, visit: Visit) -> Page:
    visit("#people")
    page.locator(".groups li").first.wait_for()
    page.locator(".people li").first.wait_for()
    return page


def test_a_group_is_named_at_once_and_the_next_one_has_the_keyboard(people: Page) -> None:
    people.locator(".groups input").first.fill("Aunt Fang")
    people.keyboard.press("Enter")
    expect(people.locator(".toast p")).to_have_text("41 faces named Aunt Fang")
    expect(people.locator(".groups li").first).to_contain_text("28 faces")
    expect(people.locator(".groups input").first).to_be_focused()
    expect(people.get_by_role("link", name="Aunt Fang")).to_be_visible()


def test_a_name_is_found_by_its_initials_and_a_known_name_is_that_person(page: Page, visit: Visit) -> None:
    visit("#people", "family", "zh-CN")
    page.locator(".people li").first.wait_for()
    field = page.locator(".groups input").first
    field.fill("xm")
    offered = page.locator(".menu [role=option]")
    expect(offered.first).to_contain_text("小梅")
    with page.expect_request("**/api/people/edits") as asked:
        offered.first.click()
    assert asked.value.post_data_json["name"] == "小梅"
    expect(page.locator(".people li")).to_have_count(11)


def test_single_faces_are_taken_out_before_a_group_is_named(people: Page) -> None:
    people.get_by_role("link", name="Look at the 28 faces").click()
    faces = people.get_by_role("listbox")
    faces.focus()
    people.keyboard.press("ArrowRight")
    people.keyboard.press("Space")
    people.keyboard.press("ArrowRight")
    people.keyboard.press("Space")
    expect(people.locator("header [role=status]")).to_have_text("26 get the name, 2 left out.")
    people.get_by_role("combobox", name="Who is this?").fill("Fang")
    people.keyboard.press("Enter")
    expect(people.locator(".toast p")).to_have_text("26 faces named Fang")
    expect(people).to_have_url(re.compile("#people$"))
    expect(people.locator(".groups li").filter(has_text="2 faces").first).to_be_visible()


def test_a_group_that_is_ignored_comes_back(people: Page) -> None:
    people.get_by_role("button", name="Ignore these 41 faces").click()
    expect(people.locator(".groups li").first).to_contain_text("28 faces")
    people.get_by_role("button", name="Undo").last.click()
    expect(people.locator(".groups li").first).to_contain_text("41 faces")


def test_all_groups_can_be_reached_and_few_are_in_the_page(page: Page, visit: Visit) -> None:
    visit("#people", "many")
    groups = page.locator(".groups li")
    expect(groups).to_have_count(24)
    page.get_by_role("button", name="276 more groups").click()
    expect(groups).to_have_count(48)
    expect(page.locator(".people li")).to_have_count(12)
    page.get_by_role("button", name="Show 2,987 more people").click()
    expect(page.locator(".people li")).to_have_count(120)


def test_people_are_found_by_slash_and_sorted(people: Page) -> None:
    people.keyboard.press("/")
    people.keyboard.type("ly")
    expect(people.locator(".people li")).to_have_count(1)
    expect(people.locator(".people li")).to_contain_text("Lin Yue")
    people.keyboard.press("Escape")
    people.get_by_role("combobox", name="Order").click()
    people.get_by_role("option", name="By name").click()
    expect(people.locator(".people .name").first).to_have_text("Anna")
    expect(people.locator(".people .name", has_text="Priya")).to_have_count(0)
    people.get_by_role("button", name="Hidden").click()
    expect(people.locator(".people .name", has_text="Priya")).to_have_count(1)


def test_arrows_go_from_person_to_person(people: Page) -> None:
    people.locator(".people a").first.focus()
    people.keyboard.press("ArrowRight")
    expect(people.locator(".people a").nth(1)).to_be_focused()
    people.keyboard.press("ArrowDown")
    expect(people.locator(".people a").nth(7)).to_be_focused()
    people.keyboard.press("ArrowUp")
    people.keyboard.press("Enter")
    expect(people.get_by_role("heading", level=1)).to_have_text("Grandpa")


# -- review ----------------------------------------------------------------------------------------------------------------------


def test_the_review_is_worked_through_by_keyboard_and_taken_back(people: Page) -> None:
    question, position = people.locator("aside h3").first, people.locator("aside .position")
    expect(question).to_have_text("Is this Mei?")
    expect(position).to_have_text("1 of 12")
    badge = people.get_by_role("link", name="People", exact=False).locator(".badge")
    expect(badge).to_have_text("12")
    with people.expect_request("**/api/people/edits") as yes:
        people.keyboard.press("y")
    assert yes.value.post_data_json == {"kind": "name", "face_ids": [2000000], "person_id": 1}
    with people.expect_request("**/api/people/edits") as no:
        people.keyboard.press("n")
    assert no.value.post_data_json["kind"] == "reject"
    people.keyboard.press("s")
    expect(question).to_have_text("Is this Maximiliana Wolfeschlegelsteinhausen?")
    expect(position).to_have_text("4 of 12")
    expect(badge).to_have_text("10")
    for _ in range(3):
        people.keyboard.press("u")
    expect(position).to_have_text("1 of 12")
    expect(question).to_have_text("Is this Mei?")
    expect(badge).to_have_text("12")


def test_letters_in_a_text_field_answer_nothing(people: Page) -> None:
    people.locator(".groups input").first.press_sequentially("yns")
    expect(people.locator("aside .position")).to_have_text("1 of 12")


def test_in_a_narrow_window_the_review_has_a_page_of_its_own(page: Page, visit: Visit) -> None:
    page.set_viewport_size({"width": 900, "height": 700})
    visit("#people")
    expect(page.locator("aside")).to_be_hidden()
    page.get_by_role("link", name="Review").click()
    expect(page.get_by_role("heading", name="Is this Mei?")).to_be_visible()
    page.keyboard.press("y")
    expect(page.locator(".position")).to_have_text("2 of 12")


# -- one person -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mei(page: Page, visit: Visit) -> Page:
    with page.expect_response("**/api/people"):  # who else there is
        visit("#people/1")
    page.locator(".face").first.wait_for()
    return page


def test_a_new_name_is_taken_back_with_ctrl_z_and_done_again(mei: Page) -> None:
    heading = mei.get_by_role("heading", level=1)
    mei.get_by_role("button", name="Mei: change the name").click()
    mei.keyboard.type("Mei Lin")
    mei.keyboard.press("Enter")
    expect(heading).to_have_text("Mei Lin")
    expect(mei.locator(".toast p")).to_have_text("Mei is now Mei Lin")
    mei.keyboard.press("Control+z")
    expect(heading).to_have_text("Mei")
    expect(mei.locator(".toast p").last).to_have_text("Taken back: details of a person changed")
    mei.keyboard.press("Control+Shift+z")
    expect(heading).to_have_text("Mei Lin")
    mei.keyboard.press("Control+z")
    expect(heading).to_have_text("Mei")
    mei.keyboard.press("Control+z")
    expect(mei.locator(".toast p").last).to_have_text("There is nothing to take back")


def test_a_name_that_somebody_has_offers_to_merge(mei: Page) -> None:
    mei.get_by_role("button", name="Mei: change the name").click()
    mei.keyboard.type("grandpa")
    mei.keyboard.press("Enter")
    expect(mei.get_by_role("alert")).to_contain_text("Somebody is called Grandpa already.")
    mei.get_by_role("button", name="Merge with Grandpa").click()
    expect(mei.locator(".toast p")).to_have_text("Merged “Mei” into Grandpa, 40 faces moved")
    expect(mei.get_by_role("heading", level=1)).to_have_text("Grandpa")
    expect(mei).to_have_url(re.compile("#people/2$"))
    mei.get_by_role("button", name="Undo").click()
    mei.get_by_role("link", name="People", exact=True).last.click()
    expect(mei.locator(".people .name", has_text="Mei")).to_be_visible()


def test_somebody_is_merged_into_another_by_name(mei: Page) -> None:
    mei.get_by_role("button", name="Merge…").click()
    dialog = mei.get_by_role("dialog")
    dialog.get_by_role("combobox").fill("Mei")
    expect(dialog).to_contain_text("Nobody is called that")
    dialog.get_by_role("combobox").fill("ly")
    mei.locator(".menu [role=option]", has_text="Lin Yue").click()
    expect(mei.get_by_role("heading", level=1)).to_have_text("Lin Yue")


def test_chosen_faces_are_not_this_person_any_more(mei: Page) -> None:
    faces = mei.get_by_role("listbox")
    expect(faces.get_by_role("option").first).to_have_attribute("aria-setsize", "40")
    faces.focus()
    mei.keyboard.press("ArrowRight")
    mei.keyboard.press("Shift+ArrowRight")
    expect(mei.locator(".bar strong")).to_have_text("2 chosen")
    mei.get_by_role("button", name="Not Mei").click()
    expect(mei.locator(".toast p")).to_have_text("Remembered: 2 faces are not Mei")
    expect(faces.get_by_role("option").first).to_have_attribute("aria-setsize", "38")
    expect(faces).to_be_focused()
    mei.keyboard.press("Control+z")
    expect(faces.get_by_role("option").first).to_have_attribute("aria-setsize", "40")


def test_chosen_faces_are_moved_to_somebody_new(mei: Page) -> None:
    mei.locator(".face").first.click()
    mei.get_by_role("button", name="Move to…").click()
    mei.get_by_role("dialog").get_by_role("combobox").fill("Fang")
    mei.keyboard.press("Enter")
    expect(mei.get_by_role("dialog")).to_have_count(0)
    expect(mei.locator(".toast p")).to_have_text("Named Fang")
    expect(mei.locator(".words p").first).to_contain_text("39 faces")


def test_a_cover_is_chosen(mei: Page) -> None:
    mei.locator(".face").nth(1).click()
    with mei.expect_request("**/api/people/edits") as asked:
        mei.get_by_role("button", name="Choose as cover").click()
    assert asked.value.post_data_json == {"kind": "describe", "person_id": 1, "cover_face_id": 3010001}


def test_a_photo_opens_large_and_goes_back_to_the_person(mei: Page) -> None:
    mei.locator(".face").first.dblclick()
    expect(mei.locator(".large .picture .photo")).to_be_visible()
    mei.keyboard.press("Escape")
    expect(mei).to_have_url(re.compile("#people/1$"))
    expect(mei.locator(".face").first).to_be_visible()


def test_what_is_noted_of_a_person_is_saved_and_can_be_taken_back(mei: Page) -> None:
    notes = mei.get_by_role("textbox", name="Notes")
    notes.fill("Dad’s mother")
    notes.blur()
    expect(mei.locator(".toast p")).to_have_text("Details of Mei saved")
    mei.get_by_role("button", name="Undo").click()
    expect(notes).to_have_value("")
    parts = mei.get_by_role("group", name="Birth date").get_by_role("spinbutton")
    for part, text in enumerate(("03", "02", "2020")):
        parts.nth(part).fill(text)
    expect(mei.locator(".young")).to_contain_text("Under 14")
    mei.get_by_role("switch", name="Never recognise").click()
    mei.get_by_role("combobox", name="Why they may be recognised").click()
    mei.get_by_role("option", name="A guardian’s consent").click()
    expect(mei.locator(".young")).to_have_count(0)


def test_forgetting_offers_the_export_first_and_says_what_went(mei: Page) -> None:
    mei.get_by_role("button", name="Forget").click()
    dialog = mei.get_by_role("alertdialog", name="Forget Mei?")
    expect(dialog).to_contain_text("This can’t be taken back.")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    with mei.expect_download() as download:
        dialog.get_by_role("link", name="Export a copy first").click()
    assert download.value.suggested_filename == "person.json"
    dialog.get_by_role("button", name="Forget").click()
    expect(mei.locator(".receipt")).to_contain_text("40 face prints")
    mei.get_by_role("link", name="People", exact=True).last.click()
    expect(mei.locator(".people li").first).to_contain_text("Grandpa")


def test_only_faces_near_the_view_are_in_the_document(page: Page, visit: Visit) -> None:
    visit("#people/1", "huge")
    page.locator(".face").first.wait_for()
    assert page.locator(".face").count() < 120
    page.get_by_role("listbox").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    expect(page.locator(".face.active")).to_be_in_viewport()
    assert page.locator(".face").count() < 120


# -- on a photo, and search ------------------------------------------------------------------------------------------------------


def test_a_probable_name_is_denied_and_a_stranger_ignored(page: Page, visit: Visit) -> None:
    visit("#photos")
    page.locator(".tile").first.click()
    page.get_by_role("button", name="Not Lin Yue").click()
    expect(page.locator(".toast p")).to_have_text("Remembered: not Lin Yue")
    panel = page.locator("aside")
    expect(panel.get_by_role("combobox", name="Who is this?")).to_be_visible()
    panel.get_by_role("button", name="Ignore").click()
    expect(panel).to_contain_text("1 face ignored")
    panel.get_by_role("button", name="Ask again").click()
    expect(panel.get_by_role("combobox", name="Who is this?")).to_be_visible()


def test_all_strangers_on_a_photo_are_ignored_at_once_in_the_popup(page: Page, visit: Visit) -> None:
    visit("/popup", "crowd")
    page.get_by_role("button", name="Ignore all").click()
    expect(page.locator(".toast p")).to_have_text("4 faces are ignored")
    expect(page.locator(".found")).to_contain_text("4 faces ignored")
    page.keyboard.press("Control+z")
    expect(page.locator(".found")).to_contain_text("4 to name")


def test_photos_are_narrowed_to_people(page: Page, visit: Visit) -> None:
    visit("#photos")
    count = page.locator(".filters .end [role=status]")
    expect(count).to_have_text("27 photos")
    page.get_by_role("button", name="People: Anybody").click()
    field = page.get_by_role("textbox", name="Name or initials")
    expect(field).to_be_focused()
    page.locator(".menu .item", has_text="Grandpa").wait_for()
    field.fill("mei")
    page.keyboard.press("Enter")
    expect(count).to_have_text("11 photos")
    field.fill("grandpa")
    page.keyboard.press("Enter")
    expect(count).to_have_text("6 photos")
    page.get_by_role("radio", name="Any").click()
    expect(count).to_have_text("11 photos")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="People: Mei, Grandpa")).to_be_visible()
    page.get_by_role("link", name="Status").click()
    page.get_by_role("link", name="Photos").click()
    page.get_by_role("button", name="People: Mei, Grandpa").click()
    page.get_by_role("button", name="Remove Grandpa").click()
    page.get_by_role("button", name="With faces not named").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clear filters").click()
    expect(count).to_have_text("27 photos")


def test_a_persons_photos_are_shown_among_all(page: Page, visit: Visit) -> None:
    visit("#people/5")
    page.get_by_role("button", name="Show photos").click()
    expect(page.get_by_role("button", name="People: Anna")).to_be_visible()


def test_recognition_that_is_off_is_explained_and_leads_to_its_switch(page: Page, visit: Visit) -> None:
    visit("#people", "counts")
    expect(page.get_by_role("heading", name="Recognition is off")).to_be_visible()
    page.get_by_role("link", name="To the setting").click()
    expect(page.get_by_role("switch", name="Recognise people")).to_be_visible()


def test_what_could_not_be_read_is_read_again(page: Page, visit: Visit) -> None:
    visit("#people", "unread")
    expect(page.get_by_role("heading", name="The people could not be read")).to_be_visible()
    with page.expect_request("**/api/groups*"):
        page.get_by_role("button", name="Reload").click()


def test_the_pages_of_people_are_read_when_they_are_first_gone_to(page: Page, visit: Visit) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "peoplePages" in request.url else None)
    visit("#status")
    page.locator("figure").first.wait_for()
    assert asked == []
    page.keyboard.press("Control+2")
    expect(page.locator(".groups li").first).to_be_visible()
    assert len(asked) == 1
