"""Photos and covers looked at from near, and faces chosen on the photo, with a made-up agent behind the pages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

Visit = Callable[..., None]


def _box(element: Locator) -> tuple[float, float, float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def _scale(page: Page, selector: str) -> float:
    width: float = page.locator(selector).last.evaluate("picture => picture.getBoundingClientRect().width")
    return width


@pytest.fixture
def photo(page: Page, visit: Visit) -> Page:
    visit("#photo-99")
    page.locator(".large .face").first.wait_for()
    return page


PICTURE = ".large .picture img"
IS_INSIDE = """([at, inner, outer]) => {
  const part = document.querySelectorAll(inner)[at].getBoundingClientRect()
  const view = document.querySelector(outer).getBoundingClientRect()
  return view.left <= part.left && part.right <= view.right && view.top <= part.top && part.bottom <= view.bottom
}"""


def test_the_wheel_enlarges_the_photo_at_the_pointer(photo: Page) -> None:
    face = photo.locator(".large .face").nth(2)
    x, y, width, height = _box(face)
    photo.mouse.move(x + width / 2, y + height / 2)
    photo.mouse.wheel(0, -400)
    expect(photo.locator(".zoom [role=status]")).not_to_be_empty()
    left, top, wide, high = _box(face)
    assert wide > 1.4 * width
    assert abs(left + wide / 2 - x - width / 2) < 8 and abs(top + high / 2 - y - height / 2) < 8


def test_the_photo_is_enlarged_moved_and_whole_again_by_key(photo: Page) -> None:
    whole = _scale(photo, PICTURE)
    photo.keyboard.press("+")
    photo.keyboard.press("+")
    expect(photo.locator(".zoom [role=status]")).to_have_text("Zoom 225%")
    assert _scale(photo, PICTURE) == pytest.approx(2.25 * whole, rel=0.01)
    before = _box(photo.locator(PICTURE).last)[0]
    photo.keyboard.press("Shift+ArrowRight")
    assert _box(photo.locator(PICTURE).last)[0] < before
    photo.keyboard.press("-")
    expect(photo.locator(".zoom [role=status]")).to_have_text("Zoom 150%")
    photo.keyboard.press("0")
    expect(photo.locator(".zoom [role=status]")).to_be_empty()
    assert _scale(photo, PICTURE) == pytest.approx(whole, rel=0.01)


def test_a_double_click_enlarges_a_drag_moves_and_the_next_photo_is_whole(photo: Page) -> None:
    left, top, wide, high = _box(photo.locator(PICTURE).last)
    photo.mouse.dblclick(left + wide * 0.7, top + high * 0.8)
    expect(photo.locator(".zoom [role=status]")).to_have_text("Zoom 250%")
    before = _box(photo.locator(PICTURE).last)
    face = photo.locator(".large .face").nth(2)
    at = _middle(face)
    photo.mouse.move(*at)
    photo.mouse.down()
    photo.mouse.move(at[0] - 90, at[1] - 70, steps=4)
    photo.mouse.up()
    after = _box(photo.locator(PICTURE).last)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((-90, -70), abs=1)
    expect(photo.locator(".large .face[aria-pressed=true]")).to_have_count(0)
    photo.keyboard.press("ArrowRight")
    expect(photo.locator(".large h1")).not_to_contain_text("IMG_4899")
    expect(photo.locator(".zoom [role=status]")).to_be_empty()


def _middle(element: Locator) -> tuple[float, float]:
    x, y, width, height = _box(element)
    return x + width / 2, y + height / 2


def test_f_gives_the_photo_the_whole_screen_and_esc_leaves_one_thing_at_a_time(photo: Page) -> None:
    photo.keyboard.press("f")
    expect(photo.get_by_role("button", name="Leave full screen")).to_be_visible()
    assert _box(photo.locator(".large"))[:2] == (0, 0)
    photo.keyboard.press("Escape")
    expect(photo.get_by_role("button", name="Full screen", exact=True)).to_be_visible()
    expect(photo.locator(".large")).to_be_visible()
    photo.keyboard.press("?")
    expect(photo.get_by_role("dialog")).to_be_visible()
    photo.keyboard.press("Escape")
    expect(photo.get_by_role("dialog")).to_have_count(0)
    expect(photo.locator(".large")).to_be_visible()
    photo.keyboard.press("Escape")
    expect(photo.locator(".large")).to_have_count(0)


def test_a_face_that_has_the_keyboard_is_in_view_and_its_button_names_it(page: Page, visit: Visit) -> None:
    visit("#photo-99", "crowd")
    faces = page.locator(".large .face")
    faces.first.wait_for()
    for _ in range(4):
        page.keyboard.press("+")
    for at in (0, 4, 13):
        faces.nth(at).focus()
        # The browser scrolls to what takes the focus, and the page takes that back before it draws.
        page.wait_for_function(IS_INSIDE, arg=[at, ".large .face", ".large .picture"])
    names = [label for face in faces.all() if "Who is this?" in (label := face.get_attribute("aria-label") or "")]
    assert len(names) == len(set(names)) > 1
    page.get_by_role("button", name="Who is this?").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".large aside input")).to_be_focused()


@pytest.mark.parametrize("on", [".face", ".tag"])
def test_a_face_pressed_on_the_photo_is_named_beside_it(page: Page, visit: Visit, on: str) -> None:
    visit("#photo-98")
    page.locator(".large .tag.asks").wait_for()
    pressed = page.locator(".large .tag.asks") if on == ".tag" else page.get_by_role("button", name="Who is this?").first
    page.mouse.click(*_middle(pressed))
    expect(page.locator(".large aside input")).to_be_focused()
    page.keyboard.type("Tina Fey\n")
    expect(page.locator(".toast p").last).to_have_text("Named Tina Fey")
    expect(page.locator(".large .tag.asks")).to_have_count(0)


def test_a_named_face_pressed_on_the_photo_is_corrected(photo: Page) -> None:
    photo.mouse.click(*_middle(photo.locator(".large .face").first))
    expect(photo.locator(".large aside input")).to_be_focused()
    photo.keyboard.press("Escape")
    expect(photo.locator(".large aside input")).to_have_count(0)
    expect(photo.locator(".large")).to_be_visible()


def test_a_face_pressed_in_the_popup_is_named_there(page: Page, visit: Visit) -> None:
    visit("/popup", "crowd")
    page.get_by_role("button", name="Who is this?").first.wait_for()
    page.locator(".picture .face").nth(2).click()
    expect(page.locator(".found input")).to_be_focused()


# -- covers ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(page: Page, visit: Visit) -> Page:
    visit("#covers/c1/1")
    page.locator(".cover").first.wait_for()
    return page


def test_covers_are_looked_at_from_near_by_wheel_key_and_button(copy: Page) -> None:
    first = copy.locator(".cover").first
    width = _box(first)[2]
    copy.mouse.move(*_middle(first))
    copy.mouse.wheel(0, -400)
    assert _box(first)[2] > 1.4 * width
    copy.keyboard.press("0")
    assert _box(first)[2] == pytest.approx(width, rel=0.01)
    copy.get_by_role("button", name="Zoom in").click()
    expect(copy.locator(".zoom [role=status]")).to_have_text("Zoom 150%")
    pressed = first.get_attribute("aria-pressed")
    first.click()
    expect(first).not_to_have_attribute("aria-pressed", pressed or "")


def test_an_area_is_drawn_from_near_where_the_pointer_went(copy: Page) -> None:
    copy.keyboard.press("+")
    copy.keyboard.press("d")
    paper = copy.locator(".paper")
    x, y, width, height = _box(paper)
    copy.mouse.move(x + width / 2, y + height / 2)
    copy.mouse.down()
    copy.mouse.move(x + width / 2 + 60, y + height / 2 + 50, steps=3)
    copy.mouse.up()
    expect(copy.locator(".cover")).to_have_count(4)
    left, top, wide, high = _box(copy.locator(".cover").last)
    assert (left, top, wide, high) == pytest.approx((x + width / 2, y + height / 2, 60, 50), abs=2)


def test_numbers_stand_on_no_face(copy: Page) -> None:
    numbers, covers = copy.locator(".stage .number"), copy.locator(".cover")
    numbers.first.wait_for()
    assert numbers.count() > 0
    for number in map(_box, numbers.all()):
        for x, y, width, height in map(_box, covers.all()):
            apart = number[0] >= x + width or number[0] + number[2] <= x or number[1] >= y + height or number[1] + number[3] <= y
            assert apart
