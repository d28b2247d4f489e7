"""The library in a real browser: photos come in by themselves, and all can be done by keyboard and taken back."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from scripts.page_conditions import wait_for_condition

if TYPE_CHECKING:
    from tests.browser.ui.conftest import Visitor
    from tests.support.real_program import RealProgram

# For long tests whose steps are the same in Chinese; other tests of this page run in both languages.
IN_ENGLISH = pytest.mark.parametrize("language", ["en"])

Photo = Callable[[int], Image.Image]
PHOTOS = 6  # three with one face, three with two


@pytest.fixture(scope="module")
def visitor(make_module_program: Callable[[Mapping[str, str]], "RealProgram"], visit: Callable[["RealProgram"], "Visitor"]) -> "Visitor":
    program = make_module_program({})
    program.start()
    visitor = visit(program)
    visitor.sign_in()
    return visitor


@pytest.fixture
def full(visitor: "Visitor", photo: Photo) -> "Visitor":
    """With all the photos in the library."""
    program = visitor.program
    for number in range(PHOTOS):
        if not (program.watched / f"photo-{number}.jpg").exists():
            photo(number).save(program.watched / f"photo-{number}.jpg")
    program.settled(PHOTOS)
    return visitor


def tiles(visitor: "Visitor") -> Locator:
    return visitor.page.get_by_role("listbox").get_by_role("option")


def test_an_empty_library_says_where_to_drop_photos(visitor: "Visitor", language: str) -> None:
    visitor.go("#photos", language)
    visitor.says(visitor.t("empty.watched", folders=visitor.t("quoted", name="photos")))
    visitor.right()


@pytest.mark.smoke
def test_a_dropped_photo_appears_by_itself(visitor: "Visitor", language: str, photo: Photo) -> None:
    visitor.go("#photos", language)
    known = visitor.program.status().images
    for number in range(known, known + PHOTOS // 2):
        photo(number).save(visitor.program.watched / f"photo-{number}.jpg")
    expect(tiles(visitor)).to_have_count(known + PHOTOS // 2)
    visitor.program.settled(known + PHOTOS // 2)
    expect(visitor.page.get_by_role("option", name=f"photo-{known}.jpg")).to_be_visible()
    pictures = "() => [...document.querySelectorAll('[role=option] img')].every((picture) => picture.complete && picture.naturalWidth > 0)"
    wait_for_condition(visitor.page, pictures)
    visitor.right()


@IN_ENGLISH
def test_the_keyboard_moves_opens_and_comes_back(full: "Visitor", language: str) -> None:
    full.go("#photos", language)
    page = full.page
    expect(tiles(full)).to_have_count(PHOTOS)
    page.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Home")
    expect(tiles(full).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowRight")
    second = page.locator("[role=option][aria-selected=true]")
    expect(second).to_have_attribute("aria-posinset", "2")
    number = second.get_attribute("data-id")

    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"#photo-{number}$"))
    expect(full.button("library.boxes")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".large svg rect.line")).not_to_have_count(0)
    full.says(full.t("pager.position", index=2, total=PHOTOS))
    full.right()

    page.keyboard.press("b")
    expect(full.button("library.boxes")).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".large svg rect.line")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    full.says(full.t("pager.position", index=3, total=PHOTOS))
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("#photos$"))
    expect(page.get_by_role("listbox")).to_be_focused()
    expect(page.locator("[role=option][aria-selected=true]")).to_have_attribute("aria-posinset", "3")


def test_a_filter_leaves_only_what_it_says(full: "Visitor", language: str) -> None:
    full.go("#photos", language)
    page, t = full.page, full.t
    expect(tiles(full)).to_have_count(PHOTOS)

    page.get_by_label(t("titled", title=t("library.faces.title"), value=t("library.faces.any"))).click()
    full.right()
    full.named("option", "faces", count=2).click()
    expect(tiles(full)).to_have_count(PHOTOS // 2)
    full.says(t("library.photos", count=PHOTOS // 2))

    page.get_by_role("button", name=t("library.date.title")).click()
    full.right()
    full.button("library.date.last_year").click()
    full.says(t("library.none_match"))
    full.right()
    full.button("library.clear").first.click()
    expect(tiles(full)).to_have_count(PHOTOS)

    page.get_by_label(t("titled", title=t("library.folder.title"), value=t("library.folder.all"))).click()
    page.get_by_role("treeitem", name="photos", exact=False).last.click()
    expect(tiles(full)).to_have_count(PHOTOS)


@IN_ENGLISH
def test_what_was_hidden_can_be_brought_back(full: "Visitor", language: str) -> None:
    full.go("#photos", language)
    page, t = full.page, full.t
    expect(tiles(full)).to_have_count(PHOTOS)
    tiles(full).nth(0).click()
    tiles(full).nth(1).click(modifiers=["Shift"])
    tiles(full).nth(3).click(modifiers=["ControlOrMeta"])
    full.says(t("library.chosen", count=3))
    full.right()

    page.get_by_role("group", name=t("library.batch")).get_by_role("button", name=t("library.hide")).click()
    full.says(t("library.hidden", count=3))
    expect(tiles(full)).to_have_count(PHOTOS - 3)
    full.right()
    full.button("undo").click()
    expect(tiles(full)).to_have_count(PHOTOS)

    page.get_by_role("listbox").focus()
    page.keyboard.press("ControlOrMeta+a")
    full.says(t("library.chosen", count=PHOTOS))
    page.keyboard.press("Delete")
    expect(tiles(full)).to_have_count(0)
    full.button("library.hidden_ones").click()
    expect(tiles(full)).to_have_count(PHOTOS)
    full.right()
    page.get_by_role("listbox").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.get_by_role("group", name=t("library.batch")).get_by_role("button", name=t("library.unhide")).click()
    full.says(t("library.none_hidden"))
    full.button("library.clear").first.click()
    expect(tiles(full)).to_have_count(PHOTOS)


@IN_ENGLISH
def test_a_menu_does_the_same_with_the_pointer(full: "Visitor", language: str) -> None:
    full.go("#photos", language)
    tiles(full).nth(2).click(button="right")
    expect(full.page.get_by_role("menuitem", name=full.t("library.hide"))).to_be_visible()
    full.right()
    full.named("menuitem", "library.look_again").click()
    full.says(full.t("library.looked_at_again", count=1))
    full.program.settled(PHOTOS)


def test_the_keys_are_explained(full: "Visitor", language: str) -> None:
    full.go("#photos", language)
    expect(tiles(full)).to_have_count(PHOTOS)
    full.page.keyboard.press("?")
    expect(full.page.get_by_role("dialog", name=full.t("help.keyboard"))).to_be_visible()
    full.right()
    full.page.keyboard.press("Escape")
    expect(full.page.get_by_role("dialog")).to_have_count(0)


def test_a_photo_that_is_gone_says_so(visitor: "Visitor", language: str) -> None:
    visitor.go("#photo-999999", language)
    visitor.says(visitor.t("library.gone"))
    visitor.right()


def test_the_guide_can_be_read_in_the_program(visitor: "Visitor", language: str) -> None:
    for part in ("guide", "settings", "errors"):
        visitor.go(f"#help/{part}", language)
        expect(visitor.page.locator("article h1")).to_be_visible()
        visitor.right()


def test_a_problem_has_a_button_that_helps(visitor: "Visitor", language: str) -> None:
    visitor.go("#problems", language)
    page, t = visitor.page, visitor.t
    visitor.says(t("problems.none"))
    visitor.right()

    broken = visitor.program.watched / f"broken-{language}.jpg"
    broken.write_bytes(b"")
    (visitor.program.watched / f"nonsense-{language}.png").write_bytes(b"not a picture at all")
    expect(page.locator("main li")).to_have_count(2)
    visitor.right()
    visitor.button("problems.retry_all").click()
    visitor.program.until(lambda status: status.queued == 0 and status.failed == 2)

    # The file becomes whole where no watcher sees it, then the button looks again.
    broken.unlink()
    expect(page.get_by_text(broken.name)).to_have_count(0)
    visitor.button("problems.clear").click()
    visitor.says(t("problems.none"))
