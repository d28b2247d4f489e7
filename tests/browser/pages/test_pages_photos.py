"""Library, problems and status with a made-up agent behind them: accessible in every state, and all of the library by keyboard."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from scripts.page_conditions import wait_for_condition
from tests.browser.pages.answers import answer_to

if TYPE_CHECKING:
    from tests.browser.pages.conftest import Act, InEachLanguage, Reach, State

# -- accessible in every state ----------------------------------------------------------------------------------------------------


def _choose(page: Page) -> None:
    page.locator(".tile").nth(1).click()
    page.locator(".tile").nth(3).click(modifiers=["Shift"])


def _menu(page: Page) -> None:
    page.locator(".tile").nth(2).click(button="right")
    page.locator("[role=menu]").wait_for()


def _filter(number: int) -> "Act":
    def act(page: Page) -> None:
        page.locator(".chip").nth(number).click()
        page.locator(".menu :is(button, [role=treeitem], [role=option])").first.wait_for()

    return act


def _hide(page: Page) -> None:
    page.locator(".tile").nth(1).click()
    page.keyboard.press("Delete")
    page.locator(".toast").wait_for()
    page.keyboard.press("Control+z")
    page.locator(".tile").first.wait_for()


def _list_problems(page: Page) -> None:
    page.get_by_role("group").get_by_role("button", name=re.compile("With problems|有问题")).click()
    page.locator("main li").first.wait_for()


def _check(page: Page) -> None:
    page.locator(".page > header button").first.click()
    page.locator("section li.absent").wait_for()


STATES: dict[str, "State"] = {
    "photos": ("family", "#photos", ".tile", None),
    "photos without recognition": ("counts", "#photos", ".tile", None),
    "photos chosen": ("family", "#photos", ".tile", _choose),
    "context menu": ("family", "#photos", ".tile", _menu),
    "filter by date": ("family", "#photos", ".tile", _filter(0)),
    "filter by folder": ("family", "#photos", ".tile", _filter(1)),
    "filter by faces": ("family", "#photos", ".tile", _filter(2)),
    "a photo hidden": ("family", "#photos", ".tile", _hide),
    "a hundred thousand photos": ("huge", "#photos", ".tile", None),
    "a burst": ("burst", "#photos", "progress", None),
    "no photos yet": ("empty", "#photos", ".notice", None),
    "loading": ("loading", "#photos", ".loading", None),
    "not running": ("offline", "#photos", ".notice", None),
    "not signed in": ("unauthorised", "#photos", ".notice", None),
    "stopped": ("attention", "#photos", ".banner", None),
    "a photo large": ("family", "#photo-97", ".large .photo", None),
    "a crowd large": ("crowd", "#photo-99", ".large .photo", None),
    "a photo that is gone": ("family", "#photo-5555", ".large .notice", None),
    "problems": ("failed", "#problems", "main li", None),
    "a folder away": ("away", "#problems", "main li", None),
    "no problems": ("family", "#problems", ".notice", None),
    "ten thousand problems": ("trouble", "#problems", "main li", None),
    "problems in the library": ("trouble", "#photos", ".tile", _list_problems),
    "online-only files": ("trouble", "#online-only", "main li", None),
    "no online-only files": ("family", "#online-only", ".notice", None),
    "status": ("burst", "#status", ".plot polyline", None),
    "status after a check": ("failed", "#status", ".plot polyline", _check),
    "status on battery": ("away", "#status", ".note", None),
    "status with a duty to file": ("many", "#status", ".note", None),
    "status with another version": ("newer", "#status", "section.first", None),
    "status with a version taken back": ("older", "#status", ".page .banner", None),
    "status of a new library": ("empty", "#status", "figure", None),
    "status loading": ("loading", "#status", ".loading", None),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible_in_each_language(
    reach: "Reach", violations: Callable[[], list[str]], in_each_language: "InEachLanguage", state: str
) -> None:
    reach(STATES[state])
    assert not any(found := in_each_language(violations).values()), found


@pytest.mark.parametrize("title", ["Date", "Folder", "People"])
def test_a_filter_is_accessible_before_its_content_has_come(
    page: Page, visit: Callable[..., None], violations: Callable[[], list[str]], title: str
) -> None:
    page.route(re.compile(r"/assets/(rest|peoplePages)-"), lambda _: None)
    visit("#photos")
    page.locator(".tile").first.wait_for()
    page.get_by_role("button", name=re.compile(f"^{title}: ")).click()
    expect(page.get_by_role("dialog", name=title, exact=True)).to_be_visible()
    assert violations() == []


@pytest.mark.parametrize("state", [state for state in STATES if state.startswith("status")])
def test_the_status_page_is_accessible_with_the_agents_words_in_chinese(
    reach: "Reach", violations: Callable[[], list[str]], state: str
) -> None:
    """It loads its report every five seconds: when the language changes, the agent's words follow later than the page's own."""
    reach(STATES[state], "zh-CN")
    assert violations() == []


@pytest.mark.parametrize("place", ["#photos", "/popup"])
def test_where_nothing_has_come_yet_the_folders_are_looked_through_again_by_one_press(
    page: Page, visit: Callable[..., None], place: str
) -> None:
    visit(place, "empty")
    notice = page.locator(".notice")
    with page.expect_request("**/api/rescan") as asked:
        notice.get_by_role("button", name="Scan again").click(timeout=5_000)
    assert asked.value.method == "POST"
    expect(page.locator(".toast p")).to_have_text("Scanned again. New photos appear here.")


def test_where_nothing_has_come_yet_another_folder_can_be_chosen(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "empty")
    page.locator(".notice").get_by_role("link", name="Choose another folder").click(timeout=5_000)
    expect(page.get_by_role("button", name="Add a folder…")).to_be_visible()


# -- the library by keyboard -----------------------------------------------------------------------------------------------------


def selected(page: Page) -> list[str]:
    ids = page.locator(".tile[aria-selected=true]").evaluate_all("(tiles) => tiles.map((tile) => tile.dataset.id)")
    return sorted((str(one) for one in ids), key=int, reverse=True)


def active(page: Page) -> str:
    return str(page.locator("[role=listbox].view").get_attribute("aria-activedescendant"))


@pytest.fixture
def photos(page: Page, visit: Callable[..., None]) -> Page:
    """The library with the keyboard on its photos."""
    visit("#photos")
    page.locator(".tile").first.wait_for()
    page.locator("[role=listbox].view").focus()
    return page


@pytest.mark.smoke
def test_the_keyboard_walks_and_chooses(photos: Page) -> None:
    photos.keyboard.press("ArrowRight")
    photos.keyboard.press("ArrowRight")
    assert selected(photos) == ["98"]
    photos.keyboard.press("Shift+ArrowRight")
    assert selected(photos) == ["98", "97"]
    photos.keyboard.press("Control+ArrowRight")
    assert active(photos) == "photo-tile-96"
    photos.keyboard.press("Space")
    assert selected(photos) == ["98", "97", "96"]
    photos.keyboard.press("Control+a")
    expect(photos.locator(".bar strong")).to_have_text("27 selected")
    photos.keyboard.press("Escape")
    assert selected(photos) == []


def test_the_end_is_a_key_away(photos: Page) -> None:
    photos.keyboard.press("ArrowRight")
    photos.keyboard.press("End")
    assert active(photos) == "photo-tile-73"
    expect(photos.locator("#photo-tile-73")).to_be_in_viewport()
    photos.keyboard.press("Home")
    expect(photos.locator("#photo-tile-99")).to_be_in_viewport()


def test_a_photo_opens_large_and_esc_goes_back_to_it(photos: Page) -> None:
    photos.keyboard.press("ArrowRight")
    photos.keyboard.press("Enter")
    frames = photos.locator(".large svg rect.line")
    expect(frames).to_have_count(3)
    photos.keyboard.press("b")
    expect(frames).to_have_count(0)
    photos.keyboard.press("b")
    photos.keyboard.press("ArrowRight")
    expect(photos.locator(".large h1")).to_have_text("IMG_4898.HEIC")
    photos.keyboard.press("Escape")
    expect(photos.locator(".large")).to_have_count(0)
    expect(photos.locator("[role=listbox].view")).to_be_focused()
    assert active(photos) == "photo-tile-98"


def test_hiding_is_taken_back(photos: Page) -> None:
    photos.keyboard.press("ArrowRight")
    photos.keyboard.press("ArrowRight")
    photos.keyboard.press("Delete")
    expect(photos.locator(".toast p")).to_have_text("1 photo hidden. The file stays where it is.")
    expect(photos.locator("#photo-tile-98")).to_have_count(0)
    assert active(photos) == "photo-tile-97"
    photos.keyboard.press("Control+z")
    expect(photos.locator("#photo-tile-98")).to_have_count(1)
    expect(photos.locator(".toast")).to_have_count(0)


def _large(photos: Page) -> Locator:
    photos.keyboard.press("ArrowRight")
    photos.keyboard.press("Enter")
    large = photos.locator(".large h1")
    expect(large).to_have_text("IMG_4899.HEIC")
    return large


def test_a_large_photo_that_is_hidden_by_its_button_gives_way_to_the_next(photos: Page) -> None:
    large = _large(photos)
    photos.locator(".large").get_by_role("button", name="Hide").click()
    expect(large).to_have_text("IMG_4898.HEIC")
    expect(photos.locator(".large .position")).to_have_text("1 of 26")
    photos.locator(".toast").get_by_role("button", name="Undo").click()
    expect(photos.locator(".large .position")).to_have_text("2 of 27")


def test_a_photo_that_stands_by_itself_says_that_it_is_hidden_and_comes_back(photos: Page) -> None:
    photos.get_by_label("Number of faces").click()
    photos.get_by_role("option", name="No face found", exact=True).click()
    expect(photos.locator(".filters [role=status]")).to_have_text("3 photos")
    photos.evaluate("location.hash = '#photo-99'")
    large = photos.locator(".large")
    large.get_by_role("button", name="Hide").click()
    expect(large.get_by_role("heading", level=1)).to_have_text("IMG_4899.HEIC")
    large.get_by_role("button", name="Show again").click()
    expect(large.get_by_role("button", name="Hide")).to_be_visible()


def test_a_hidden_photo_is_shown_again_at_once_and_stays_in_view(photos: Page) -> None:
    _large(photos)
    large = photos.locator(".large")
    held = list[Route]()
    photos.route("**/api/folders", lambda route: held.append(route))  # the last that is read after it was hidden
    large.get_by_role("button", name="Hide").click()
    with photos.expect_request("**/api/library/actions"):
        large.get_by_role("button", name="Show again").click()
    expect(large.get_by_role("button", name="Hide")).to_be_visible()
    held[0].continue_()
    with photos.expect_response("**/api/folders"):
        photos.unroute("**/api/folders")
    photos.evaluate("new Promise((done) => setTimeout(done, 100))")
    expect(large.get_by_role("heading", level=1)).to_have_text("IMG_4899.HEIC")


def test_a_double_click_hides_one_photo_and_shows_none_again(photos: Page) -> None:
    large = _large(photos)
    with photos.expect_response("**/api/library/actions"):
        photos.locator(".large").get_by_role("button", name="Hide").click()
    photos.mouse.down(click_count=2)  # the second click of a double one, however slow the machine is
    photos.mouse.up(click_count=2)
    expect(large).to_have_text("IMG_4898.HEIC")
    expect(photos.locator(".large .position")).to_have_text("1 of 26")


def test_a_photo_that_is_hidden_slowly_takes_nobody_back_who_went_elsewhere(photos: Page) -> None:
    held = list[Route]()
    photos.route("**/api/library/actions", lambda route: held.append(route))
    _large(photos)
    with photos.expect_request("**/api/library/actions"):
        photos.keyboard.press("Delete")
    photos.keyboard.press("Escape")
    expect(photos.locator(".large")).to_have_count(0)
    with photos.expect_response("**/api/folders"):  # the last that is read then
        held[0].continue_()
    expect(photos.locator("#photo-tile-99")).to_have_count(0)
    photos.evaluate("new Promise((done) => setTimeout(done, 100))")
    expect(photos.locator(".large")).to_have_count(0)


def test_a_photo_is_not_said_to_be_gone_because_the_agent_did_not_answer(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos")
    page.locator(".tile").first.wait_for()
    page.route("**/api/images/by-id*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.evaluate("location.hash = '#photo-75'")
    expect(page.locator(".large h1")).to_have_text("Loading")
    expect(page.locator(".large .notice")).to_have_count(0)


def test_the_context_menu_has_a_key_and_gives_the_keyboard_back(photos: Page) -> None:
    photos.keyboard.press("ArrowRight")
    photos.keyboard.press("Shift+F10")
    menu = photos.locator("[role=menu]")
    expect(menu.locator("[role=menuitem]")).to_have_count(7)
    photos.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(photos.locator("[role=listbox].view")).to_be_focused()


def test_a_filter_narrows_and_is_cleared(photos: Page) -> None:
    photos.get_by_label("Number of faces").click()
    photos.get_by_role("option", name="No face found", exact=True).click()
    expect(photos.locator(".filters [role=status]")).to_have_text("3 photos")
    photos.get_by_role("button", name="Clear filters").click()
    expect(photos.locator(".filters [role=status]")).to_have_text("27 photos")


def test_a_photo_is_dragged_out_as_a_file(photos: Page) -> None:
    expect(photos.locator("#photo-tile-99")).to_have_attribute("aria-label", re.compile("IMG_4899"))
    dragged = photos.evaluate(
        """() => {
            const data = new DataTransfer()
            document.querySelector('#photo-tile-99').dispatchEvent(new DragEvent('dragstart', { dataTransfer: data, bubbles: true }))
            return [data.getData('DownloadURL'), data.getData('text/uri-list')]
        }"""
    )
    origin = photos.evaluate("location.origin")
    assert dragged == [f"image/heic:IMG_4899.HEIC:{origin}/api/images/99/original", f"{origin}/api/images/99/original"]


def test_counts_that_grow_all_the_time_are_seen_and_not_said_aloud(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "burst")
    expect(page.locator("nav footer")).to_contain_text("left")
    page.locator(".filters .end", has_text="photos").wait_for()
    said = page.locator("[role=status], [role=alert], [aria-live]").all_text_contents()
    assert not any(re.search(r"\d", text) for text in said)


def test_in_the_systems_own_colours_what_lies_over_the_page_and_what_is_switched_on_have_edges(photos: Page) -> None:
    photos.emulate_media(forced_colors="active")

    def edge(which: Locator) -> str:
        return str(which.evaluate("(one) => getComputedStyle(one).borderTopWidth + ' ' + getComputedStyle(one).borderTopStyle"))

    chip = photos.get_by_role("button", name="Hidden")
    off = edge(chip)
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    assert edge(chip) == "2px solid" != off
    chip.click()
    photos.locator(".tile").nth(2).click(button="right")
    assert edge(photos.locator("[role=menu]")) == "1px solid"
    photos.keyboard.press("Escape")
    photos.keyboard.press("Control+a")
    assert edge(photos.locator(".bar")) == "1px solid"
    photos.emulate_media(forced_colors="none")


def test_two_figures_at_one_place_of_a_plot_are_both_drawn(page: Page, visit: Callable[..., None]) -> None:
    """Those that are a little older than the plot's time stand at its edge."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def two_figures(route: Route) -> None:
        answer = answer_to(route)
        report = answer.json()
        now = datetime.now(UTC)
        times = [(now - timedelta(seconds=ago)).isoformat() for ago in (325, 315)]
        report["history"] = [{**sample, "at": at} for sample, at in zip(report["history"], times, strict=False)]
        route.fulfill(response=answer, json=report)

    page.route("**/api/health-report", two_figures)
    visit("#status")
    expect(page.locator(".plots circle")).to_have_count(6)
    assert errors == []


