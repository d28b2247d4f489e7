"""One person's page, names on a photo, and photos narrowed by people, with a made-up agent behind them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.pages.answers import answer_to

Visit = Callable[..., None]


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
    expect(mei.locator(".toast p").last).to_have_text("Undone: Mei is now Mei Lin")
    mei.keyboard.press("Control+Shift+z")
    expect(heading).to_have_text("Mei Lin")
    mei.keyboard.press("Control+z")
    expect(heading).to_have_text("Mei")
    mei.keyboard.press("Control+z")
    expect(mei.locator(".toast p").last).to_have_text("There is nothing to undo here")


def test_a_name_that_somebody_has_offers_to_merge(mei: Page) -> None:
    mei.get_by_role("button", name="Mei: change the name").click()
    mei.keyboard.type("grandpa")
    mei.keyboard.press("Enter")
    expect(mei.get_by_role("alert")).to_contain_text("A person named Grandpa already exists.")
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
    expect(dialog).to_contain_text("No person has that name")
    dialog.get_by_role("combobox").fill("ly")
    mei.locator(".menu [role=option]", has_text="Lin Yue").click()
    expect(mei.get_by_role("heading", level=1)).to_have_text("Lin Yue")


def test_a_person_whose_faces_all_got_other_names_is_told_as_such(page: Page, visit: Visit) -> None:
    page.route("**/api/people/1", lambda route: route.fulfill(json=answer_to(route).json() | {"faces": 0, "photos": 0, "suggested": 0}))
    page.route("**/api/people/1/faces*", lambda route: route.fulfill(json=answer_to(route).json() | {"items": []}))
    visit("#people/1")
    expect(page.locator("main")).to_contain_text("There is no face of this person here any more.")
    expect(page.locator("main").get_by_role("button", name="Show photos")).to_have_count(0)


def test_where_nobody_else_is_known_no_merging_is_offered(page: Page, visit: Visit) -> None:
    def alone(route: Route) -> None:
        route.fulfill(json=[person for person in answer_to(route).json() if person["id"] == 1])

    page.route("**/api/people", alone)
    with page.expect_response("**/api/people"):
        visit("#people/1")
    expect(page.get_by_role("button", name="Show photos")).to_be_visible()
    expect(page.get_by_role("button", name="Merge…")).to_have_count(0)


def test_chosen_faces_are_not_this_person_any_more(mei: Page) -> None:
    faces = mei.get_by_role("listbox")
    expect(faces.get_by_role("option").first).to_have_attribute("aria-setsize", "40")
    faces.focus()
    mei.keyboard.press("ArrowRight")
    mei.keyboard.press("Shift+ArrowRight")
    expect(mei.locator(".bar strong")).to_have_text("2 selected")
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
        mei.get_by_role("button", name="Set as cover").click()
    assert asked.value.post_data_json == {"kind": "describe", "person_id": 1, "cover_face_id": 3010001}


def test_a_photo_opens_large_and_goes_back_to_the_person(mei: Page) -> None:
    mei.locator(".face").first.dblclick()
    expect(mei.locator(".large .picture .photo")).to_be_visible()
    mei.keyboard.press("Escape")
    expect(mei).to_have_url(re.compile("#people/1$"))
    expect(mei.locator(".face").first).to_be_visible()


def test_what_someone_else_notes_meanwhile_stays(mei: Page) -> None:
    def changed(route: Route) -> None:
        answer = answer_to(route)
        route.fulfill(response=answer, json={**answer.json(), "notes": "Call her first"})

    notes = mei.get_by_role("textbox", name="Notes")
    notes.press_sequentially("Dad’s mother")
    mei.route("**/api/people/1", changed)
    with mei.expect_request("**/api/people/edits") as asked:
        notes.blur()
    assert asked.value.post_data_json == {"kind": "describe", "person_id": 1, "notes": "Call her first\nDad’s mother"}
    expect(mei.locator(".toast p")).to_contain_text("Both texts are kept")


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
    mei.get_by_role("combobox", name="Why they may be recognised").click()
    mei.get_by_role("option", name="A guardian’s consent").click()
    expect(mei.locator(".young")).to_have_count(0)


def test_forgetting_offers_the_export_first_and_says_what_went(mei: Page) -> None:
    mei.get_by_role("button", name="Forget").click()
    dialog = mei.get_by_role("alertdialog", name="Forget Mei?")
    expect(dialog).to_contain_text("This can’t be undone.")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    with mei.expect_download() as download:
        dialog.get_by_role("link", name="Export a copy first").click()
    assert download.value.suggested_filename == "person.json"
    dialog.get_by_role("button", name="Forget").click()
    expect(mei.locator(".receipt")).to_contain_text("40 face prints")
    expect(mei.get_by_role("heading", name="Forgotten")).to_be_focused()
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


def test_at_least_three_of_the_people_offered_are_seen_in_the_popup(page: Page, visit: Visit) -> None:
    page.set_viewport_size({"width": 380, "height": 600})
    visit("/popup", "crowd")
    page.get_by_role("button", name="Who is this?").last.click()
    field = page.get_by_role("combobox", name="Who is this?")
    field.fill("gra")  # one row, which fits below
    page.locator(".menu.names").wait_for()
    field.fill("a")
    offered = page.locator(".menu.names [role=option]")
    expect(offered.nth(3)).to_be_attached()
    for number in range(3):
        expect(offered.nth(number)).to_be_in_viewport(ratio=1)


def test_photos_are_narrowed_to_people(page: Page, visit: Visit) -> None:
    visit("#photos")
    count = page.locator(".filters .end [role=status]")
    expect(count).to_have_text("27 photos")
    page.get_by_role("button", name="People: Any person").click()
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
    page.get_by_role("button", name="With unnamed faces").click()
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
    page.get_by_role("link", name="Go to the setting").click()
    expect(page.get_by_role("switch", name="Recognise people")).to_be_visible()


def test_what_could_not_be_read_is_read_again(page: Page, visit: Visit) -> None:
    visit("#people", "unread")
    expect(page.get_by_role("heading", name="The people could not be loaded")).to_be_visible()
    with page.expect_request("**/api/groups*"):
        page.get_by_role("button", name="Reload").click()


def test_the_pages_of_people_are_read_when_they_are_first_gone_to(page: Page, visit: Visit) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "peoplePages" in request.url else None)
    visit("#status")
    page.locator("figure").first.wait_for()
    assert asked == []
    page.keyboard.press("Control+3")
    expect(page.locator(".groups li").first).to_be_visible()
    assert len(asked) == 1
