"""Names typed as fast as the keyboard goes, and steps taken back by key, with a made-up agent behind the pages."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

Visit = Callable[..., None]
EDITS = "**/api/people/edits"


class SlowAgent:
    """Edits wait until they are let through, and are noted in the order they come in."""

    def __init__(self, page: Page) -> None:
        self._held: list[Route] | None = []
        self.edits: list[dict[str, Any]] = []
        page.on("request", self._note)
        page.route(EDITS, self._hold)

    def _note(self, request: Request) -> None:
        if request.url.endswith("/api/people/edits"):
            self.edits.append(request.post_data_json or {})

    def _hold(self, route: Route) -> None:
        if self._held is None:
            route.continue_()
        else:
            self._held.append(route)

    @property
    def named(self) -> list[str]:
        return [edit["name"] for edit in self.edits]

    def answers(self) -> None:
        """From now on; what was held is let through first."""
        held, self._held = self._held or [], None
        for route in held:
            route.continue_()


@pytest.fixture
def slow(page: Page) -> Iterator[SlowAgent]:
    yield SlowAgent(page)


def test_groups_are_named_without_waiting_and_no_key_is_lost(page: Page, visit: Visit, slow: SlowAgent) -> None:
    visit("#people")
    page.locator(".groups input").first.focus()
    page.keyboard.type("Tina Fey\nAunt Fang\nSteve Carell\n")
    expect(page.locator(".groups li").first).to_contain_text("12 faces")
    expect(page.locator(".groups input").first).to_be_focused()
    expect(page.locator(".groups input").first).to_have_value("")
    slow.answers()
    expect(page.locator(".toast p").last).to_have_text(re.compile("^4 faces named Steve Carell"))
    assert slow.named == ["Tina Fey", "Aunt Fang", "Steve Carell"]
    assert len({face for edit in slow.edits for face in edit["face_ids"]}) == sum(len(edit["face_ids"]) for edit in slow.edits)
    expect(page.get_by_role("heading", level=1)).to_have_text("People 14")


def test_a_name_that_was_not_saved_is_there_again_with_its_group(page: Page, visit: Visit) -> None:
    visit("#people")
    page.route(
        EDITS, lambda route: route.fulfill(status=503, json={"code": "store.busy", "cause": "Busy.", "remedy": "Try again.", "params": {}})
    )
    page.locator(".groups input").first.focus()
    page.keyboard.type("Tina Fey\nAunt")
    expect(page.locator(".groups li").first).to_contain_text("41 faces")
    expect(page.locator(".groups input").first).to_have_value("Tina Fey")
    expect(page.locator(".groups input").nth(1)).to_have_value("Aunt")
    expect(page.locator(".groups input").nth(1)).to_be_focused()
    expect(page.get_by_text("Busy.")).to_be_visible()


def test_faces_of_a_photo_are_named_without_waiting_and_no_key_is_lost(page: Page, visit: Visit, slow: SlowAgent) -> None:
    visit("#photo-99", "crowd")
    faces = page.locator(".large aside .strip button")
    faces.first.wait_for()
    count = faces.count()
    faces.first.click()
    page.keyboard.type("Tina Fey\nAunt Fang\n")
    expect(faces).to_have_count(count - 2)
    expect(page.locator(".large aside input")).to_be_focused()
    expect(page.locator(".large aside").get_by_text("Aunt Fang")).to_be_visible()
    slow.answers()
    expect(page.locator(".toast p").last).to_have_text("Named Aunt Fang")
    assert slow.named == ["Tina Fey", "Aunt Fang"]
    assert slow.edits[0]["face_ids"] != slow.edits[1]["face_ids"]


def test_undo_waits_for_what_is_being_saved_and_says_what_it_undid(page: Page, visit: Visit, slow: SlowAgent) -> None:
    visit("#people")
    page.locator(".groups input").first.focus()
    page.keyboard.type("Tina Fey\n")
    page.locator(".everybody").focus()
    page.keyboard.press("Control+z")
    slow.answers()
    expect(page.locator(".toast p").last).to_have_text("Undone: 4 faces named Tina Fey")
    expect(page.locator(".groups li").first).to_contain_text("41 faces")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(".toast p").last).to_have_text("Redone: 4 faces named Tina Fey")
    expect(page.locator(".groups li").first).to_contain_text("28 faces")
    page.keyboard.press("Control+z")
    expect(page.locator(".groups li").first).to_contain_text("41 faces")


def test_undo_works_from_the_next_name_field_until_something_is_typed_there(page: Page, visit: Visit) -> None:
    visit("#people")
    field = page.locator(".groups input").first
    field.focus()
    page.keyboard.type("Tina Fey\n")
    expect(page.locator(".toast p").last).to_have_text(re.compile("named Tina Fey"))
    expect(field).to_be_focused()
    page.keyboard.type("A")
    page.keyboard.press("Control+z")  # the field's own
    expect(field).to_have_value("")
    expect(page.locator(".toast p").last).to_have_text(re.compile("named Tina Fey"))
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+z")
    expect(page.locator(".toast p").last).to_have_text(re.compile("^Undone: .*Tina Fey"))
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(".toast p").last).to_have_text(re.compile("^Redone: .*Tina Fey"))


def test_undo_touches_nothing_that_was_done_elsewhere(page: Page, visit: Visit) -> None:
    visit("#people")
    page.locator(".groups li").first.wait_for()
    page.evaluate(  # another window, or the command line
        "fetch('/api/people/edits', {method: 'POST', headers: {'content-type': 'application/json'},"
        " body: JSON.stringify({kind: 'describe', person_id: 1, name: 'Another'})})"
    )
    expect(page.get_by_role("link", name="Another")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.locator(".toast p").last).to_have_text("There is nothing to undo here")
    expect(page.get_by_role("link", name="Another")).to_be_visible()


def test_what_the_review_was_told_is_undone_by_key_too(page: Page, visit: Visit) -> None:
    visit("#people")
    position = page.get_by_text("1 of 12")
    position.wait_for()
    page.keyboard.press("y")
    expect(page.get_by_text("2 of 12")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(position).to_be_visible()
    expect(page.locator(".toast p").last).to_contain_text("Undone: named ")


@pytest.mark.parametrize(("scene", "said"), [("family", "No group is waiting for a name."), ("burst", "While your photos are scanned")])
def test_where_no_group_waits_the_page_says_whether_some_will_come(page: Page, visit: Visit, scene: str, said: str) -> None:
    page.route("**/api/groups?*", lambda route: route.fulfill(json={"items": [], "total": 0}))
    visit("#people", scene)
    expect(page.locator("main")).to_contain_text(said)
