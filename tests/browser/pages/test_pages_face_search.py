"""Search by a face with a made-up agent behind it: a photo is chosen, dropped or pasted, and the library shows the photos with its face."""

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from agent.infrastructure.core.i18n import LANGUAGES, Texts

Visit = Callable[..., None]
TEXTS = {language: Texts(language) for language in LANGUAGES}
# As the made-up agent says, whatever comes in: three faces, of which the library has the first two.
SEARCH = {"en": "Search by a face", "zh-CN": "按人脸搜索"}
BRINGS = """([bytes, kind]) => {
  const data = new DataTransfer()
  data.items.add(new File([new Uint8Array(bytes)], 'a.png', { type: 'image/png' }))
  const init = { bubbles: true, cancelable: true }
  if (kind === 'paste') window.dispatchEvent(new ClipboardEvent('paste', { ...init, clipboardData: data }))
  else for (const type of ['dragover', 'drop']) window.dispatchEvent(new DragEvent(type, { ...init, dataTransfer: data }))
}"""


def photo() -> FilePayload:
    picture = io.BytesIO()
    Image.new("RGB", (800, 600), "#88aaaa").save(picture, "PNG")
    return {"name": "a.png", "mimeType": "image/png", "buffer": picture.getvalue()}


def search(page: Page, visit: Visit, scene: str = "family", language: str = "en") -> None:
    """Opens it from the filters."""
    visit("#photos", scene, language)
    page.locator(".tile").first.wait_for()
    page.get_by_role("button", name=SEARCH[language]).click()
    page.get_by_role("dialog").wait_for()


def choose(page: Page) -> None:
    page.locator("input[type=file]").set_input_files(photo())


def test_of_several_faces_one_is_chosen_and_its_photos_are_shown(page: Page, visit: Visit) -> None:
    search(page, visit)
    choose(page)
    faces = page.get_by_role("dialog").get_by_role("listitem").get_by_role("button")
    expect(faces).to_have_count(3)
    expect(faces.last).to_be_disabled()
    count = faces.nth(1).locator(".count").inner_text()
    faces.nth(1).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".filters [role=status]")).to_have_text(count)
    expect(page.get_by_role("listbox", name="Photos")).to_be_focused()
    page.get_by_role("button", name="Remove “same face”").click()
    expect(page.locator(".filters [role=status]")).to_have_text("27 photos")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_that_is_dropped_or_pasted_is_searched_with_at_once(page: Page, visit: Visit, way: str) -> None:
    visit("#photos", "settled")
    page.locator(".tile").first.wait_for()
    page.evaluate(BRINGS, [list(photo()["buffer"]), way])
    expect(page.get_by_role("button", name="Remove “same face”")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(
    ("scene", "says"),
    [
        ("noface", "No face found on this photo"),
        ("nobody", "None of your photos shows a similar face"),
        ("unread", "no photo that can be read"),
    ],
)
def test_what_finds_nothing_says_why_and_takes_another_photo(page: Page, visit: Visit, scene: str, says: str) -> None:
    search(page, visit, scene)
    choose(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(says)
    expect(dialog.get_by_role("button", name="Choose another photo")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(".filters [role=status]")).to_have_text("27 photos")


def test_while_recognition_is_off_it_leads_to_the_setting(page: Page, visit: Visit) -> None:
    search(page, visit, "counts")
    page.get_by_role("dialog").get_by_role("link", name="Open the setting").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("main .card").first).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_step_is_accessible(page: Page, visit: Visit, violations: Callable[[], list[str]], language: str) -> None:
    search(page, visit, "family", language)
    assert violations() == []
    choose(page)
    page.get_by_role("dialog").get_by_role("listitem").first.wait_for()
    assert violations() == []
    page.set_viewport_size({"width": 640, "height": 400})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("dialog").get_by_role("listitem").first.get_by_role("button").click()
    page.locator(".filters .chip.on").wait_for()
    assert violations() == []


def search_by_own_face(page: Page, visit: Visit, scene: str = "family", language: str = "en") -> None:
    """Searches by the third face of the newest photo, by keyboard alone."""
    visit("#photo-99", scene, language)
    details = page.locator(".large").get_by_role("complementary")
    details.get_by_role("button", name=SEARCH[language]).focus()
    page.keyboard.press("Enter")
    faces = page.get_by_role("group", name=TEXTS[language]("face_page.which"))
    expect(faces.get_by_role("button").first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text(TEXTS[language]("face_page.recorded"))).to_be_visible()


def test_a_face_of_the_library_shows_the_photos_like_it_in_words_with_the_face_marked(page: Page, visit: Visit) -> None:
    searches: list[str] = []
    page.on("request", lambda request: searches.append(request.url) if request.url.endswith("/search") else None)
    search_by_own_face(page, visit)
    found = page.locator("main").get_by_role("listitem")
    found.first.wait_for()
    said = [each.inner_text() for each in found.all()]
    assert len(said) > 4 and all("Very alike" in each for each in said[:4]) and "Alike, may be someone else" in said[4]
    expect(found.first.locator("svg rect").first).to_be_visible()
    found.first.get_by_role("link").click()
    page.locator(".large").wait_for()
    page.keyboard.press("Escape")
    expect(found).to_have_count(len(said))
    assert len(searches) == 1, "going back searches no second time: each search is on the record"


def test_selected_faces_are_named_from_there_and_undone(page: Page, visit: Visit) -> None:
    search_by_own_face(page, visit)
    boxes = page.locator("main").get_by_role("checkbox")
    boxes.first.wait_for()
    before = boxes.count()
    boxes.nth(0).check()
    boxes.nth(1).check()
    field = page.get_by_role("combobox", name="Who is this?")
    field.fill("Guo Fang")
    field.press("Enter")
    expect(boxes).to_have_count(before - 2)
    expect(page.locator("main").get_by_role("listitem").filter(has_text="Guo Fang")).to_have_count(2)
    page.get_by_role("button", name="Undo").first.click()
    expect(boxes).to_have_count(before)


@pytest.mark.parametrize(
    ("scene", "says"), [("nobody", "None of your photos shows a similar face"), ("unread", "This face has no face print")]
)
def test_a_search_by_a_face_that_finds_nothing_or_fails_says_why(page: Page, visit: Visit, scene: str, says: str) -> None:
    search_by_own_face(page, visit, scene)
    expect(page.locator("main .notice")).to_contain_text(says)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_faces_found_are_accessible_and_fit_a_phone(
    page: Page, visit: Visit, violations: Callable[[], list[str]], language: str
) -> None:
    search_by_own_face(page, visit, "family", language)
    page.locator("main").get_by_role("listitem").first.wait_for()
    assert violations() == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations() == []
