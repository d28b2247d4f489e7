"""What a user is at stays as it is while the program goes on and the lists are loaded again."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

Visit = Callable[..., None]
EDIT_ELSEWHERE = """() => fetch('/api/people/edits', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ kind: 'unignore', face_ids: [7654321] }),
})"""
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def something_happens(page: Page, read: str) -> None:
    """Somewhere else a face is edited; wait until the page has loaded that anew."""
    with page.expect_response(read) as answered:
        page.evaluate(EDIT_ELSEWHERE)
    answered.value.finished()
    page.evaluate(TWO_FRAMES)


def test_a_correction_that_was_left_stays_left(page: Page, visit: Visit) -> None:
    visit("#photos")
    panel = page.locator("main aside")
    panel.get_by_role("button", name="Change the name").first.click()
    field = panel.locator(".correcting").get_by_role("combobox", name="Who is this?")
    field.fill("Zzz")
    field.press("Escape")
    expect(panel.locator(".correcting")).to_have_count(0)
    something_happens(page, "**/api/images/by-id?*")
    expect(panel.locator(".correcting")).to_have_count(0)
    panel.get_by_role("button", name="Change the name").first.click()
    expect(field).to_have_value("Zzz")


def test_half_a_date_stays_in_its_field(page: Page, visit: Visit) -> None:
    visit("#people/1")
    year = page.locator("input[data-segment=year]").first
    year.fill("19")
    something_happens(page, "**/api/people/1")
    expect(year).to_have_value("19")


def test_a_photo_that_moves_up_is_not_announced_as_new(page: Page, visit: Visit) -> None:
    visit("#photos")
    grid = page.get_by_role("listbox", name="Photos")
    page.locator("#photo-tile-99").click(modifiers=["ControlOrMeta"])
    grid.press("Delete")
    expect(page.locator("#photo-tile-99")).to_have_count(0)
    something_happens(page, "**/api/images?*")
    expect(page.locator("body > .visually-hidden[aria-live], #app > .visually-hidden[aria-live]")).to_have_text("")


def test_an_edit_that_is_not_sent_as_json_is_refused_and_ends_nothing(page: Page, visit: Visit) -> None:
    visit("#photos")
    answered = "async (method) => (await fetch('/api/people/edits', { method: 'POST', body: '{}' })).status"
    assert page.evaluate(answered) == 422
    assert page.evaluate("async () => (await fetch('/api/status')).status") == 200
