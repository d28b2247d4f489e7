"""Names in the popup's real window, with pointer and keys of a real desktop: who it is, by a few letters, and yes to a suggestion."""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from agent.infrastructure.core.i18n import Texts
from tests.support.accessibility import violations
from tests.support.photo_album import BLURRED, FIRST, UNCLEAR, Album

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

    from tests.browser.conftest import Desktop
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300)]

Until = Callable[[Callable[[], bool], str], None]
POPUP = "^AI Popup$"


class Popup:
    """The window of the running program: seen through its page, worked with pointer and keys."""

    def __init__(self, desktop: "Desktop", page: Page, until: Until) -> None:
        self.desktop = desktop
        self.page = page
        self.until = until

    def click(self, element: Locator) -> None:
        element.scroll_into_view_if_needed()
        box = element.bounding_box()
        assert box is not None
        left, top, _, _ = self.desktop.geometry(self.desktop.window(POPUP))
        self.desktop.click((round(left + box["x"] + box["width"] / 2), round(top + box["y"] + box["height"] / 2)))

    def click_into(self, field: Locator) -> None:
        """A click in the very moment of the first frame is not for the page yet: until the field has the keys."""

        def clicked() -> bool:
            self.click(field)
            return bool(field.evaluate("field => new Promise((done) => setTimeout(() => done(field === document.activeElement), 200))"))

        self.until(clicked, "the keys in the field")


@pytest.mark.parametrize(("language", "name", "initials"), [("en", "Barack Hussein", "bh"), ("zh-CN", "王小明", "wxm")])
def test_a_face_is_named_by_a_few_letters_and_the_next_photo_suggests_who_it_is(
    desktop: "Desktop",
    playwright: "Playwright",
    make_program: "Callable[[Mapping[str, str]], RealProgram]",
    samples_folder: Path,
    until: Until,
    tmp_path: Path,
    language: str,
    name: str,
    initials: str,
) -> None:
    t = Texts(language)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shown_on = {each: desktop.environment[each] for each in ("DISPLAY", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    program = make_program({**shown_on, "QTWEBENGINE_CHROMIUM_FLAGS": f"--remote-debugging-port={port}"})
    for key, value in {"general.language": language, "recognition.enabled": "true", "popup.seconds": "3600"}.items():
        program.file.set(key, value)
    program.start()
    album = Album(samples_folder)

    def dropped(photo: str, number: int) -> int:
        """Put it into the folder, and wait until it is known and the popup is there, by itself; gives its face's id."""
        album.drop(program.watched, [photo])
        program.settled(number)
        until(lambda: bool(desktop.windows(POPUP)), "the popup")
        (face,) = program.images()[photo].faces
        return face.id

    def who(photo: str) -> tuple[str | None, str | None]:
        (face,) = program.images()[photo].faces
        return face.person, face.certainty

    # Somebody is known already, by one photo.
    known = dropped(FIRST[0], 1)
    with program.api() as api:
        api.post("/people", json={"face_id": known, "name": name}).raise_for_status()
    browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
    (page,) = browser.contexts[0].pages
    popup = Popup(desktop, page, until)
    expect(page.get_by_text(t("ui.people.confirmed"))).to_be_visible()

    # One on which nobody can be recognised asks who it is; a few letters are enough.
    dropped(UNCLEAR, 2)
    field = page.get_by_role("combobox", name=t("ui.people.who_is_this"))
    expect(field).to_be_visible()
    assert who(UNCLEAR) == (None, None)
    popup.click_into(field)
    desktop.ask("xdotool", "type", "--delay", "60", initials)
    expect(page.get_by_role("option", name=name)).to_be_visible()
    desktop.screenshot(tmp_path / "1-offered.png")
    assert violations(page) == []
    desktop.keys("Return")
    expect(page.get_by_text(t("ui.people.confirmed"))).to_be_visible()
    until(lambda: who(UNCLEAR) == (name, "confirmed"), "the name in the library")
    desktop.screenshot(tmp_path / "2-named.png")
    with program.api() as api:
        assert [person["name"] for person in api.get("/people").json()] == [name]

    # The next one is probably them: one click says yes. While somebody is at it, the popup turns no card by itself.
    dropped(BLURRED[1], 3)
    expect(page.get_by_text(t("ui.pager.position", index=2, total=3))).to_be_visible()
    desktop.keys("Left")
    assert who(BLURRED[1]) == (name, "probable")
    (face,) = program.images()[BLURRED[1]].faces
    expect(page.get_by_text(t("ui.people.probable", agree=face.agree, references=face.references))).to_be_visible()
    desktop.screenshot(tmp_path / "3-suggested.png")
    assert violations(page) == []
    popup.click(page.get_by_role("button", name=t("ui.people.yes", name=name)))
    until(lambda: who(BLURRED[1]) == (name, "confirmed"), "the yes in the library")
    expect(page.get_by_text(t("ui.people.confirmed"))).to_be_visible()
    desktop.screenshot(tmp_path / "4-confirmed.png")
    browser.close()