def test_menus_stay_within_a_narrow_window(page: Page, visit: "Callable[..., None]") -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    visit("#photos")
    page.locator(".tile").first.wait_for()

    def inside(menu: Locator) -> None:
        menu.wait_for()
        # Once it has its place, which it takes after its width is known.
        wait_for_condition(
            page,
            "[...document.querySelectorAll('.menu')].every((menu) => {"
            " const { left, right, bottom } = menu.getBoundingClientRect(); return left >= 0 && right <= 390 && bottom <= 800 })",
        )
        page.keyboard.press("Escape")
        menu.wait_for(state="detached")

    for x in (60, 170, 280):
        page.mouse.click(x, 420, button="right")
        inside(page.locator("[role=menu]"))
    for number in range(4):
        page.locator(".chip[aria-haspopup]").nth(number).click()
        inside(page.locator(".menu"))


# -- a hundred thousand ----------------------------------------------------------------------------------------------------------


def test_only_what_is_near_the_view_is_in_the_document(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "huge")
    page.locator(".tile").first.wait_for()
    for part in (0.2, 0.9, 0.5):
        page.locator(".view").evaluate("(view, part) => { view.scrollTop = view.scrollHeight * part }", part)
        expect(page.locator(".tile img").first).to_be_attached()
        assert page.locator(".tile").count() < 120


