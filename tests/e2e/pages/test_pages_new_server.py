"""The pages of a team's server on its first day: no folder is watched, and recognition is off."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from agent.core.i18n import LANGUAGES, Texts

pytestmark = pytest.mark.slow

Visit = Callable[..., None]


def test_an_administrator_is_led_to_where_the_servers_folders_are_chosen(page: Page, visit: Visit) -> None:
    visit("#photos", "team_new")
    page.get_by_role("link", name="Choose a folder").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Libraries")
    expect(page.get_by_placeholder("Folder on the server").first).to_be_visible()


def test_the_settings_of_a_server_take_a_folder_by_its_path_alone(page: Page, visit: Visit) -> None:
    """There is no dialog of the server's system that its members could see."""
    visit("#settings/folders", "team_new")
    expect(page.get_by_label("Path of the folder")).to_be_visible()
    expect(page.get_by_role("button", name="Add a folder…")).to_have_count(0)
    expect(page.get_by_role("button", name="Type a path")).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_editor_is_told_who_does_what_they_may_not(page: Page, visit: Visit, language: str) -> None:
    said = Texts(language)
    visit("#photos", "team_new_editor", language)
    expect(page.get_by_text(said("ui.empty.no_folder_team"))).to_be_visible()
    expect(page.locator("main a")).to_have_count(0)
    page.get_by_role("button", name=said("ui.library.face.search")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(said("ui.settings.recognition_of_team"))).to_be_visible()
    expect(dialog.get_by_role("link")).to_have_count(0)
    visit("#people", "team_new_editor", language)
    expect(page.get_by_text(said("ui.settings.recognition_of_team"))).to_be_visible()
    expect(page.locator("main a", has_text=said("people_page.off_setting"))).to_have_count(0)


def test_a_member_who_may_not_scan_is_offered_no_scan(page: Page, visit: Visit) -> None:
    visit("#photos", "team_bare_editor")
    expect(page.get_by_text("They appear here automatically.")).to_be_visible()
    expect(page.locator("main .notice").get_by_role("button")).to_have_count(0)
    expect(page.locator("main a")).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_viewer_is_not_told_to_make_albums(page: Page, visit: Visit, language: str) -> None:
    page.route("**/api/albums", lambda route: route.fulfill(json={"items": []}))
    visit("#albums", "team_viewer", language)
    expect(page.get_by_text(Texts(language)("album_page.none_to_see"))).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_of_another_member_says_who_is_signed_in(page: Page, visit: Visit, language: str) -> None:
    said = Texts(language)
    visit("#invitation/fresh", "team", language)
    note = said("team_page.invitation.other", name="Mei Lindgren", other="Priya Natarajan")
    expect(page.get_by_text(note)).to_be_visible()
    visit("#invitation/used", "team", language)
    expect(page.get_by_role("link", name=said("team_page.invitation.to_start"))).to_be_visible()
    visit("#invitation/fresh", "signed_out", language)
    page.locator("[name=new-password]").wait_for()
    expect(page.get_by_text("Mei Lindgren")).to_have_count(0)


def test_a_member_without_a_session_is_not_said_never_to_have_signed_in(page: Page, visit: Visit) -> None:
    """Sessions end by signing out and by themselves; whether there was one before is not known."""
    visit("#members", "team")
    row = page.get_by_role("listitem").filter(has_text="bartholomäus.featherstonehaugh")
    expect(row).to_contain_text("Not signed in at present")
