"""The built pages in a real browser with a made-up agent behind them, so that every state can be looked at."""

import itertools
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize

from scripts.page_conditions import wait_for_condition
from tests.support.accessibility import violations as broken_rules

UI = Path(__file__).parents[3] / "ui"
CHANGE_LANGUAGE = (
    """(value) => fetch('/api/settings/general.language', { method: 'PUT', body: JSON.stringify({ value }) }).then(({ ok }) => ok)"""
)
# Scenes in which the agent answers nothing that says a language: the page speaks the browser's.
MUTE = ("loading", "offline", "unauthorised")
WAIT_S = 60.0
SIZE: ViewportSize = {"width": 1280, "height": 800}
EVERY_ANSWER = "**/api/**"
KEEP_STREAMS = """window.streams = []
window.EventSource = class extends EventSource {
  constructor(...words) {
    super(...words)
    window.streams.push(this)
  }
}"""
# Of all rules only one looks at colours, and nothing but colours changes with the theme.
THEMES: tuple[tuple[Literal["light", "dark"], list[str] | None], ...] = (("light", None), ("dark", ["color-contrast"]))
# Chinese sentences have no space between them: it comes from a line break in the markup.
SPACES_BETWEEN_SENTENCES = """() => document.documentElement.lang !== 'zh-CN' ? []
  : document.body.innerText.match(/[^\\n]{0,20}[。；！？，：] +[\\u4e00-\\u9fff“][^\\n]{0,20}/g) ?? []"""
T = TypeVar("T")
VISITS = itertools.count(1)


class InEachLanguage(Protocol):
    """Language -> what is found on the page as it stands; it was opened in English and is loaded once."""

    def __call__(self, look: Callable[[], T], /) -> dict[str, T]: ...


@pytest.fixture(scope="session")
def made_up_agent(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the pages are served, under the agent's content policy."""
    node, vite = shutil.which("node"), UI / "node_modules" / "vite" / "bin" / "vite.js"
    if node is None or not vite.is_file():
        pytest.skip("needs node and the UI's packages")
    request.getfixturevalue("built_ui")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    serve = [node, str(vite), "preview", "--config", "dev/vite.config.ts", "--port", str(port), "--strictPort"]
    server = subprocess.Popen(serve, cwd=UI, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _listening(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _listening(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline or server.poll() is not None:
                raise
            time.sleep(0.1)


@pytest.fixture(scope="module")
def browser_language() -> str:
    return "en"


@pytest.fixture(scope="module")
def profile(chromium: Browser, browser_language: str) -> Iterator[BrowserContext]:
    """Keeps what was compiled of the pages from one test to the next."""
    # axe comes in from outside, which the agent's content policy forbids; everything else keeps it.
    context = chromium.new_context(viewport=SIZE, reduced_motion="reduce", bypass_csp=True, locale=browser_language)
    context.set_default_timeout(WAIT_S * 1000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def shared_tab(profile: BrowserContext) -> Page:
    return profile.new_page()


# Also what the page keeps of itself when it is left.
FORGET = """
const forget = () => { localStorage.clear(); sessionStorage.clear() }
forget()
addEventListener('pagehide', forget)
document.addEventListener('visibilitychange', forget)
"""


@pytest.fixture
def page(profile: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page whose scripts must not fail, and that finds nothing of the test before.

    The tests of a module share a tab: a new one takes half the time of most tests. A script added to a tab stays in it, so tests that add
    one get a tab of their own.
    """
    shared = request.node.get_closest_marker("own_tab") is None and "presence" not in request.fixturenames
    opened, failures = request.getfixturevalue("shared_tab") if shared else profile.new_page(), list[str]()

    def note(error: Error) -> None:
        failures.append(str(error))

    opened.on("pageerror", note)
    yield opened
    opened.evaluate(FORGET)
    if shared:
        opened.unroute_all(behavior="ignoreErrors")
        opened.goto("about:blank")
        opened.set_viewport_size(SIZE)
        opened.emulate_media(color_scheme="light", forced_colors="none")
        opened.mouse.move(0, 0)
        opened.remove_listener("pageerror", note)
    else:
        opened.close()
    profile.clear_cookies()
    assert failures == []


@pytest.fixture
def visit(page: Page, made_up_agent: str) -> Callable[..., None]:
    """Opens a place (`/popup`, `#settings/engine`) in a scene and language; the theme is the system's.

    What the page before asks late does not count: each visit has its name.
    """

    def opened(place: str, scene: str = "family", language: str = "en") -> None:
        path, _, fragment = place.partition("#")
        page.goto(f"{made_up_agent}{path or '/'}?scene={scene}&lang={language}&visit={next(VISITS)}#{fragment}")

    return opened


Act: TypeAlias = Callable[[Page], object]
# Scene, fragment, what is there when the state is shown, and what is done then.
State: TypeAlias = tuple[str, str, str, Act | None]


class Reach(Protocol):
    """Brings the page into a state, in a language."""

    def __call__(self, state: State, language: str = "en") -> None: ...


@pytest.fixture
def reach(page: Page, visit: Callable[..., None]) -> Reach:
    def reached(state: State, language: str = "en") -> None:
        scene, place, there, act = state
        visit(place, scene, language)
        page.locator(there).first.wait_for()
        if act is not None:
            act(page)

    return reached


class Presence:
    """The made-up agent as one page finds it: gone, and there again."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.add_init_script(KEEP_STREAMS)

    def goes(self) -> None:
        self._page.route(EVERY_ANSWER, lambda route: route.abort())
        self._page.evaluate("streams.at(-1).dispatchEvent(new Event('error'))")

    def returns(self) -> None:
        self._page.unroute(EVERY_ANSWER)


@pytest.fixture
def presence(page: Page) -> Presence:
    """For what is visited after it was asked for."""
    return Presence(page)


@pytest.fixture
def violations(page: Page) -> Callable[[], list[str]]:
    """What is not accessible on the page as it stands, in either theme; and Chinese sentences that stand apart."""

    def found() -> list[str]:
        wrong: list[str] = [f"space: {one}" for one in page.evaluate(SPACES_BETWEEN_SENTENCES)]
        for theme, only in THEMES:
            page.emulate_media(color_scheme=theme)
            wrong += [f"{theme}: {one}" for one in broken_rules(page, only)]
        return wrong

    return found


@pytest.fixture
def change_language(page: Page) -> Callable[[str], None]:
    """Changes the program's language while a page is open, and waits until the page and its lists are in it."""

    def changed(language: str) -> None:
        with page.expect_response("**/api/images?*"):
            assert page.evaluate(CHANGE_LANGUAGE, language)
            wait_for_condition(page, "(language) => document.documentElement.lang === language", language)

    return changed


@pytest.fixture
def in_each_language(page: Page, change_language: Callable[[str], None]) -> InEachLanguage:
    """Looks at the page, changes its language, and looks again."""

    def found(look: Callable[[], T], /) -> dict[str, T]:
        english = look()
        if any(f"scene={scene}" in page.url for scene in MUTE):
            return {"en": english}
        change_language("zh-CN")
        return {"en": english, "zh-CN": look()}

    return found
