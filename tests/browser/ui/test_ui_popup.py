"""The popup's page in a real browser: its cards, who is on them, and the quiet it can be told to keep."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from agent.desktop.popup.window_backend import HEIGHT, WIDTH

if TYPE_CHECKING:
    from tests.browser.ui.conftest import Visitor
    from tests.support.real_program import RealProgram

# For long tests whose steps are the same in Chinese; other tests of this page run in both languages.
IN_ENGLISH = pytest.mark.parametrize("language", ["en"])

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
    page = visitor.page
    position = page.get_by_role("group", name=visitor.t("pager.label")).locator("span")
    for _ in range(6):
        said = position.inner_text()
        shown = page.get_by_role("img").or_(page.get_by_role("heading"))
        shown.first.wait_for()  # what is not there yet must not be passed over
        if page.get_by_role("img", name=name).or_(page.get_by_role("heading", name=name)).count():
            return
        page.keyboard.press("ArrowRight")
        expect(position).not_to_have_text(said)
    pytest.fail(f"no card {name}")


@IN_ENGLISH
def test_the_cards_are_paged_by_button_and_key(visitor: "Visitor", language: str) -> None:
    visitor.go("popup", language)
    page, t = visitor.page, visitor.t
    visitor.says(t("problems.card"))
    visitor.says("broken.jpg")
    expect(visitor.button("problems.show")).to_be_visible()  # an empty file stays as it is until somebody mends it
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


@IN_ENGLISH
def test_it_leads_to_the_photo_or_the_problem_that_it_shows(visitor: "Visitor", language: str) -> None:
    visitor.go("popup", language)
    turn_to(visitor, "face.jpg")
    number = visitor.program.images()["face.jpg"].id
    visitor.button("popup.more").click()
    visitor.named("menuitem", "open").click()
    visitor.page.wait_for_url(f"**/#photo-{number}")
    expect(visitor.page.get_by_role("heading", name="face.jpg")).to_be_visible()

    visitor.go("popup", language)
    turn_to(visitor, "broken.jpg")
    visitor.button("burst.see_why").click()
    visitor.page.wait_for_url("**/#problems/*")
    expect(visitor.page.get_by_role("listitem").filter(has_text="broken.jpg")).to_be_visible()


@IN_ENGLISH
def test_the_card_that_was_turned_to_stays_whatever_else_the_program_does(visitor: "Visitor", language: str) -> None:
    """Only a new photo, file or burst is news; that scanning is paused is none."""
    visitor.go("popup", language)
    turn_to(visitor, "face.jpg")
    visitor.program.post("/api/pause")
    expect(visitor.button("resume")).to_be_visible()
    expect(visitor.page.get_by_role("img", name="face.jpg")).to_be_visible()
    visitor.button("resume").click()
    expect(visitor.button("resume")).to_have_count(0)
    expect(visitor.page.get_by_role("img", name="face.jpg")).to_be_visible()


@IN_ENGLISH
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


@IN_ENGLISH
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
    # The card shows the name at once, and sends it then.
    program.until(lambda _: [face.person for face in program.images()[name].faces] == [NAME])

    program.file.set("recognition.enabled", "false")
    program.until(lambda status: not status.recognition)


@IN_ENGLISH
def test_a_name_that_is_given_elsewhere_comes_to_the_open_card(visitor: "Visitor", language: str, photo: Photo) -> None:
    """In the browser, by a command, or by the team: the card hears of it by the program's events alone."""
    program = visitor.program
    known = program.status().images
    program.file.set("recognition.enabled", "true")
    program.until(lambda status: status.recognition and status.queued == 0)
    photo(52).save(program.watched / "elsewhere.jpg")
    program.settled(known + 1, failed=1)
    visitor.go("popup", language)
    turn_to(visitor, "elsewhere.jpg")
    visitor.page.evaluate("window.loaded = 'once'")
    face = program.images()["elsewhere.jpg"].faces[0]
    with program.api() as elsewhere:
        named = elsewhere.post("people/edits", json={"kind": "name", "face_ids": [face.id], "name": "Hua"})
        assert named.status_code == 200, named.text
        expect(visitor.page.get_by_text("Hua", exact=True).first).to_be_visible()
        assert elsewhere.post("undo", json={}).status_code == 200
        expect(visitor.page.get_by_text("Hua", exact=True)).to_have_count(0)
    assert visitor.page.evaluate("window.loaded") == "once"
    program.file.set("recognition.enabled", "false")
    program.until(lambda status: not status.recognition)


@IN_ENGLISH
def test_a_name_that_was_begun_outlives_other_photos_and_a_burst(visitor: "Visitor", language: str, photo: Photo) -> None:
    program = visitor.program
    known = program.status().images
    program.file.set("recognition.enabled", "true")
    program.until(lambda status: status.recognition and status.queued == 0)
    asked, other = {"en": (50, 51), "zh-CN": (60, 61)}[language]
    photo(asked).save(program.watched / f"begun-{language}.jpg")
    program.settled(known + 1, failed=1)
    visitor.go("popup", language)
    turn_to(visitor, f"begun-{language}.jpg")
    page = visitor.page
    waiting = visitor.button("people.who_is_this")
    known_already = visitor.button("people.change_name", name=NAME)  # by the test before: then the name is put right
    field = visitor.named("combobox", "people.who_is_this")
    field.or_(waiting).or_(known_already).first.wait_for()
    for button in (waiting, known_already):
        if button.count():
            button.first.click()
    field.click()
    page.keyboard.type("Mei Li")

    photo(other).save(program.watched / f"meanwhile-{language}.jpg")
    program.settled(known + 2, failed=1)
    page.get_by_text(visitor.t("pager.position", index=2, total=program_cards(visitor))).wait_for()
    expect(field).to_be_focused()
    program.post("/api/pause")
    for number in range(12):
        photo(other + 100 + number).save(program.watched / f"burst-{language}-{number}.jpg")
    program.until(lambda status: status.burst is not None and status.queued == 12)
    expect(visitor.button("resume")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("Mei Li")

    page.keyboard.press("ArrowLeft")  # belongs to the field while one types
    expect(field).to_have_value("Mei Li")
    for number in range(12):  # called off, they would come with the next test's rescan
        (program.watched / f"burst-{language}-{number}.jpg").unlink()
    program.post("/api/burst/cancel")
    program.post("/api/resume")
    program.until(lambda status: status.burst is None and status.queued == 0)
    visitor.button("pager.newer").click()
    expect(page.get_by_role("img", name=f"meanwhile-{language}.jpg")).to_be_visible()
    visitor.button("pager.older").click()
    expect(field).to_have_value("Mei Li")
    # So does its window's process, which is let go when it was hidden for long.
    page.reload()
    turn_to(visitor, f"begun-{language}.jpg")
    expect(field).to_have_value("Mei Li")
    program.file.set("recognition.enabled", "false")
    program.until(lambda status: not status.recognition)


def program_cards(visitor: "Visitor") -> int:
    """How many cards there are by the agent's own count."""
    status = visitor.program.status()
    return min(8, status.images + status.failed)


@IN_ENGLISH
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
    visitor.says(t("burst.done", count=12))
    visitor.right(SIZE)
    visitor.button("burst.newest").click()
    visitor.page.get_by_role("group", name=t("pager.label")).wait_for()
