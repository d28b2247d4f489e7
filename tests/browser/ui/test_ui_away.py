"""The pages when the program is not there for them: not signed in, or gone and back again."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.ui.conftest import Visitor
    from tests.support.real_program import RealProgram


@pytest.fixture(scope="module")
def visitor(make_module_program: Callable[[Mapping[str, str]], "RealProgram"], visit: Callable[["RealProgram"], "Visitor"]) -> "Visitor":
    program = make_module_program({})
    program.start()
    return visit(program)


def test_without_a_session_the_page_shows_nothing_but_how_to_get_one(visitor: "Visitor", language: str) -> None:
    visitor.speak(language)
    visitor.page.goto(f"{visitor.address}/")
    visitor.says(visitor.t("refused.title"))
    assert visitor.page.locator("html").get_attribute("lang") == language
    assert visitor.page.locator("article, main img").count() == 0
    visitor.right()


def test_a_session_that_ended_is_said_in_the_page(visitor: "Visitor", language: str) -> None:
    visitor.speak(language)
    visitor.sign_in()
    visitor.says(visitor.t("empty.watched", folders=visitor.t("quoted", name="photos")))
    with visitor.program.client() as client:
        assert client.end_sessions(None).count >= 1
    visitor.says(visitor.t("refused.title"))
    visitor.right()


def test_every_page_says_when_the_program_is_gone(
    make_program: Callable[[Mapping[str, str]], "RealProgram"], visit: Callable[["RealProgram"], "Visitor"], language: str
) -> None:
    program = make_program({})
    program.start()
    visitors = {}
    for place in ("", "popup", "#status", "#settings", "#help"):
        visitors[place] = visit(program)
        visitors[place].sign_in()
        visitors[place].go(place, language)
        visitors[place].page.locator("h1").first.wait_for()
    expect(visitors["#help"].page.locator("#every-day")).to_have_count(1)
    program.kill()
    guide = visitors["#help"].page
    guide.evaluate("location.hash = '#help/errors'")  # not read before, unlike the guide
    expect(guide.locator("#every-day")).to_have_count(0)
    for visitor in visitors.values():
        visitor.says(visitor.t("offline.title"), whole=False)
        visitor.right()
    guide.evaluate("location.hash = '#help/guide'")
    expect(guide.locator("#every-day")).to_have_count(1)
