"""What a user does in the popup, the settings and the welcome, with keyboard and pointer."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.pages.conftest import KEEP_STREAMS

Visit = Callable[..., None]
STATUS_COMES = """async (change) => {
  const data = JSON.stringify({ ...(await (await fetch('/api/status')).json()), ...change })
  streams.at(-1).dispatchEvent(new MessageEvent('status', { data }))
}"""


def test_a_number_is_checked_as_typed_and_saved_by_enter(page: Page, visit: Visit) -> None:
    visit("#settings/popup")
    setting = page.locator('[data-key="popup.seconds"]')
    field = setting.get_by_role("textbox")
    field.fill("99999")
    expect(setting.locator(".wrong")).to_have_text("Not saved. Enter 2 to 3,600. Still using: 12 s.")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.press("Escape")
    expect(field).to_have_value("12")
    field.fill("30")
    field.press("Enter")
    expect(setting.locator(".saved")).to_be_visible()


def seconds(page: Page, visit: Visit) -> tuple[Locator, list[Route]]:
    """A setting that is saved slowly the first time: it, and all that is sent, of which the first waits to be let on."""
    sent = list[Route]()

    def first_held(route: Route) -> None:
        sent.append(route)
        if len(sent) > 1:
            route.continue_()

    page.route("**/api/settings/popup.seconds", first_held)
    visit("#settings/popup")
    return page.locator('[data-key="popup.seconds"]'), sent


def held(page: Page, sent: list[Route], count: int) -> None:
    """Wait until so many requests are in our hands: the browser tells of one before that."""
    while len(sent) < count:
        page.wait_for_timeout(20)


def test_what_is_typed_while_a_value_is_saved_stays(page: Page, visit: Visit) -> None:
    setting, sent = seconds(page, visit)
    field = setting.get_by_role("textbox")
    field.fill("30")
    with page.expect_request("**/api/settings/popup.seconds"):
        field.press("Enter")
    field.fill("45")
    held(page, sent, 1)
    sent[0].continue_()
    expect(setting.locator(".saved")).to_be_visible()
    expect(field).to_have_value("45")


def test_enter_sends_a_setting_once(page: Page, visit: Visit) -> None:
    setting, sent = seconds(page, visit)
    field = setting.get_by_role("textbox")
    field.fill("30")
    with page.expect_request("**/api/settings/popup.seconds"):
        field.press("Enter")
    page.keyboard.press("Tab")
    held(page, sent, 1)
    sent[0].continue_()
    expect(setting.locator(".saved")).to_be_visible()
    field.fill("45")
    field.press("Enter")
    held(page, sent, 2)
    assert [route.request.post_data_json for route in sent] == [{"value": 30}, {"value": 45}]


def test_the_words_of_a_switch_turn_it_too(page: Page, visit: Visit) -> None:
    visit("#settings/popup")
    setting = page.locator('[data-key="popup.enabled"]')
    switch = setting.get_by_role("switch")
    before = switch.get_attribute("aria-checked") == "true"
    setting.locator("label").click()
    expect(switch).to_be_checked(checked=not before)


def test_a_time_of_day_has_24_hours_whatever_the_browsers_clock_has(page: Page, visit: Visit) -> None:
    visit("#settings/popup")
    field = page.locator('[data-key="popup.quiet_from"]').get_by_role("textbox")
    field.fill("2230")
    field.press("Enter")
    expect(field).to_have_value("22:30")


def test_a_reset_can_be_taken_back(page: Page, visit: Visit) -> None:
    visit("#settings/popup")
    setting = page.locator('[data-key="popup.seconds"]')
    setting.get_by_role("textbox").fill("30")
    setting.get_by_role("textbox").press("Enter")
    setting.get_by_role("button", name="Reset to 12 s").click()
    expect(setting.get_by_role("textbox")).to_have_value("12")
    page.get_by_role("button", name="Undo").click()
    expect(setting.get_by_role("textbox")).to_have_value("30")


def test_what_only_the_agent_knows_is_said_as_typed(page: Page, visit: Visit) -> None:
    visit("#settings/engine.device")
    setting = page.locator('[data-key="engine.device"]')
    expect(setting.get_by_role("textbox")).to_be_focused()  # the address leads to it, folded away or not
    setting.get_by_role("textbox").fill("banana")
    expect(setting.locator(".wrong")).to_contain_text("written like CPU, GPU, NPU")


def test_what_the_environment_sets_is_said_and_locked(page: Page, visit: Visit) -> None:
    visit("#settings/engine.max_megapixels")
    setting = page.locator('[data-key="engine.max_megapixels"]')
    expect(setting.get_by_role("textbox")).to_be_disabled()
    expect(setting).to_contain_text("AI_POPUP__ENGINE__MAX_MEGAPIXELS")


def test_language_and_theme_change_at_once(page: Page, visit: Visit) -> None:
    visit("#settings/general")
    page.locator('[data-key="general.language"] button').first.click()
    page.get_by_role("option", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", name="通用")).to_be_visible()
    page.locator('[data-key="general.theme"]').get_by_role("radio", name="深色").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("place", ["", "#settings/recognition"])
def test_the_terms_of_recognition_follow_the_language(page: Page, visit: Visit, change_language: Callable[[str], None], place: str) -> None:
    visit(place, "family" if place else "first")
    if not place:
        page.get_by_role("radio", name="Recognise people").click()
    page.locator("summary", has_text="terms").click()
    expect(page.get_by_text("Commercial users should ask a lawyer first")).to_be_visible()
    change_language("zh-CN")
    expect(page.get_by_text("商业用户请先咨询律师")).to_be_visible()


def test_slash_searches_and_escape_ends_it(page: Page, visit: Visit) -> None:
    visit("#settings")
    page.locator(".setting").first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type("keep ready")
    expect(page.locator(".setting")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="General")).to_be_visible()


def test_a_removed_folder_comes_back_as_it_was(page: Page, visit: Visit) -> None:
    visit("#settings/folders")
    page.locator("main li").nth(2).wait_for()
    page.get_by_role("button", name="Stop watching “scans”").click()
    expect(page.locator("main li h3")).to_have_text(["phone", "family"])
    page.keyboard.press("Control+z")
    expect(page.locator("main li h3")).to_have_text(["phone", "family", "scans"])
    expect(page.get_by_role("switch", name="Show the popup scans")).not_to_be_checked()


def test_a_folders_safe_copies_are_set_up_and_ended(page: Page, visit: Visit) -> None:
    visit("#settings/folders")
    row = page.locator("main li").filter(has=page.get_by_role("heading", name="phone"))
    row.get_by_text("Covered copies").click()
    field = row.get_by_role("textbox", name="Where to")
    field.fill("/photos/phone/safe")
    expect(row.get_by_role("alert")).to_have_text("Not saved. Give the full path of a folder outside “phone”. Still using: empty.")
    field.fill("/safe/phone uploads")
    field.press("Enter")
    expect(row.locator("summary").first).to_have_text("Covered copies in “phone uploads”")
    expect(row.get_by_role("status").filter(has_text="Saved")).to_be_visible()

    def asks(part: dict[str, object], act: Callable[[], object]) -> None:
        with page.expect_request(lambda request: request.method == "PATCH") as asked:
            act()
        assert asked.value.post_data_json == {"path": "/photos/phone", **part}

    asks({"redact_style": "emoji"}, lambda: row.get_by_text("Emoji", exact=True).click())
    asks({"redact_strip": False}, lambda: row.get_by_role("switch", name="Remove location and other details").click())
    row.get_by_role("radio", name="Everyone but").click()
    row.get_by_role("combobox", name="Add a person").fill("me")
    asks({"redact_keep": ["Mei"]}, lambda: page.get_by_role("option", name="Mei").first.click())
    expect(row.get_by_role("combobox", name="Add a person")).to_have_value("")
    asks({"redact_keep": []}, lambda: row.get_by_role("button", name="Cover Mei too").click())
    asks({"redact_to": ""}, lambda: row.get_by_role("button", name="Stop making copies").press("Enter"))
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    expect(row.get_by_text("Saved", exact=True)).to_have_count(0)


def test_a_path_is_typed_where_no_dialog_can_be_shown(page: Page, visit: Visit) -> None:
    visit("#settings/folders", "undialogued")
    page.get_by_role("button", name="Add a folder").click()
    expect(page.get_by_role("alert")).to_contain_text("No dialog can be shown here.")
    page.get_by_role("textbox", name="Path of the folder").fill("/photos/holiday")
    page.get_by_role("button", name="Watch", exact=True).click()
    expect(page.locator("main li h3").last).to_have_text("holiday")


def test_recognition_is_not_switched_off_by_mistake(page: Page, visit: Visit) -> None:
    visit("#settings/recognition")
    switch = page.get_by_role("switch", name="Recognise people")
    switch.click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("every face print")
    page.keyboard.press("Escape")
    expect(switch).to_be_checked()
    switch.click()
    dialog.get_by_role("button", name="Switch off and delete").click()
    expect(switch).not_to_be_checked()
    expect(page.locator(".receipt")).to_contain_text("Deleted")
    expect(page.locator(".receipt")).to_contain_text("87 face prints")


def test_the_welcome_leads_from_folders_to_the_recovery_code(page: Page, visit: Visit) -> None:
    visit("", "first")
    expect(page.get_by_role("radio", name="Find faces")).to_be_checked()
    start = page.get_by_role("button", name="Start")
    expect(start).to_be_disabled()
    page.get_by_role("button", name="Add a folder").click()
    expect(page.locator(".sum")).to_have_text("Scanning 4,812 photos takes about 4 minutes; you can go on working.")
    start.click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator(".recovery code")).to_be_visible()
    page.get_by_role("button", name="Go to the photos").click()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


def test_the_popups_welcome_is_done_by_keyboard_and_taken_up_where_it_was_left(page: Page, visit: Visit, made_up_agent: str) -> None:
    visit("/popup", "first")
    following = page.get_by_role("button", name="Next")
    expect(following).to_be_disabled()
    page.get_by_role("button", name="Add “Pictures”").press("Enter")
    expect(page.locator(".sum")).to_have_text("Scanning 4,812 photos takes about 4 minutes; you can go on working.")
    following.press("Enter")
    expect(page.get_by_role("heading", name="How far it should go")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Find faces")).to_be_focused()
    expect(page.get_by_role("radio", name="Find faces")).to_be_checked()
    page.keyboard.press("ArrowDown")
    recognise = page.get_by_role("radio", name="Recognise people too")
    # The agent has the choice when it has answered, after the step before: a window let go earlier comes back without it.
    with page.expect_response(lambda response: '"recognition":true' in (response.request.post_data or "")):
        page.keyboard.press("Space")
    expect(recognise).to_be_checked()

    # Its window was let go, and comes again.
    page.goto(f"{made_up_agent}/popup")
    expect(recognise).to_be_checked()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("button", name="Remove “Pictures”")).to_be_visible()
    following.click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Your photos are being scanned")).to_be_focused()
    expect(page.locator(".recovery code")).to_be_visible()
    page.get_by_role("button", name="Go to the photos").click()
    expect(page.locator(".recovery")).to_have_count(0)


@pytest.mark.own_tab
def test_a_scan_after_the_welcome_is_heard_once_and_not_with_every_photo(page: Page, visit: Visit) -> None:
    page.add_init_script(KEEP_STREAMS)
    visit("/popup", "first")
    page.get_by_role("button", name="Add “Pictures”").click()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Your photos are being scanned")).to_be_focused()

    def scanned(photos: int, state: str) -> None:
        page.evaluate(STATUS_COMES, {"images": photos, "faces": 3 * photos, "state": state})
        expect(page.locator(".welcome p", has_text=f"{photos} photos").first).to_be_visible()

    heard = page.locator(".welcome [role=status]").first
    for photos in (20, 40):
        scanned(photos, "working")
        expect(heard).to_have_text("")
    scanned(60, "idle")
    expect(heard).to_contain_text("60 photos")


def test_the_popups_welcome_can_be_put_off(page: Page, visit: Visit) -> None:
    visit("/popup", "first")
    page.get_by_role("button", name="Set up later").click()
    expect(page.get_by_role("button", name="Choose a folder")).to_be_visible()


def test_the_guide_keeps_what_was_chosen_in_the_welcome(page: Page, visit: Visit) -> None:
    visit("", "first")
    page.get_by_role("button", name="Add a folder").click()
    page.locator(".sum:not(:empty)").wait_for()
    page.evaluate("location.hash = '#help/people/recognise-people'")
    expect(page.locator("#recognise-people")).to_be_focused()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("button", name="Start")).to_be_enabled()


def test_question_mark_shows_the_keys_and_gives_the_focus_back(page: Page, visit: Visit) -> None:
    visit("#settings")
    page.locator(".setting").first.wait_for()
    help_button = page.get_by_role("button", name="Keyboard")
    help_button.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(help_button).to_be_focused()


def test_the_popup_is_quiet_for_an_hour_and_not_any_more(page: Page, visit: Visit) -> None:
    visit("/popup")
    page.get_by_role("button", name="Do not disturb").click()
    page.get_by_role("menuitem", name="1 hour").click()
    expect(page.locator(".hush")).to_contain_text("Do not disturb until")
    page.get_by_role("button", name="End").click()
    expect(page.locator(".hush")).to_have_count(0)


def test_a_photo_is_hidden_from_the_popup_and_comes_back(page: Page, visit: Visit) -> None:
    visit("/popup")
    page.get_by_role("button", name="More").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Hide from the library").press("Enter")
    expect(page.locator(".toast p")).to_have_text("Photo hidden from the library")
    with page.expect_request("**/api/library/undo"):
        page.get_by_role("button", name="Undo").click()


def test_a_folder_is_muted_from_the_popup(page: Page, visit: Visit) -> None:
    visit("/popup")
    page.get_by_role("button", name="Do not disturb").click()
    with page.expect_request("**/api/folders") as asked:
        page.get_by_role("menuitem", name="No popups for “Phone uploads”").click()
    assert asked.value.method == "PATCH"
    assert asked.value.post_data_json == {"path": "/photos/phone", "muted": True}
    expect(page.locator(".toast p")).to_have_text("No more popups for “Phone uploads”")


def test_a_burst_is_paused_cancelled_or_left_in_peace(page: Page, visit: Visit) -> None:
    visit("/popup", "burst")
    for button, path in (("Pause", "pause"), ("Cancel", "burst/cancel"), ("Do not disturb until this is done", "quiet")):
        with page.expect_request(f"**/api/{path}"):
            page.get_by_role("button", name=button).click()


def test_a_folders_face_prints_are_not_deleted_by_mistake(page: Page, visit: Visit) -> None:
    visit("#settings/folders")
    people = page.get_by_role("switch", name="Recognise people phone")
    people.click()
    dialog = page.get_by_role("alertdialog", name="Delete the face prints of “phone”?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(people).to_be_checked()
    people.click()
    dialog.get_by_role("button", name="Switch off and delete").click()
    expect(people).not_to_be_checked()
    expect(page.locator(".receipt")).to_contain_text("Deleted")


def test_the_left_panel_tells_the_folders_counts_on_whichever_page_one_begins(page: Page, visit: Visit) -> None:
    visit("#status")
    expect(page.locator("nav .folders .number").first).to_have_text("19")


def test_a_setting_that_a_link_led_to_is_not_gone_back_to_when_another_changes(page: Page, visit: Visit) -> None:
    visit("#settings/popup.seconds")
    linked = page.locator('[data-key="popup.seconds"] input')
    expect(linked).to_be_focused()
    other = page.locator('[data-key="popup.enabled"]').get_by_role("switch")
    other.press("Space")
    expect(other).not_to_be_checked()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(other).to_be_focused()


def test_a_setting_that_is_typed_is_saved_when_its_page_is_left_by_a_key(page: Page, visit: Visit) -> None:
    visit("#settings/popup")
    field = page.locator('[data-key="popup.seconds"]').get_by_role("textbox")
    field.fill("30")
    with page.expect_request(lambda request: request.method == "PUT" and "popup.seconds" in request.url) as sent:
        page.keyboard.press("Control+6")
    assert sent.value.post_data_json == {"value": 30}
    expect(page.get_by_role("heading", name="Status", level=1)).to_be_visible()


@pytest.mark.parametrize(
    ("scene", "place", "name", "call"),
    [("family", "#status", "Run a check", "**/api/doctor"), ("team", "#backups", "Back up now", "**/api/backups")],
)
def test_a_button_that_works_for_long_keeps_the_focus(page: Page, visit: Visit, scene: str, place: str, name: str, call: str) -> None:
    sent: list[Route] = []
    page.route(call, lambda route: sent.append(route) if route.request.method == "POST" else route.continue_())
    visit(place, scene)
    button = page.locator("main header").get_by_role("button", name=name)
    button.press("Enter")
    busy = page.locator("main header button[aria-disabled=true]").last
    expect(busy).to_be_focused()
    busy.press("Enter")
    held(page, sent, 1)
    sent[0].abort()
    expect(button).to_be_focused()