def test_flying_past_asks_for_no_pictures(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "huge")
    page.locator(".tile").first.wait_for()
    page.locator(".tile img").first.wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/thumbnail") else None)
    passed = page.locator(".view").evaluate(
        """async (view) => {
            const seen = new Set()
            for (let step = 0; step < 60; step++) {
                view.scrollTop += 4000
                await new Promise(requestAnimationFrame)
                for (const tile of view.querySelectorAll('.tile')) seen.add(tile.dataset.id)
            }
            return seen.size
        }"""
    )
    page.locator(".tile img").first.wait_for()
    assert passed > 500
    assert len(asked) < passed / 4


@pytest.mark.parametrize(
    ("place", "there"), [("#photos", ".tile"), ("#status", "figure"), ("#problems", "main li"), ("#photo-97", ".large .photo")]
)
def test_nothing_is_wider_than_the_page_at_twice_the_size(
    page: Page, visit: Callable[..., None], in_each_language: "InEachLanguage", place: str, there: str
) -> None:
    page.set_viewport_size({"width": 640, "height": 400})
    visit(place, "failed")
    page.locator(there).first.wait_for()
    fits = in_each_language(lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
    assert fits == {"en": True, "zh-CN": True}


# -- files that were not looked at -------------------------------------------------------------------------------------------------


def test_all_of_ten_thousand_problems_can_be_reached_and_few_are_in_the_page(page: Page, visit: Callable[..., None]) -> None:
    visit("#problems", "trouble")
    rows = page.locator("main li")
    expect(rows).to_have_count(100)
    place = page.get_by_role("navigation", name="Pages of the list").get_by_role("status")
    expect(place).to_have_text("1–100 of 10,000")
    page.get_by_role("button", name="Older").click()
    expect(place).to_have_text("101–200 of 10,000")
    expect(rows.first).to_contain_text("DSC_00100.JPG")
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="Newer").click()
    expect(page.get_by_role("button", name="Newer")).to_be_disabled()


