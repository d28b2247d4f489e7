"""A browser on the real program's pages, which also checks that nothing leaves the machine and that the pages are accessible.

`visit` opens a module's one page; after every test it is looked whether a request went elsewhere or the console complained.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

from agent.infrastructure.core.i18n import LANGUAGES, Texts
from scripts.page_conditions import wait_for_condition
from scripts.signing_in import sign_in
from tests.support.accessibility import violations

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

SIZES = ((1280, 720), (900, 720))
# Only colours differ between the themes: the second is judged by those alone.
THEMES: tuple[tuple[Literal["dark", "light"], list[str] | None], ...] = (("dark", None), ("light", ["color-contrast"]))
WAIT_MS = 60_000
# Buttons and headings whose words don't fit, in themselves or in a part that hides what is too much. Names of files and folders
# may be shortened where a `title` tells the whole.
CUT = """() => {
  const WORDS = 'button, a, h1, h2, h3, label, dt, th, legend, [role=menuitem], [role=option], [role=radio]'
  const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && node.clientWidth > 1
  const told = (node) => node.closest('[title]')?.title.includes(node.textContent.trim())
  const found = []
  for (const control of document.querySelectorAll(WORDS)) {
    if (control.closest('.visually-hidden, article')) continue
    for (const node of [control, ...control.querySelectorAll('*')]) {
      const style = getComputedStyle(node)
      if (style.display === 'inline' || !node.textContent.trim() || !shown(node)) continue
      if (node.closest('svg, .visually-hidden') || told(node)) continue
      const words = document.createRange()
      words.selectNodeContents(node)
      const [text, box] = [words.getBoundingClientRect(), node.getBoundingClientRect()]
      const sticksOut = text.right > box.right + 1 || text.left < box.left - 1
      const cut = style.overflowX === 'visible' ? sticksOut : node.scrollWidth > node.clientWidth
      if (cut) found.push(`${node.tagName} ${node.className}: ${node.textContent.trim().slice(0, 80)}`)
    }
  }
  const root = document.documentElement
  if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} wide in ${root.clientWidth}`)
  return found
}"""


Role: TypeAlias = Literal["button", "link", "menuitem", "option", "radio", "switch", "textbox", "heading", "searchbox", "combobox"]


class Visitor:
    """One page in Chromium, signed in to the program."""

    def __init__(self, program: "RealProgram", context: BrowserContext) -> None:
        self.program = program
        self.page: Page = context.new_page()
        self.texts = Texts("en")
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        with program.client() as client:
            self.address = client.address
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.address}/", "data:", "blob:")):
            self.foreign.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        # What the agent refuses on purpose is in the console, too.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    # -- where it is -------------------------------------------------------------------------------------------------------------
    def sign_in(self, page: str = "library") -> None:
        with self.program.client() as client:
            sign_in(self.page, client, page)

    def go(self, place: str, language: str) -> None:
        """To a page, such as `#status` or `popup`, in a language."""
        self.speak(language)
        self.page.goto("about:blank")  # a fragment alone would not load anew
        self.page.goto(f"{self.address}/{place}")
        wait_for_condition(self.page, "language => document.documentElement.lang === language", language)

    def speak(self, language: str) -> None:
        self.texts = Texts(language)
        if self.program.alive:
            self.program.file.set("general.language", language)
            self.program.until(lambda status: status.language == language)

    # -- what is there -----------------------------------------------------------------------------------------------------------
    def t(self, key: str, **params: str | int) -> str:
        return self.texts(f"ui.{key}", **params)

    def named(self, role: Role, key: str, **params: str | int) -> Locator:
        """The element of a role with just this text as its name."""
        return self.page.get_by_role(role, name=self.t(key, **params), exact=True)

    def button(self, key: str, **params: str | int) -> Locator:
        return self.named("button", key, **params)

    def says(self, text: str, *, whole: bool = True) -> Locator:
        """Wait until an element says this; `whole` if it says nothing else."""
        found = self.page.get_by_text(text, exact=whole).first
        found.wait_for()
        return found

    # -- whether it is right -----------------------------------------------------------------------------------------------------
    def right(self, sizes: Sequence[tuple[int, int]] = SIZES) -> None:
        """No violation of accessibility in either theme, no text cut at any size."""
        wrong: dict[str, object] = {}
        for theme, rules in THEMES:
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            if found := violations(self.page, rules):
                wrong[theme] = found
        for width, height in reversed(sizes):
            self.page.set_viewport_size({"width": width, "height": height})
            if found := self.page.evaluate(CUT):
                wrong[f"{width} px"] = found
        assert not wrong, json.dumps(wrong, indent=1, ensure_ascii=False)


Visit = Callable[["RealProgram"], Visitor]


@pytest.fixture(scope="module")
def visits(chromium: Browser) -> Iterator[list[Visitor]]:
    made: list[Visitor] = []
    yield made
    for visitor in made:
        visitor.page.context.close()


@pytest.fixture(scope="module")
def visit(built_ui: None, chromium: Browser, visits: list[Visitor]) -> Visit:
    """Opens a page on a running program."""

    def opened(program: "RealProgram") -> Visitor:
        context = chromium.new_context(
            viewport={"width": SIZES[0][0], "height": SIZES[0][1]}, reduced_motion="reduce", locale="en", timezone_id="Europe/Berlin"
        )
        context.set_default_timeout(WAIT_MS)
        visits.append(Visitor(program, context))
        return visits[-1]

    return opened


@pytest.fixture(autouse=True)
def nothing_leaves_and_nothing_is_wrong(visits: list[Visitor]) -> Iterator[None]:
    """No request of a page goes elsewhere, and its console is silent: also the strict policy for contents is kept."""
    yield
    assert [url for visitor in visits for url in visitor.foreign] == []
    complaints = [text for visitor in visits for text in visitor.complaints]
    for visitor in visits:
        visitor.complaints.clear()
    assert complaints == []


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    assert isinstance(request.param, str)
    return request.param
