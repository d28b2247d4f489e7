"""Signed-in browsers: how a page stays signed in, and what another user of this computer can see."""

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
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


def watched(visitor: "Visitor") -> str:
    return visitor.t("empty.watched", folders=visitor.t("quoted", name="photos"))


def test_a_page_stays_signed_in_over_a_reload_and_in_a_second_tab(visitor: "Visitor") -> None:
    visitor.speak("en")
    visitor.sign_in()
    visitor.says(watched(visitor))
    assert visitor.page.evaluate("location.hash") == "", "the code does not stay in the address"
    visitor.page.reload()
    visitor.says(watched(visitor))
    with visitor.program.client() as client:
        (signed_in,) = client.sessions().items
    assert signed_in.browser == "Chrome"
    second = visitor.page.context.new_page()
    second.goto(f"{visitor.address}/#status")
    second.get_by_role("heading", name=visitor.t("nav.status"), exact=True).first.wait_for()
    with visitor.program.client() as client:
        assert [each.number for each in client.sessions().items] == [signed_in.number]
    second.close()


def test_a_page_that_waits_to_be_signed_in_goes_on_when_another_tab_is(visitor: "Visitor") -> None:
    visitor.speak("en")
    with visitor.program.client() as client:
        client.end_sessions(None)
    visitor.page.goto(f"{visitor.address}/")
    visitor.says(visitor.t("refused.title"))
    second = visitor.page.context.new_page()
    with visitor.program.client() as client:
        second.goto(client.session_url())
    visitor.says(watched(visitor))
    second.close()


def test_browsers_are_signed_out_in_the_settings_one_or_all(visitor: "Visitor", language: str) -> None:
    visitor.speak(language)
    visitor.sign_in()
    visitor.says(watched(visitor))
    with visitor.program.client() as client, httpx.Client(base_url=visitor.address, trust_env=False, timeout=60) as other:
        for _ in range(2):
            code = client.session_url().partition("#code=")[2]
            assert other.post("/api/session", json={"code": code}).status_code == 200
    visitor.go("#settings/api", language)
    sign_out = visitor.page.get_by_role(
        "button", name=visitor.t("settings.sessions_end_of", browser=visitor.t("settings.sessions_unknown"))
    )
    expect(sign_out).to_have_count(2)
    visitor.says(visitor.t("settings.sessions_here"))
    visitor.right()
    sign_out.first.click()
    expect(sign_out).to_have_count(1)
    visitor.button("settings.sessions_end_all").click()
    visitor.says(visitor.t("refused.title"))
    with visitor.program.client() as client:
        assert client.sessions().items == []


@contextmanager
def neighbour() -> Iterator[tuple[int, list[str]]]:
    """Another server on this computer, and the cookies that browsers brought it."""
    cookies: list[str] = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            cookies.append(self.headers.get("cookie", ""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_port, cookies
        server.shutdown()
        serving.join()


def test_what_a_browser_brings_to_another_server_of_this_computer_opens_nothing(visitor: "Visitor") -> None:
    visitor.speak("en")
    visitor.sign_in()
    visitor.says(watched(visitor))
    with neighbour() as (port, cookies), httpx.Client(base_url=visitor.address, trust_env=False, timeout=60) as thief:
        page = visitor.page.context.new_page()
        for path in ("/", "/api/status"):
            page.goto(f"http://127.0.0.1:{port}{path}")
        page.close()
        assert any("ai_popup_" in cookie for cookie in cookies), "browsers tell ports apart no better than that"
        for cookie in cookies:
            headers = {"cookie": cookie}
            for asked in ("/api/status", "/api/images", "/api/images/1/thumbnail", "/api/events", "/api/recovery-code"):
                assert thief.get(asked, headers=headers).status_code == 401, asked
            assert thief.post("/api/quit", headers=headers).status_code == 401
    assert visitor.program.alive
