"""The popup's page in a real browser: its cards, who is on them, and the quiet it can be told to keep."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from agent.desktop.popup_shell import HEIGHT, WIDTH

if TYPE_CHECKING:
    from tests.conftest import RealProgram
    from tests.e2e.ui.conftest import Visitor

pytestmark = pytest.mark.slow

Photo = Callable[[int], Image.Image]
SIZE = ((WIDTH, HEIGHT),)
NAME = "Wolfeschlegelsteinhausenbergerdorff-Müller"


@pytest.fixture(scope="module")
def visitor(
    make_module_program: Callable[[Mapping[str, str]], "RealProgram"], visit: Callable[["RealProgram"], "Visitor"], photo: Photo
) -> "Visitor":
    """Oldest first: a photo with one face, one without, and a file that is none."""
    program = make_module_program({})
    program.start()
    photo(0).save(program.watched / "face.jpg")
    program.settled(1)
    Image.effect_noise((640, 480), 60).convert("RGB").save(program.watched / "nobody.jpg")
    program.settled(2)
    (program.watched / "broken.jpg").write_bytes(b"")
    program.settled(2, failed=1)
    visitor = visit(program)
    visitor.sign_in("popup")
    visitor.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    return visitor


def turn_to(visitor: "Visitor", name: str) -> None:
    """To the card of a file, wherever it stands among the others."""
    visitor.page.get_by_role("group", name=visitor.t("pager.label")).wait_for()
    for _ in range(6):
        card = visitor.page.get_by_role("img", name=name).or_(visitor.page.get_by_role("heading", name=name))
        if card.count():
            return
        visitor.page.keyboard.press("ArrowRight")
    pytest.fail(f"no card {name}")


def test_the_cards_are_paged_by_button_and_key(visitor: "Visitor", language: str) -> None:
    visitor.go("popup", language)
    page, t = visitor.page, visitor.t
    visitor.says(t("problems.card"))
    visitor.says("broken.jpg")
    expect(visitor.button("problems.retry")).to_be_visible()
    visitor.right(SIZE)

    visitor.button("pager.older").click()
    visitor.says(t("pager.position", index=2, total=3))
    visitor.says(t("no_face.text"), whole=False)
    visitor.right(SIZE)

    page.keyboard.press("ArrowRight")
    visitor.says(t("pager.position", index=3, total=3))
    expect(visitor.named("heading", "faces", count=1)).to_be_visible()
    visitor.right(SIZE)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    visitor.says(t("pager.position", index=1, total=3))


def test_its_menu_hides_the_photo_and_brings_it_back(visitor: "Visitor", language: str) -> None:
    visitor.go("popup", language)
    turn_to(visitor, "nobody.jpg")
    visitor.button("popup.more").click()
    expect(visitor.named("menuitem", "popup.hide_photo")).to_be_visible()
    visitor.right(SIZE)
    visitor.named("menuitem", "popup.hide_photo").click()
    visitor.says(visitor.t("popup.hidden"))
    visitor.says(visitor.t("pager.position", index=1, total=2))
    visitor.right(SIZE)
    visitor.button("undo").click()
    visitor.says(visitor.t("pager.position", index=2, total=3))


def test_quiet_is_asked_for_said_and_ended(visitor: "Visitor", language: str) -> None:
    visitor.go("popup", language)
    visitor.button("popup.quiet_off").click()
    expect(visitor.named("menuitem", "popup.quiet_half_hour")).to_be_visible()
    visitor.right(SIZE)
    visitor.named("menuitem", "popup.quiet_half_hour").click()
    expect(visitor.button("popup.quiet_on")).to_be_visible()
    visitor.right(SIZE)
    visitor.button("popup.quiet_end_short").click()
    expect(visitor.button("popup.quiet_off")).to_be_visible()


def test_a_face_is_named_and_its_photo_says_who(visitor: "Visitor", language: str, photo: Photo) -> None:
    program = visitor.program
    name = f"who-{language}.jpg"
    known = program.status().images
    program.file.set("recognition.enabled", "true")
    program.until(lambda status: status.recognition and status.queued == 0)
    photo({"en": 4, "zh-CN": 2}[language]).save(program.watched / name)  # two people: the second is nobody who was named before
    program.settled(known + 1, failed=1)
    visitor.go("popup", language)
    turn_to(visitor, name)
    field = visitor.named("combobox", "people.who_is_this")
    expect(field).to_be_visible()
    visitor.right(SIZE)
    field.fill(NAME)
    field.press("Enter")
    visitor.says(visitor.t("people.confirmed"))
    expect(visitor.page.get_by_text(NAME).first).to_be_visible()
    visitor.right(SIZE)
    assert [face.person for face in program.images()[name].faces] == [NAME]

    program.file.set("recognition.enabled", "false")
    program.until(lambda status: not status.recognition)


def test_a_burst_is_one_card_that_can_be_paused_and_called_off(visitor: "Visitor", language: str, photo: Photo) -> None:
    program = visitor.program
    known = program.status()
    program.post("/api/pause")
    first = {"en": 10, "zh-CN": 30}[language]  # the same photo again would be known already
    for number in range(first, first + 12):
        photo(number).save(program.watched / f"{language}-{number}.jpg")
    program.until(lambda status: status.burst is not None and status.queued == 12)
    visitor.go("popup", language)
    t = visitor.t
    visitor.says(t("burst.of_total", count=12))
    expect(visitor.named("heading", "state.paused")).to_be_visible()
    visitor.right(SIZE)

    visitor.button("popup.cancel").click()
    program.until(lambda status: status.burst is None and status.queued == 0)
    visitor.button("resume").click()
    visitor.page.get_by_role("group", name=visitor.t("pager.label")).wait_for()
    assert program.status().images == known.images
    program.post("/api/rescan")
    program.settled(known.images + 12, failed=1)