def test_problems_take_the_photos_place_are_narrowed_by_folder_and_go_again(page: Page, visit: Callable[..., None]) -> None:
    visit("#photos", "trouble")
    problems = page.get_by_role("button", name="With problems")
    problems.click()
    expect(problems).to_have_attribute("aria-pressed", "true")
    expect(page.locator("main li")).to_have_count(100)
    expect(page.locator(".tile")).to_have_count(0)
    page.get_by_role("button", name="Folder: All folders").click()
    page.get_by_role("treeitem", name="Family NAS").click()
    expect(page.locator(".notice")).to_contain_text("No file has problems here")
    page.locator(".notice").get_by_role("button", name="Clear filters").click()
    expect(page.locator(".tile").first).to_be_visible()


def test_online_only_files_are_reached_from_the_library_and_looked_at_one_by_one_or_all_at_once(
    page: Page, visit: Callable[..., None]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("/api/")[-1]) if request.method == "POST" else None)
    visit("#photos", "trouble")
    page.get_by_role("group", name="Filters").get_by_role("link", name="Online only").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Online-only files")
    page.get_by_role("button", name="Scan: IMG_5001.HEIC").click()
    with page.expect_request("**/api/online-only/look"):
        page.get_by_role("button", name="Scan all").click()
    expect(page.get_by_role("button", name="Scan all")).to_be_enabled()
    assert asked == ["problems/50001/retry", "online-only/look"]


