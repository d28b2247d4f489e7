"""That the screen is watched is to be seen on every page, said once, and ended there; who may be named is said on their page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

Visit = Callable[..., None]


@pytest.mark.parametrize(("place", "language"), [("", "en"), ("/popup", "zh-CN")])
def test_watching_is_seen_rests_and_ends(page: Page, visit: Visit, violations: Callable[[], list[str]], place: str, language: str) -> None:
    chinese = language == "zh-CN"
    visit(place, "watched", language)
    note = page.locator(".watch")
    expect(note.get_by_role("status")).to_have_text("正在监看屏幕。" if chinese else "The screen is watched.")
    expect(page.locator(".toast p")).to_have_text("Mei 出现在屏幕上。" if chinese else "Mei is on the screen.")
    assert violations() == []
    note.get_by_role("button", name="暂停 1 小时" if chinese else "Pause for 1 hour").click()
    expect(note.get_by_role("status")).to_contain_text("已暂停监看，到" if chinese else "paused until")
    note.get_by_role("button", name="恢复监看" if chinese else "Resume watching").click()
    expect(note.get_by_role("status")).to_have_text("正在监看屏幕。" if chinese else "The screen is watched.")
    note.get_by_role("button", name="停止" if chinese else "Stop").click()
    expect(note).to_have_count(0)


@pytest.mark.parametrize("place", ["", "/popup"])
def test_the_keyboard_goes_on_where_the_notes_buttons_change_and_go(page: Page, visit: Visit, place: str) -> None:
    visit(place, "watched")
    note = page.locator(".watch")
    note.get_by_role("button", name="Pause for 1 hour").press("Enter")
    again = note.get_by_role("button", name="Resume watching")
    expect(again).to_be_focused()
    again.press("Enter")
    expect(note.get_by_role("button", name="Pause for 1 hour")).to_be_focused()
    note.get_by_role("button", name="Stop").press("Enter")
    expect(note).to_have_count(0)
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("height", [520, 400])
def test_in_the_popup_what_is_said_hides_nothing_of_the_note(page: Page, visit: Visit, height: int) -> None:
    page.set_viewport_size({"width": 380, "height": height})
    visit("/popup", "watched")
    note, toast = page.locator(".watch"), page.locator(".toast")
    toast.wait_for()
    above, below = note.bounding_box(), toast.bounding_box()
    assert above is not None and below is not None
    assert above["y"] + above["height"] <= below["y"]
    for button in note.get_by_role("button").all():
        button.click(trial=True)


def test_who_may_be_named_is_said_on_their_page_and_withdrawn_there(page: Page, visit: Visit, violations: Callable[[], list[str]]) -> None:
    visit("#people/1")
    agreed = page.get_by_role("switch", name="May be named in alerts about the screen")
    expect(agreed).not_to_be_checked()
    agreed.click()
    expect(agreed).to_be_checked()
    expect(page.locator("dt", has_text="Agreed to be named in alerts about the screen")).to_be_visible()
    assert violations() == []
    agreed.click()
    expect(agreed).not_to_be_checked()
    expect(page.locator("dt", has_text="Agreed to be named in alerts about the screen")).to_have_count(0)
