"""Long lists while their rows go and come: none is skipped or met twice, and what is looked at stays where it is."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

Visit = Callable[..., None]

EDIT = """(edit) => fetch('/api/people/edits', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(edit),
}).then(({ ok }) => ok)"""
UNDO = "() => fetch('/api/undo', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).then(({ ok }) => ok)"
# The first face in view, and how far below the top of the view it begins.
LOOKED_AT = """() => {
    const view = document.querySelector('[role=listbox]').closest('.view')
    const above = (face) => face.getBoundingClientRect().top - view.getBoundingClientRect().top
    const [first] = [...view.querySelectorAll('.face')].filter((face) => above(face) >= 0).sort((a, b) => above(a) - above(b))
    return { id: Number(first.dataset.id), at: Math.round(above(first)) }
}"""
PLACE_OF = """(id) => {
    const face = document.querySelector(`.face[data-id="${id}"]`)
    return face && Math.round(face.getBoundingClientRect().top - face.closest('.view').getBoundingClientRect().top)
}"""
ACTIVE = "() => Number(document.querySelector('.face.active')?.dataset.id ?? 0)"
FIRST_FACE = 3_010_000
HIDE = """(ids) => fetch('/api/library/actions', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ action: 'hide', ids }),
}).then(({ ok }) => ok)"""
ACTIVE_PHOTO = "() => Number(document.querySelector('.tile.active')?.dataset.id ?? 0)"
FIRST_PHOTO_IN_VIEW = """() => {
    const view = document.querySelector('.view[role=listbox]')
    const inView = (tile) => tile.getBoundingClientRect().bottom > view.getBoundingClientRect().top
    return view.scrollTop > 0 && Math.max(...[...view.querySelectorAll('.tile')].filter(inView).map((tile) => Number(tile.dataset.id)))
}"""


def _rejected(page: Page, faces: list[int]) -> None:
    """As another window does it."""
    with page.expect_response("**/api/people/1/faces*"):
        assert page.evaluate(EDIT, {"kind": "reject", "face_ids": faces, "person_id": 1})


def _scroll_far(page: Page) -> None:
    page.locator(".view").last.hover()
    page.mouse.wheel(0, 6_000)
    page.wait_for_function("() => Number(document.querySelector('.face')?.getAttribute('aria-posinset')) > 50")


@pytest.fixture
def many(page: Page, visit: Visit) -> Page:
    """A person with 3,000 faces, of which a part is loaded at a time."""
    visit("#people/1", "huge")
    page.locator(".face").first.wait_for()
    return page


def test_faces_in_view_stay_in_place_as_faces_above_them_go_and_come_back(many: Page) -> None:
    _scroll_far(many)
    seen = many.evaluate(LOOKED_AT)
    _rejected(many, list(range(FIRST_FACE, FIRST_FACE + 31)))
    expect(many.locator(f".face[data-id='{seen['id']}']")).to_have_attribute("aria-posinset", str(seen["id"] - FIRST_FACE + 1 - 31))
    assert many.evaluate(PLACE_OF, seen["id"]) == pytest.approx(seen["at"], abs=1)
    assert many.evaluate(UNDO)
    expect(many.locator(f".face[data-id='{seen['id']}']")).to_have_attribute("aria-posinset", str(seen["id"] - FIRST_FACE + 1))
    assert many.evaluate(PLACE_OF, seen["id"]) == pytest.approx(seen["at"], abs=1)


def test_faces_in_view_stay_in_place_as_the_first_of_them_goes_with_those_above(many: Page) -> None:
    _scroll_far(many)
    first = many.evaluate(LOOKED_AT)["id"]
    _rejected(many, list(range(FIRST_FACE, first + 1)))
    expect(many.locator(f".face[data-id='{first}']")).to_have_count(0)
    assert many.evaluate(LOOKED_AT)["id"] in range(first + 1, first + 9), "those that followed it in view are still there"


def test_faces_are_walked_through_one_by_one_while_others_go_and_come(many: Page) -> None:
    many.get_by_role("listbox").focus()
    walked = list[int]()

    def walk(count: int) -> None:
        for _ in range(count):
            many.keyboard.press("ArrowRight")
            walked.append(many.evaluate(ACTIVE))

    walk(40)
    _rejected(many, [walked[-1], *range(FIRST_FACE + 10, FIRST_FACE + 20)])
    expect(many.locator(f".face[data-id='{walked[-1]}']")).to_have_count(0)
    walked.append(many.evaluate(ACTIVE))
    walk(430)
    with many.expect_response("**/api/people/1/faces*"):
        assert many.evaluate(UNDO)
    walk(60)
    assert walked == list(range(FIRST_FACE, FIRST_FACE + len(walked)))


def _hidden(page: Page, photos: list[int]) -> None:
    """As another window does it; this one is told when it is looked at again."""
    with page.expect_response("**/api/library?*"):
        assert page.evaluate(HIDE, photos)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.fixture
def photos(page: Page, visit: Visit) -> Page:
    visit("#photos", "huge")
    page.locator(".tile img").first.wait_for()
    return page


def test_the_keyboard_stays_where_a_photo_was_that_another_window_removed(photos: Page) -> None:
    photos.get_by_role("listbox").focus()
    for _ in range(30):
        photos.keyboard.press("ArrowRight")
    active = photos.evaluate(ACTIVE_PHOTO)
    _hidden(photos, [active])
    expect(photos.locator(f".tile[data-id='{active}']")).to_have_count(0)
    assert photos.evaluate(ACTIVE_PHOTO) == active - 1
    photos.keyboard.press("ArrowRight")
    assert photos.evaluate(ACTIVE_PHOTO) == active - 2


def test_photos_in_view_stay_in_place_as_the_first_of_them_goes_with_hundreds_above(photos: Page) -> None:
    photos.locator(".view").evaluate("(view) => { view.scrollTop = 20_000 }")
    first = int(photos.wait_for_function(FIRST_PHOTO_IN_VIEW).json_value())
    _hidden(photos, list(range(first, first + 300)))
    expect(photos.locator(f".tile[data-id='{first}']")).to_have_count(0)
    assert int(photos.evaluate(FIRST_PHOTO_IN_VIEW)) in range(first - 12, first), "those that followed it in view are still there"