def test_the_status_page_says_how_many_files_are_online_only_and_leads_to_them(page: Page, visit: Callable[..., None]) -> None:
    visit("#status", "trouble")
    page.get_by_text("1,234 files are online-only").get_by_role("link").click()
    expect(page.locator("main li")).to_have_count(100)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_that_a_version_was_taken_back_is_put_away_and_stays_away(
    page: Page, visit: Callable[..., None], made_up_agent: str, language: str
) -> None:
    visit("#status", "older", language)
    banner = page.locator(".banner", has_text="update.rolled_back")
    banner.get_by_role("button").press("Enter")
    expect(banner).to_have_count(0)
    expect(page.locator("main")).to_be_focused()
    page.goto(f"{made_up_agent}/#status")  # without its scene, which would begin anew
    page.locator(".plot polyline").first.wait_for()
    expect(banner).to_have_count(0)


def test_a_command_that_installs_a_version_is_copied_by_one_press(page: Page, visit: Callable[..., None], profile: BrowserContext) -> None:
    command = 'sudo apt install "/home/mei/ai-popup.deb"'

    def packaged(route: Route) -> None:
        route.fulfill(json=answer_to(route).json() | {"step": "available", "command": command})

    page.route("**/api/update", packaged)
    profile.grant_permissions(["clipboard-read", "clipboard-write"])
    visit("#status", "newer")
    update = page.get_by_role("region", name="Updates")
    update.get_by_role("button", name="Copy").click()
    expect(update.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == command


@pytest.mark.own_tab
def test_where_the_clipboard_is_refused_nothing_is_said_to_be_copied(page: Page, visit: Callable[..., None]) -> None:
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
    visit("#settings/library")
    page.get_by_role("button", name="Show the code").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_have_count(0)


def test_a_version_that_waits_stands_first_on_the_status_page(page: Page, visit: Callable[..., None]) -> None:
    visit("#status", "newer")
    update = page.get_by_role("region", name="Updates")
    expect(update).to_have_count(1)
    expect(update.get_by_role("button", name="Install now and restart")).to_be_in_viewport()


@pytest.mark.parametrize("place", ["#photos", "#photos?folder=%2Fnas%2Ffamily"])
def test_a_folder_that_was_moved_away_is_named_where_its_photos_would_be(page: Page, visit: Callable[..., None], place: str) -> None:
    empty = b"\0" * 8
    page.route("**/api/library?*", lambda route: route.fulfill(body=empty, content_type="application/octet-stream"))
    visit(place, "away")
    notice = page.locator(".notice")
    expect(notice.get_by_role("heading", name="Family NAS")).to_be_visible()
    expect(notice).to_contain_text("The folder hasn’t answered since 22:10.")
    with page.expect_request("**/api/rescan"):
        notice.get_by_role("button", name="Try now").click()
