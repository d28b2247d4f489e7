"""The welcome in a real browser: from an empty home to photos that are looked through."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.ui.conftest import Visitor
    from tests.support.real_program import RealProgram

Photo = Callable[[int], Image.Image]


@pytest.fixture
def visitor(make_program: Callable[[Mapping[str, str]], "RealProgram"], visit: Callable[["RealProgram"], "Visitor"]) -> "Visitor":
    program = make_program({})
    program.file.remove_folder(str(program.watched))
    program.start()
    visitor = visit(program)
    visitor.sign_in()
    return visitor


def test_a_new_user_gets_from_an_empty_home_to_photos(visitor: "Visitor", language: str, photo: Photo, tmp_path: Path) -> None:
    folder = tmp_path / "Family pictures"
    folder.mkdir()
    for number in range(3):
        photo(number).save(folder / f"{number}.jpg")

    visitor.go("", language)
    page, t = visitor.page, visitor.t
    visitor.says(t("first_run.title"))
    expect(visitor.button("first_run.start")).to_be_disabled()
    visitor.right()

    # Recognition is explained and off.
    expect(page.get_by_role("radio", checked=True)).to_contain_text(t("first_run.faces"))
    page.get_by_role("radio").filter(has_text=t("first_run.people")).click()
    visitor.says(t("settings.recognition_terms"))
    visitor.right()
    page.get_by_role("radio").filter(has_text=t("first_run.faces_text")).click()

    visitor.button("settings.folder_type_instead").click()
    visitor.named("textbox", "settings.folder_type").fill(str(folder))
    visitor.button("settings.folder_watch").click()
    visitor.says(t("first_run.photos", count=3))
    visitor.right()

    visitor.button("first_run.start").click()
    visitor.says(t("first_run.ready"))
    expect(page.get_by_role("heading", name=t("first_run.ready"))).to_be_focused()
    code = page.get_by_role("group", name=t("settings.recovery_title")).inner_text()
    assert code in visitor.program.run("recovery-code").stdout
    visitor.right()

    visitor.button("first_run.to_photos").click()
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(3)
    settings = visitor.program.file.load()
    assert [each.root for each in settings.folders] == [str(folder)]
    assert settings.recognition.enabled is False
    page.reload()
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(3)


def test_the_welcome_can_be_put_off_and_does_not_come_again(visitor: "Visitor") -> None:
    visitor.go("", "en")
    page, t = visitor.page, visitor.t
    page.get_by_role("button", name="English").click()
    visitor.right()
    page.get_by_role("menuitemradio", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    visitor.speak("zh-CN")
    visitor.button("first_run.later").click()
    visitor.says(visitor.t("empty.no_folder"))
    visitor.right()
    page.reload()
    visitor.says(visitor.t("empty.no_folder"))
    expect(page.get_by_text(t("first_run.title"))).to_have_count(0)


def test_the_welcome_gives_way_to_the_page_once_a_command_has_added_a_folder(visitor: "Visitor") -> None:
    visitor.go("#people", "en")
    visitor.says(visitor.t("first_run.title"))
    assert visitor.program.run("folders", "add", str(visitor.program.watched)).returncode == 0
    visitor.says(visitor.t("nav.people"))
    expect(visitor.page.get_by_text(visitor.t("first_run.title"))).to_have_count(0)
