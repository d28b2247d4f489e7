"""The page of people with a made-up agent behind it: naming groups, finding people, and the review by keyboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

Visit = Callable[..., None]


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
    expect(people.locator(".toast p")).to_have_text("4 faces named Aunt Fang; similar faces are suggested")
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
    assert (asked.value.post_data_json or {})["name"] == "小梅"
    expect(page.locator(".people li")).to_have_count(11)


def test_what_was_typed_is_saved_by_the_button_though_the_list_offers_somebody(people: Page) -> None:
    people.locator(".groups input").first.fill("Me")
    expect(people.locator(".menu [role=option]").first).to_contain_text("Mei")
    with people.expect_request("**/api/people/edits") as asked:
        people.get_by_role("button", name="Save the name").click()
    assert (asked.value.post_data_json or {})["name"] == "Me"


def test_a_group_that_may_be_two_people_is_looked_at_before_it_is_named(people: Page) -> None:
    card = people.locator(".groups li").filter(has_text="Perhaps two people")
    expect(card.locator("input")).to_have_count(0)
    expect(card.locator(".crop")).to_have_count(4)
    card.get_by_role("link", name="Check first").press("Enter")
    # The page before may leave a moment later.
    expect(people.locator("header").filter(has_text="These may be two people")).to_be_visible()
    expect(people.locator("main")).to_be_focused()
    people.get_by_role("combobox", name="Who is this?").fill("Fang")
    people.keyboard.press("Enter")
    expect(people.locator(".toast p")).to_have_text("12 faces named Fang")
    expect(people).to_have_url(re.compile("#people$"))
    expect(people.locator("main")).to_be_focused()


def test_single_faces_are_taken_out_before_a_group_is_named(people: Page) -> None:
    people.get_by_role("link", name="Show the 28 faces").click()
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


def test_a_group_that_is_named_slowly_takes_nobody_back_who_went_elsewhere(people: Page) -> None:
    held = list[Route]()
    people.route("**/api/people/edits", lambda route: held.append(route))
    people.get_by_role("link", name="Show the 28 faces").click()
    people.get_by_role("listbox").wait_for()
    people.get_by_role("combobox", name="Who is this?").fill("Fang")
    with people.expect_request("**/api/people/edits"):
        people.keyboard.press("Enter")
    people.get_by_role("link", name="Photos").click()
    people.locator(".tile").first.wait_for()
    held[0].continue_()
    expect(people.locator(".toast p")).to_have_text("28 faces named Fang")
    expect(people).to_have_url(re.compile("#photos$"))


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
    page.get_by_role("button", name="Show 108 more people").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".people li")).to_have_count(120)
    expect(page.locator(".people li").nth(12).get_by_role("link")).to_be_focused()
    expect(page.get_by_role("button", name="Show 120 more people")).to_be_visible()


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


def test_why_somebody_new_may_be_recognised_is_said_once_and_offered_again(people: Page) -> None:
    people.locator(".groups input").first.fill("Zoe")
    people.get_by_role("combobox", name="Why they may be recognised: Family").click()
    people.get_by_role("option", name="A guardian’s consent (under 14)").click()
    with people.expect_request("**/api/people/edits") as first:
        people.get_by_role("button", name="Save the name").click()
    assert (first.value.post_data_json or {})["basis"] == "guardian"
    expect(people.locator(".groups li").first).to_contain_text("28 faces")
    people.locator(".groups input").first.fill("Yan")
    expect(people.get_by_role("combobox", name="Why they may be recognised: A guardian")).to_be_visible()
    people.locator(".groups input").first.fill("Mei")
    expect(people.locator(".basis")).to_have_count(0)


def test_a_name_that_another_program_has_is_kept_or_taken(page: Page, visit: Visit) -> None:
    visit("#people", "conflicts")
    expect(page.locator(".strip:not(.doubts)")).to_contain_text("3 faces have other names in another program")
    page.get_by_role("link", name="Compare").click()
    rows = page.locator("section li")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Keep Mei").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(3)
    with page.expect_request("**/api/people/edits") as taken:
        page.get_by_role("button", name="Use Grandfather").click()
    assert (taken.value.post_data_json or {})["name"] == "Grandfather"
    expect(rows).to_have_count(2)


def test_photos_are_counted_and_faces_where_they_differ(people: Page) -> None:
    expect(people.get_by_role("link", name="Mei 40 photos", exact=True)).to_be_visible()
    expect(people.locator(".people li").filter(has_text="39 faces")).to_contain_text("38 photos")


def test_people_who_are_one_are_chosen_and_merged_at_once(people: Page) -> None:
    before = people.locator(".people li").count()
    people.get_by_role("button", name="Merge…").click()
    boxes = people.get_by_role("checkbox")
    expect(boxes).to_have_count(before)
    names = [boxes.nth(at).get_attribute("title") for at in range(3)]
    boxes.nth(0).click()
    boxes.nth(1).focus()
    people.keyboard.press("Space")
    boxes.nth(2).click()
    bar = people.get_by_role("group", name="Selected people")
    expect(bar).to_contain_text("3")
    bar.get_by_role("button", name="Merge…").click()
    stays = people.get_by_role("dialog").locator(".listed li")
    expect(stays).to_have_count(3)
    expect(people.get_by_role("heading", name="Who stays?")).to_be_focused()
    with people.expect_request("**/api/people/edits") as asked:
        stays.filter(has_text=names[0] or "").get_by_role("button").click()
    body = asked.value.post_data_json or {}
    assert body["kind"] == "merge" and len(body["person_ids"]) == 2 and body["into"] not in body["person_ids"]
    expect(bar).to_have_count(0)
    expect(people.get_by_role("button", name="Merge…")).to_be_focused()
    expect(people.locator(".people li", has_text=names[1] or "")).to_have_count(0)


def test_whom_to_merge_into_is_listed_before_anything_is_typed(people: Page) -> None:
    people.get_by_role("link", name="Mei 40 photos", exact=True).click()
    people.get_by_role("button", name="Merge…").click()
    listed = people.get_by_role("dialog").locator(".listed li")
    expect(listed.first).to_be_visible()
    expect(people.get_by_role("dialog").locator(".listed")).not_to_contain_text("Mei")
    with people.expect_request("**/api/people/edits") as asked:
        listed.first.get_by_role("button").click()
    assert (asked.value.post_data_json or {})["person_ids"] == [1]


def test_confirmed_and_suggested_photos_are_told_apart(people: Page) -> None:
    card = people.locator(".people li").filter(has_text="suggested")
    expect(card).to_contain_text("29 photos")
    expect(card).to_contain_text("9 suggested")
    card.get_by_role("link").click()
    expect(people.locator(".who .words")).to_contain_text("29 photos")
    expect(people.locator(".who .words")).to_contain_text("9 suggested")


# -- review ----------------------------------------------------------------------------------------------------------------------


def test_all_that_may_be_one_person_are_confirmed_at_once_but_those_left_out(people: Page) -> None:
    position = people.locator("aside .position")
    expect(position).to_have_text("1 of 12")
    people.get_by_role("button", name="Show all that may be Mei").press("Enter")
    expect(people.get_by_role("heading", name="Are all of these Mei?")).to_be_focused()
    faces = people.locator("aside ul button")
    faces.nth(2).wait_for()
    many = faces.count()
    faces.first.click()
    with people.expect_request("**/api/people/edits") as asked:
        people.get_by_role("button", name=f"Confirm {many - 1} faces").click()
    body = asked.value.post_data_json or {}
    assert (body["kind"], body["person_id"], len(body["face_ids"])) == ("name", 1, many - 1) and 2000000 not in body["face_ids"]
    expect(people.locator(".toast p")).to_have_text(f"{many - 1} faces named Mei")
    expect(position).to_have_text(f"1 of {12 - many + 1}")


def test_the_keyboard_stays_in_the_review_when_all_of_one_person_are_left(people: Page) -> None:
    people.get_by_role("button", name="Show all that may be Mei").press("Enter")
    people.get_by_role("button", name="One by one").press("Enter")
    expect(people.get_by_role("heading", name="Review", exact=True)).to_be_focused()


def test_the_review_is_worked_through_by_keyboard_and_taken_back(people: Page) -> None:
    question, position = people.locator("aside h3").first, people.locator("aside .position")
    expect(question).to_have_text("Is this Mei?")
    expect(position).to_have_text("1 of 12")
    expect(people.locator("aside .references li")).to_have_text(["agrees", "agrees", "unsure"])
    badge = people.get_by_role("link", name="People", exact=False).locator(".badge")
    expect(badge).to_have_text("12")
    with people.expect_request("**/api/people/edits") as yes:
        people.keyboard.press("y")
    assert yes.value.post_data_json == {"kind": "name", "face_ids": [2000000], "person_id": 1}
    with people.expect_request("**/api/people/edits") as no:
        people.keyboard.press("n")
    assert (no.value.post_data_json or {})["kind"] == "reject"
    people.keyboard.press("s")
    expect(question).to_have_text("Is this Maximiliana Wolfeschlegelsteinhausen?")
    expect(position).to_have_text("4 of 12")
    expect(badge).to_have_text("10")
    for _ in range(3):
        people.keyboard.press("u")
    expect(position).to_have_text("1 of 12")
    expect(question).to_have_text("Is this Mei?")
    expect(badge).to_have_text("12")


def test_what_was_skipped_is_said_at_the_end_and_asked_again(people: Page) -> None:
    for number, key in enumerate("yyssnnnnnnnn", 1):
        expect(people.locator("aside .position")).to_have_text(f"{number} of 12")
        people.keyboard.press(key)
    end = people.locator("aside .notice")
    expect(end).to_contain_text("2 skipped")
    expect(end).to_contain_text("All others are answered.")
    end.get_by_role("button", name="Ask again").click()
    expect(people.locator("aside .position")).to_have_text("11 of 12")


def test_letters_in_a_text_field_answer_nothing(people: Page) -> None:
    people.locator(".groups input").first.press_sequentially("yns")
    expect(people.locator("aside .position")).to_have_text("1 of 12")


def test_enter_opens_the_first_person_who_is_found(people: Page) -> None:
    field = people.get_by_role("searchbox")
    field.press("Enter")
    expect(people).to_have_url(re.compile("#people$"))
    field.fill("grand")
    first = people.locator(".people li a").first
    expect(first).to_contain_text("Grand")
    opened = first.get_attribute("href") or ""
    field.press("Enter")
    expect(people).to_have_url(re.compile(f"{opened}$"))


def test_keys_of_one_letter_can_be_switched_off(people: Page) -> None:
    people.evaluate("location.hash = '#settings/general'")
    people.get_by_role("switch", name="Single-key shortcuts").click()
    expect(people.get_by_role("switch", name="Single-key shortcuts")).not_to_be_checked()
    people.evaluate("location.hash = '#people'")
    position = people.locator("aside .position")
    expect(position).to_have_text("1 of 12")
    expect(people.locator("aside .key")).to_have_count(0)
    for key in ("y", "n", "s", "/", "?"):
        people.keyboard.press(key)
    expect(people.get_by_role("dialog")).to_have_count(0)
    expect(people.get_by_role("searchbox")).not_to_be_focused()
    people.get_by_role("button", name="Keyboard").click()
    expect(people.get_by_role("dialog").get_by_role("heading", level=3)).to_have_text(
        ["Everywhere", "Photos", "Large view", "Covered copies", "Popup"]
    )
    people.keyboard.press("Escape")
    people.locator("aside .answers").get_by_role("button", name="Yes").click()
    expect(position).to_have_text("2 of 12")


def _twice_by_pointer(people: Page, answer: str) -> None:
    people.locator("aside .answers").get_by_role("button", name=answer).dblclick()


def _held_down(people: Page, answer: str) -> None:
    people.locator("aside .answers").get_by_role("button", name=answer).focus()
    for _ in range(3):
        people.keyboard.down("Enter")  # from the second on it repeats
    people.keyboard.up("Enter")


@pytest.mark.parametrize("answer", ["Yes", "No", "Skip"])
@pytest.mark.parametrize("begin", [_twice_by_pointer, _held_down])
def test_what_is_meant_for_one_face_does_not_answer_the_next(people: Page, answer: str, begin: Callable[[Page, str], None]) -> None:
    position = people.locator("aside .position")
    expect(position).to_have_text("1 of 12")
    begin(people, answer)
    people.keyboard.press("s")  # what is done comes after all that was
    expect(position).to_have_text("3 of 12")


def test_in_a_narrow_window_the_review_has_a_page_of_its_own(page: Page, visit: Visit) -> None:
    page.set_viewport_size({"width": 900, "height": 700})
    visit("#people")
    expect(page.locator("aside")).to_be_hidden()
    page.get_by_role("link", name="Review").click()
    expect(page.get_by_role("heading", name="Is this Mei?")).to_be_visible()
    page.keyboard.press("y")
    expect(page.locator(".position")).to_have_text("2 of 12")
