"""The settings in a real browser: checked as typed, saved to the file at once, in force at once, and with a way back."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from agent.infrastructure.core.i18n import Texts

if TYPE_CHECKING:
    from tests.browser.ui.conftest import Visitor
    from tests.support.real_program import RealProgram

# For long tests whose steps are the same in Chinese; other tests of this page run in both languages.
IN_ENGLISH = pytest.mark.parametrize("language", ["en"])

Photo = Callable[[int], Image.Image]
GROUPS = ("general", "folders", "popup", "recognition", "detection", "engine", "sources", "library", "tray", "api", "logs")


@pytest.fixture(scope="module")
def visitor(
    make_module_program: Callable[[Mapping[str, str]], "RealProgram"], visit: Callable[["RealProgram"], "Visitor"], photo: Photo
) -> "Visitor":
    program = make_module_program({"AI_POPUP__TRAY__ENABLED": "false"})
    program.start()
    photo(0).save(program.watched / "one.jpg")
    program.settled(1)
    visitor = visit(program)
    visitor.sign_in()
    return visitor


def setting(visitor: "Visitor", key: str) -> Locator:
    return visitor.page.locator(f'[data-key="{key}"]')


def saved(visitor: "Visitor", key: str) -> object:
    section, name = key.split(".")
    return getattr(getattr(visitor.program.file.load(), section), name)


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_is_right(visitor: "Visitor", language: str, group: str) -> None:
    visitor.go(f"#settings/{group}", language)
    visitor.page.locator(".content h2").first.wait_for()
    for fold in visitor.page.locator("summary").all():
        fold.click()
    visitor.right()


def test_a_number_is_refused_with_its_bounds_and_saved_when_it_fits(visitor: "Visitor", language: str) -> None:
    visitor.go("#settings/popup.seconds", language)
    row, t = setting(visitor, "popup.seconds"), visitor.t
    field = row.get_by_role("textbox")
    field.fill("1")
    expect(row.get_by_role("alert")).to_contain_text(t("settings.enter", minimum="2", maximum="3,600"))
    visitor.right()
    field.press("Tab")
    assert saved(visitor, "popup.seconds") == 12

    field.fill("30")
    field.press("Enter")
    expect(row.get_by_text(t("settings.saved"), exact=True)).to_be_visible()
    assert saved(visitor, "popup.seconds") == 30
    visitor.program.until(lambda status: status.popup_seconds == 30)

    row.get_by_role("button").click()
    expect(field).to_have_value("12")
    visitor.button("undo").click()
    expect(field).to_have_value("30")
    row.get_by_role("button").click()
    expect(field).to_have_value("12")


def test_a_setting_is_found_by_its_words(visitor: "Visitor", language: str) -> None:
    visitor.go("#settings", language)
    visitor.page.get_by_role("searchbox").wait_for()
    visitor.page.keyboard.press("/")
    expect(visitor.page.get_by_role("searchbox")).to_be_focused()
    visitor.page.keyboard.type(visitor.texts("settings.popup.seconds.title"))
    expect(setting(visitor, "popup.seconds")).to_be_visible()
    visitor.right()
    visitor.page.get_by_role("searchbox").fill("xyzzy")
    visitor.says(visitor.t("settings.none_found", wanted="xyzzy"))
    visitor.right()


def test_language_and_theme_change_while_one_looks(visitor: "Visitor", language: str) -> None:
    visitor.go("#settings/general", language)
    root = visitor.page.locator("html")
    choose(visitor, "general.theme", visitor.texts("settings.general.theme.choice_dark"))
    expect(root).to_have_attribute("data-theme", "dark")
    choose(visitor, "general.theme", visitor.texts("settings.general.theme.choice_auto"))
    expect(root).not_to_have_attribute("data-theme", "dark")

    other = "en" if language == "zh-CN" else "zh-CN"
    choose(visitor, "general.language", visitor.texts(f"settings.general.language.choice_{other}"))
    expect(root).to_have_attribute("lang", other)
    assert saved(visitor, "general.language") == other


def choose(visitor: "Visitor", key: str, title: str) -> None:
    """One of the choices, which stand side by side or in a list."""
    beside = setting(visitor, key).get_by_role("radio", name=title, exact=True)
    row = setting(visitor, key)
    row.wait_for()
    if beside.count() == 0:
        row.locator("button.select").click()
        visitor.right()
        visitor.page.get_by_role("option", name=title, exact=True).click()
    else:
        beside.click()


@IN_ENGLISH
def test_a_folder_is_added_and_removed_with_a_way_back(visitor: "Visitor", language: str, tmp_path: Path) -> None:
    visitor.go("#settings/folders", language)
    page, t = visitor.page, visitor.t
    added = tmp_path / "Holidays"
    added.mkdir()
    watched = {str(visitor.program.watched)}

    visitor.button("settings.folder_type_instead").click()
    visitor.named("textbox", "settings.folder_type").fill(str(tmp_path / "nowhere"))
    visitor.button("settings.folder_watch").click()
    visitor.says(visitor.texts("errors.source.missing.cause"), whole=False)
    visitor.right()
    visitor.named("textbox", "settings.folder_type").fill(str(added))
    visitor.button("settings.folder_watch").click()
    visitor.says(t("settings.folder_added", name="Holidays"))
    assert roots(visitor) == watched | {str(added)}
    visitor.right()

    visitor.button("settings.folder_remove", name="Holidays").click()
    visitor.says(t("settings.folder_removed", name="Holidays"))
    assert roots(visitor) == watched
    visitor.button("undo").last.click()
    expect(visitor.button("settings.folder_remove", name="Holidays")).to_be_visible()
    assert roots(visitor) == watched | {str(added)}

    popup = page.get_by_role("switch", name=f"{t('settings.folder_popup')} Holidays")
    popup.click()
    expect(popup).not_to_be_checked()
    assert [folder.muted for folder in visitor.program.file.load().folders if folder.root == str(added)] == [True]
    visitor.button("settings.folder_remove", name="Holidays").click()
    visitor.says(t("settings.folder_removed", name="Holidays"))


def roots(visitor: "Visitor") -> set[str]:
    return {folder.root for folder in visitor.program.file.load().folders}


def test_recognition_is_explained_and_ends_with_a_receipt(visitor: "Visitor", language: str) -> None:
    visitor.go("#settings/recognition", language)
    page, t = visitor.page, visitor.t
    switch = setting(visitor, "recognition.enabled").get_by_role("switch")
    visitor.says(t("settings.recognition_terms"))
    expect(switch).not_to_be_checked()
    switch.click()
    expect(switch).to_be_checked()
    visitor.program.until(lambda status: status.recognition and status.queued == 0)

    switch.click()
    dialog = page.get_by_role("alertdialog", name=t("settings.recognition_off_title"))
    expect(dialog.get_by_role("button", name=t("cancel"))).to_be_focused()
    visitor.right()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert saved(visitor, "recognition.enabled") is True

    switch.click()
    dialog.get_by_role("button", name=t("settings.recognition_off")).click()
    expect(switch).not_to_be_checked()
    visitor.says(t("settings.deleted"))
    visitor.right()
    assert saved(visitor, "recognition.enabled") is False


@IN_ENGLISH
def test_what_the_environment_says_cannot_be_changed_here(visitor: "Visitor", language: str) -> None:
    visitor.go("#settings/tray.enabled", language)
    row = setting(visitor, "tray.enabled")
    expect(row.get_by_role("switch")).to_be_disabled()
    expect(row).to_contain_text("AI_POPUP__TRAY__ENABLED")


@IN_ENGLISH
def test_the_recovery_code_is_shown_on_request(visitor: "Visitor", language: str) -> None:
    visitor.go("#settings/library", language)
    visitor.button("settings.recovery_show").click()
    code = visitor.page.get_by_role("group", name=visitor.t("settings.recovery_title"))
    expect(code).to_be_visible()
    assert code.inner_text() in visitor.program.run("recovery-code").stdout
    visitor.right()


@IN_ENGLISH
def test_a_mistake_in_the_file_is_named_with_its_line_and_the_old_settings_hold(visitor: "Visitor", language: str) -> None:
    visitor.go("#settings/popup", language)
    path = visitor.program.paths.settings
    good = path.read_text(encoding="utf-8")
    line = good.count("\n") + 1
    path.write_text(f"{good}[engin]\nworkers = 2\n", encoding="utf-8")
    try:
        button = visitor.page.get_by_role("button", name=visitor.t("settings.fix_line", line=line), exact=True)
        expect(button).to_be_visible()
        visitor.says("settings.unknown_key")
        expect(setting(visitor, "popup.seconds").get_by_role("textbox")).to_have_value(str(saved_before(good)))
        visitor.right()
    finally:
        path.write_text(good, encoding="utf-8")
    expect(button).to_have_count(0)


def saved_before(text: str) -> int:
    popup = tomllib.loads(text).get("popup", {})
    seconds = popup.get("seconds", 12) if isinstance(popup, dict) else 12
    assert isinstance(seconds, int)
    return seconds


def test_a_setting_is_found_by_the_words_of_the_other_language(visitor: "Visitor", language: str) -> None:
    visitor.go("#settings", language)
    other = Texts("en" if language == "zh-CN" else "zh-CN")
    visitor.page.get_by_role("searchbox").fill(other("settings.popup.seconds.title"))
    expect(setting(visitor, "popup.seconds")).to_be_visible()
