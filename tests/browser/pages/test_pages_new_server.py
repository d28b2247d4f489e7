"""The pages of a team's server on its first day: no folder is watched, and recognition is off."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from agent.infrastructure.core.i18n import LANGUAGES, Texts

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


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_administrator_is_asked_before_they_give_up_their_role(page: Page, visit: Visit, language: str) -> None:
    """Who did it can't undo it. Nor are they offered to lock themself."""
    said, asked = Texts(language), list[str]()
    page.on("request", lambda request: asked.append(request.method) if "/api/members/" in request.url else None)
    visit("#members", "team", language)
    other = page.get_by_role("listitem").filter(has_text="Tomás Herrera")
    other.get_by_role("combobox").click()
    page.get_by_role("option", name=said("team_page.roles.administrator")).click()
    expect(
        page.get_by_text(said("team_page.members.role_changed", name="Tomás Herrera", role=said("team_page.roles.administrator")))
    ).to_be_visible()
    own = page.get_by_role("listitem").filter(has_text=said("team_page.members.you"))
    own.get_by_role("button").last.click()
    expect(page.get_by_role("menuitem", name=said("team_page.members.lock"))).to_have_count(0)
    page.keyboard.press("Escape")
    asked.clear()
    own.get_by_role("combobox").click()
    page.get_by_role("option", name=said("team_page.roles.viewer")).click()
    dialog = page.get_by_role("alertdialog", name=said("team_page.members.lower_title"))
    dialog.get_by_role("button", name=said("ui.cancel")).click()
    expect(own.get_by_role("combobox")).to_have_text(said("team_page.roles.administrator"))
    assert asked == []
    own.get_by_role("combobox").click()
    page.get_by_role("option", name=said("team_page.roles.viewer")).click()
    with page.expect_request("**/api/members/m1"):
        dialog.get_by_role("button", name=said("team_page.members.lower_action")).click()
