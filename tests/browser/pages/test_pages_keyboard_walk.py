"""Naming, merging and settling by keyboard alone: the keyboard is never nowhere afterwards."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

Visit = Callable[..., None]
NOWHERE = "() => document.activeElement === document.body"


def _somewhere(page: Page) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate(NOWHERE) is False


def _leave_one_out(page: Page, visit: Visit) -> None:
    """Of a group of faces, by keyboard."""
    visit("#people/group-1")
    page.locator(".face").first.wait_for()
    page.get_by_role("listbox").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_keyboard_is_at_the_faces_once_selected_ones_are_moved(page: Page, visit: Visit, language: str) -> None:
    visit("#people/1", "family", language)
    page.locator(".face").first.wait_for()
    page.get_by_role("listbox").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name={"en": "Move to…", "zh-CN": "移到…"}[language]).press("Enter")
    page.get_by_role("dialog").get_by_role("combobox").fill("Fang")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("listbox")).to_be_focused()


def test_the_keyboard_is_at_the_faces_once_those_left_out_of_a_group_are_ignored(page: Page, visit: Visit) -> None:
    _leave_one_out(page, visit)
    page.get_by_role("button", name="Ignore").press("Enter")
    expect(page.get_by_role("listbox")).to_be_focused()


def test_the_keyboard_is_at_the_faces_once_all_of_a_group_are_taken_in_again(page: Page, visit: Visit) -> None:
    _leave_one_out(page, visit)
    page.locator(".buttons button").last.press("Enter")
    expect(page.locator(".face.chosen")).to_have_count(0)
    expect(page.get_by_role("listbox")).to_be_focused()


def test_the_keyboard_is_somewhere_once_the_last_conflict_of_names_is_settled(page: Page, visit: Visit) -> None:
    visit("#people/conflicts", "conflicts")
    for left in (2, 1, 0):
        page.locator("main section li .answers button").first.press("Enter")
        expect(page.locator("main section li")).to_have_count(left)
        _somewhere(page)


def test_the_keyboard_is_at_the_person_that_another_was_merged_into(page: Page, visit: Visit) -> None:
    visit("#people/1")
    page.locator(".face").first.wait_for()
    page.get_by_role("button", name="Merge…").press("Enter")
    page.get_by_role("dialog").get_by_role("combobox").fill("Grandpa")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Grandpa")
    expect(page.get_by_role("dialog")).to_have_count(0)
    _somewhere(page)


def test_a_name_that_is_being_saved_is_sent_once_and_keeps_the_keyboard(page: Page, visit: Visit) -> None:
    sent: list[Route] = []
    page.route("**/api/people/edits", lambda route: sent.append(route))
    visit("#people/group-1")
    field = page.get_by_role("combobox", name="Who is this?")
    field.fill("Fang")
    save = page.get_by_role("button", name="Save the name")
    save.press("Enter")
    expect(save).to_have_attribute("aria-disabled", "true")
    save.press("Enter")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    while not sent:
        page.wait_for_timeout(20)
    assert len(sent) == 1
    expect(save).to_be_focused()
    sent[0].abort()
