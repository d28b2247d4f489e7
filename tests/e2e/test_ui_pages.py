"""The built pages in a real browser, with a made-up agent behind them: every state in both languages and themes is accessible, and
everything can be done by keyboard."""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

UI = Path(__file__).parents[2] / "ui"
AXE = UI / "node_modules" / "axe-core" / "axe.min.js"
LOOKS = [("en", "light"), ("zh-CN", "dark")]
WAIT_S = 30.0
Act = Callable[[Page], object]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the pages are served: built anew, under the agent's content policy."""
    node, vite = shutil.which("node"), UI / "node_modules" / "vite" / "bin" / "vite.js"
    if node is None or not vite.is_file() or not AXE.is_file():
        pytest.skip("needs node and the UI's packages")
    built = tmp_path_factory.mktemp("ui")
    subprocess.run([node, vite, "build", "--outDir", built, "--logLevel", "warn"], cwd=UI, check=True, timeout=120)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    serve: list[str | Path] = [
        node,
        vite,
        "preview",
        "--config",
        "dev/vite.config.ts",
        "--outDir",
        built,
        "--port",
        str(port),
        "--strictPort",
    ]
    server = subprocess.Popen(serve, cwd=UI, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    executable = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip("needs Chromium")
    browser = playwright.chromium.launch(executable_path=executable, args=[] if sys.platform == "win32" else ["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that must not fail in a script."""
    # axe comes in from outside, which the agent's content policy forbids; everything else keeps it.
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce", bypass_csp=True)
    opened, failures = context.new_page(), list[str]()
    opened.on("pageerror", lambda error: failures.append(str(error)))
    yield opened
    context.close()
    assert failures == []


def visit(page: Page, address: str, scene: str, fragment: str, language: str = "en", theme: str = "light") -> None:
    page.goto(f"{address}/?scene={scene}&lang={language}&theme={theme}{fragment}")


def violations(page: Page) -> list[str]:
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        "axe.run(document).then((result) => result.violations.map((one) => `${one.id}: ${one.nodes[0].target} ${one.help}`))"
    )
    return [str(one) for one in found]


# -- accessible in every state ----------------------------------------------------------------------------------------------------


def _choose(page: Page) -> None:
    page.locator(".tile").nth(1).click()
    page.locator(".tile").nth(3).click(modifiers=["Shift"])


def _menu(page: Page) -> None:
    page.locator(".tile").nth(2).click(button="right")
    page.locator("[role=menu]").wait_for()


def _filter(number: int) -> Act:
    def act(page: Page) -> None:
        page.locator(".chip").nth(number).click()
        page.locator(".menu").wait_for()

    return act


def _hide(page: Page) -> None:
    page.locator(".tile").nth(1).click()
    page.keyboard.press("Delete")
    page.locator(".toast").wait_for()
    page.keyboard.press("Control+z")
    page.locator(".tile").first.wait_for()


def _check(page: Page) -> None:
    page.locator(".page > header button").first.click()
    page.locator("section li.absent").wait_for()


STATES: dict[str, tuple[str, str, str, Act | None]] = {
    # name: scene, fragment, what is there when it stands, what is done then
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
    "status": ("burst", "#status", "canvas", None),
    "status after a check": ("failed", "#status", "canvas", _check),
    "status on battery": ("away", "#status", ".note", None),
    "status of a new library": ("empty", "#status", "figure", None),
    "status loading": ("loading", "#status", ".loading", None),
}


@pytest.mark.parametrize(("language", "theme"), LOOKS)
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible(page: Page, address: str, state: str, language: str, theme: str) -> None:
    scene, fragment, there, act = STATES[state]
    visit(page, address, scene, fragment, language, theme)
    page.locator(there).first.wait_for()
    if act is not None:
        act(page)
    assert violations(page) == []


# -- the library by keyboard -----------------------------------------------------------------------------------------------------


def selected(page: Page) -> list[str]:
    ids = page.locator(".tile[aria-selected=true]").evaluate_all("(tiles) => tiles.map((tile) => tile.dataset.id)")
    return sorted((str(one) for one in ids), key=int, reverse=True)


def active(page: Page) -> str:
    return str(page.locator("[role=listbox].view").get_attribute("aria-activedescendant"))


@pytest.fixture
def photos(page: Page, address: str) -> Page:
    """The library with the keyboard on its photos."""
    visit(page, address, "family", "#photos")
    page.locator(".tile").first.wait_for()
    page.locator("[role=listbox].view").focus()
    return page


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
    expect(photos.locator(".bar strong")).to_have_text("27 chosen")
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


def test_the_context_menu_has_a_key_and_gives_the_keyboard_back(photos: Page) -> None:
    photos.keyboard.press("ArrowRight")
    photos.keyboard.press("Shift+F10")
    menu = photos.locator("[role=menu]")
    expect(menu.locator("[role=menuitem]")).to_have_count(5)
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
    assert dragged[0].startswith("image/jpeg:IMG_4899.jpg:http://127.0.0.1:")
    assert dragged[1].startswith("file:///photos/")


# -- a hundred thousand ----------------------------------------------------------------------------------------------------------


def test_only_what_is_near_the_view_is_in_the_document(page: Page, address: str) -> None:
    visit(page, address, "huge", "#photos")
    page.locator(".tile").first.wait_for()
    for part in (0.2, 0.9, 0.5):
        page.locator(".view").evaluate("(view, part) => { view.scrollTop = view.scrollHeight * part }", part)
        expect(page.locator(".tile img").first).to_be_attached()
        assert page.locator(".tile").count() < 120


def test_flying_past_asks_for_no_pictures(page: Page, address: str) -> None:
    visit(page, address, "huge", "#photos")
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


def test_the_text_may_be_twice_as_large(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport={"width": 640, "height": 400}, reduced_motion="reduce")
    page = context.new_page()
    for fragment, there in (("#photos", ".tile"), ("#status", "figure"), ("#problems", "main li")):
        visit(page, address, "failed", fragment)
        page.locator(there).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
