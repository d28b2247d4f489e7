"""No request passes without the token or a session, and browsers get strict headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from structlog.testing import capture_logs

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.guard import OPEN, Guard, LocalAccess
from agent.interfaces.web.local_auth import CODE_LIFETIME_S, IDLE_S, LONGEST_S, MOST_CODES, MOST_SESSIONS, Auth

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

from tests.support.security_headers import keeps_browsers_strict
from tests.unit.interfaces.web.conftest import Served

# What an element of a page loads, or a drag: the browser itself sends for it. The stream of events is one, too.
BY_ELEMENTS = (
    "/api/support-bundle",
    *(f"/api/images/1/{what}" for what in ("preview", "thumbnail", "original")),
    *("/api/captures/frames/1", "/api/captures/1/picture", "/api/people/1/export"),
    *(f"/api/redaction-items/1/{what}" for what in ("copy", "preview")),
    "/api/redactions/1/copies.zip",
)
# Streams, which do not end; and the description, which is slow to write: tests/in_process/test_routes.py asks for it.
NOT_ASKED = ("/api/events", "/api/scans", "/openapi.json")


def every_call(served: Served) -> list[tuple[str, str]]:
    """Method and path of every route there is."""
    calls: list[tuple[str, str]] = []
    for route in served.api.routes:
        if isinstance(route, Mount):
            calls.append(("GET", f"{route.path}/app-1a2b.js"))
        elif isinstance(route, APIRoute | Route):
            calls += [(method, re.sub(r"\{.*?\}", "1", route.path)) for method in route.methods or ()]
        else:
            pytest.fail(f"a kind of route that this test does not know: {route!r}")
    return calls


async def test_without_token_or_session_nothing_answers_but_the_programs_own_files(served: Served, stranger: httpx.AsyncClient) -> None:
    calls = every_call(served)
    assert len(calls) > 18
    for method, path in calls:
        answer = await stranger.request(method, path)
        if path == "/health":
            assert (answer.status_code, answer.json()) == (200, {"ok": True})
        elif path == "/api/session":
            assert answer.status_code == 422
        elif path in ("/", "/popup", "/picker", "/assets/app-1a2b.js"):
            assert answer.status_code == 200 and ("page" in answer.text or "export" in answer.text or method == "HEAD")
        elif not path.startswith("/api/help/pictures/"):  # of the guide, the same for everybody
            assert answer.status_code == 401, f"{method} {path}"
            assert "isn’t signed in" in answer.text or method == "HEAD"
    assert served.desk.asked == [] and served.quits == 0


async def test_a_path_counts_as_the_routes_see_it(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/health")).status_code == 200
    assert (await stranger.get("/health%3Fa")).status_code == 401


async def test_a_wrong_token_is_none(served: Served) -> None:
    for header in ["Bearer wrong", "Bearer ", "Basic {token}", "{token}", "bearer{token}", "Bearer {token}x"]:
        async with served.client(authorization=header.format(token=served.auth.token)) as client:
            assert (await client.get("/api/status")).status_code == 401, header


async def test_a_request_to_another_name_is_refused_even_with_the_token(owner: httpx.AsyncClient) -> None:
    for host in ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:80", "127.0.0.1:8765.evil.example"]:
        for path in ("/api/status", "/health", "/api/session", "/"):
            answer = await owner.get(path, headers={"host": host})
            assert answer.status_code == 403, host


async def test_a_page_of_another_origin_is_refused(owner: httpx.AsyncClient) -> None:
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:8765", "127.0.0.1:8765"]:
        answer = await owner.post("/api/pause", headers={"origin": origin})
        assert answer.status_code == 403 and answer.json()["code"] == "api.foreign_origin", origin


async def test_our_own_page_is_welcome(owner: httpx.AsyncClient) -> None:
    for name in ["127.0.0.1", "localhost"]:
        answer = await owner.get("/api/status", headers={"host": f"{name}:8765", "origin": f"http://{name}:8765"})
        assert answer.status_code == 200, name


async def test_a_page_of_another_site_is_refused_where_the_browser_names_none(served: Served, browser: Browser) -> None:
    """A picture, say, which another server on this computer has on its page: the browser sends the cookie along, and no origin."""
    path = f"/api/images/1/thumbnail?ticket={browser.ticket}"
    for site, status in [("cross-site", 403), ("same-site", 403), ("same-origin", 404), ("none", 404)]:
        answer = await browser.client.get(path, headers={"sec-fetch-site": site})
        assert answer.status_code == status, site


@dataclass
class Browser:
    """What a page was given for a code: it holds the cookie by itself, and says the rest where it wants to."""

    client: httpx.AsyncClient
    key: str
    ticket: str

    @property
    def signed(self) -> dict[str, str]:
        return {"authorization": f"Session {self.key}"}


async def signed_in(served: Served, client: httpx.AsyncClient, **headers: str) -> Browser:
    answer = await client.post("/api/session", json={"code": served.auth.new_code()}, headers=headers)
    assert answer.status_code == 200
    return Browser(client, answer.json()["key"], answer.json()["ticket"])


@pytest_asyncio.fixture
async def browser(served: Served) -> AsyncIterator[Browser]:
    async with served.client() as client:
        yield await signed_in(served, client)


async def test_a_code_opens_one_session_once(served: Served, stranger: httpx.AsyncClient) -> None:
    code = served.auth.new_code()
    answer = await stranger.post("/api/session", json={"code": code})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("ai_popup_8765=") and "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and "Path=/api" in cookie
    assert (await stranger.get("/api/status", headers={"authorization": f"Session {answer.json()['key']}"})).status_code == 200
    async with served.client() as second:
        answer = await second.post("/api/session", json={"code": code})
        assert answer.status_code == 401 and "set-cookie" not in answer.headers


async def test_a_cookie_alone_opens_nothing(browser: Browser) -> None:
    """Browsers send it to every port of this computer, whoever listens there."""
    assert browser.client.cookies
    for path in (
        "/api/status",
        "/api/images/1/thumbnail",
        "/api/events",
        "/api/images/1/thumbnail?ticket=",
        "/api/support-bundle?ticket=x",
    ):
        assert (await browser.client.get(path)).status_code == 401, path
    assert (await browser.client.post("/api/pause")).status_code == 401


async def test_a_ticket_opens_only_what_a_browser_loads_by_itself_and_only_with_its_cookie(served: Served, browser: Browser) -> None:
    ticket, opened = {"ticket": browser.ticket}, set()
    for method, path in every_call(served):
        if path not in NOT_ASKED and not OPEN.fullmatch(path):
            answer = await browser.client.request(method, path, params=ticket)
            opened |= {(method, path)} if answer.status_code != 401 else set()
    assert opened == {("GET", path) for path in BY_ELEMENTS}
    async with served.client() as other:
        assert (await other.get("/api/images/1/thumbnail", params=ticket)).status_code == 401
        third = await signed_in(served, other)
        assert (await other.get("/api/images/1/thumbnail", params=ticket)).status_code == 401, "the cookie is another session's"
        assert (await other.get("/api/images/1/thumbnail", params={"ticket": third.ticket})).status_code == 404


async def test_a_made_up_key_is_none(served: Served, browser: Browser) -> None:
    for key in ["", "x", browser.ticket, served.auth.token, browser.key + "x", "None"]:
        assert (await browser.client.get("/api/status", headers={"authorization": f"Session {key}"})).status_code == 401
    assert (await browser.client.get("/api/status", headers={"authorization": f"Bearer {browser.key}"})).status_code == 401


async def test_who_is_signed_in_stays_so_with_a_new_code(served: Served, browser: Browser) -> None:
    code = served.auth.new_code()
    answer = await browser.client.post("/api/session", json={"code": code}, headers=browser.signed)
    assert answer.json() == {"key": browser.key, "ticket": browser.ticket} and len(served.auth.sessions()) == 1
    assert (await browser.client.post("/api/session", json={"code": code})).status_code == 401, "it is used up"


async def test_a_code_that_is_too_old_opens_nothing(served: Served, stranger: httpx.AsyncClient) -> None:
    code = served.auth.new_code()
    served.time += CODE_LIFETIME_S
    assert (await stranger.post("/api/session", json={"code": code})).status_code == 401


async def test_a_session_ends_when_it_was_not_used_for_long_and_in_any_case_some_day(served: Served, browser: Browser) -> None:
    served.time += IDLE_S - 1
    assert (await browser.client.get("/api/status", headers=browser.signed)).status_code == 200
    served.time += IDLE_S
    assert (await browser.client.get("/api/status", headers=browser.signed)).status_code == 401
    assert (await browser.client.get("/api/images/1/thumbnail", params={"ticket": browser.ticket})).status_code == 401
    assert served.auth.sessions() == ()
    used = await signed_in(served, browser.client)
    for _ in range(int(LONGEST_S / IDLE_S) * 2 - 1):
        served.time += IDLE_S / 2
        assert (await used.client.get("/api/status", headers=used.signed)).status_code == 200
    served.time += IDLE_S / 2
    assert (await used.client.get("/api/status", headers=used.signed)).status_code == 401


async def test_to_listen_is_to_use_a_session_until_its_last_day(served: Served, browser: Browser) -> None:
    received: list[str] = []

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(int(LONGEST_S / IDLE_S) * 2):
            served.time += IDLE_S / 2
            await send({"type": "http.response.body", "body": b".", "more_body": True})
        while received[-1:] != ["http.disconnect"]:
            received.append((await receive())["type"])

    guard = Guard(stream, access=LocalAccess(served.auth, lambda: 8765), texts=lambda: Texts("en"))
    transport = httpx.ASGITransport(guard)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765", headers=browser.signed) as page:
        answer = await page.get("/api/events")
        assert answer.text == "." * int(LONGEST_S / IDLE_S) * 2 and received
        assert (await page.get("/api/events")).status_code == 401


async def test_a_window_of_the_programs_own_stays_signed_in(served: Served, stranger: httpx.AsyncClient) -> None:
    """It may wait for the next capture for weeks."""
    given = (await stranger.post("/api/session", json={"code": served.auth.new_code(own=True)})).json()
    served.time += LONGEST_S * 2
    assert (await stranger.get("/api/status", headers={"authorization": f"Session {given['key']}"})).status_code == 200


async def test_browsers_are_listed_and_ended_one_or_all(served: Served, owner: httpx.AsyncClient) -> None:
    fox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
    async with served.client() as one, served.client() as two:
        first = await signed_in(served, one, **{"user-agent": fox})
        served.time += 3600
        second = await signed_in(served, two, **{"user-agent": edge})
        served.auth.exchange(served.auth.new_code(own=True))
        items = (await one.get("/api/sessions", headers=first.signed)).json()["items"]
        assert [(each["browser"], each["here"]) for each in items] == [("Firefox", True), ("Edge", False)]
        opened, seen = (datetime.fromisoformat(items[0][name]) for name in ("opened_at", "seen_at"))
        assert 3599 < (seen - opened).total_seconds() < 3601
        assert (await owner.delete(f"/api/sessions/{items[0]['number']}")).json() == {"count": 1}
        assert (await owner.delete(f"/api/sessions/{items[0]['number']}")).status_code == 404
        assert (await one.get("/api/status", headers=first.signed)).status_code == 401
        assert (await two.get("/api/status", headers=second.signed)).status_code == 200
        assert (await owner.delete("/api/sessions")).json() == {"count": 1}
        assert (await two.get("/api/status", headers=second.signed)).status_code == 401
        assert (await owner.get("/api/sessions")).json() == {"items": []}


def test_codes_and_sessions_are_bounded_and_the_oldest_go_first() -> None:
    auth = Auth(lambda: 0.0)
    codes = [auth.new_code() for _ in range(MOST_CODES + 1)]
    assert auth.exchange(codes[0]) is None and auth.exchange(codes[1]) is not None
    sessions = [auth.exchange(auth.new_code()) for _ in range(MOST_SESSIONS + 1)]
    assert all(sessions) and [bool(auth.by_header(f"Session {each.key}")) for each in sessions[:2] if each] == [False, True]
    assert auth.by_header(None) is None and auth.by_ticket(None, None) is None


async def test_neither_token_nor_code_is_logged_or_answered(served: Served, owner: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    code = served.auth.new_code()
    with capture_logs() as lines:
        answers = [await stranger.post("/api/session", json={"code": [code]})]
        given = await stranger.post("/api/session", json={"code": code})
        answers += [await stranger.post("/api/session", json={"code": code}), await owner.get("/api/sessions")]
        answers += [await owner.request(method, path) for method, path in every_call(served) if path not in NOT_ASKED]
    for secret in (served.auth.token, code, *given.json().values(), given.cookies["ai_popup_8765"]):
        assert secret not in repr(lines)
        assert not any(secret in answer.text or secret in repr(answer.headers) for answer in answers)


async def test_every_answer_keeps_browsers_strict(served: Served, owner: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    calls = [*every_call(served), ("GET", "/nowhere"), ("GET", "/assets/none.js"), ("TRACE", "/")]
    answers = [await asked.request(method, path) for method, path in calls if path not in NOT_ASKED for asked in (stranger, owner)]
    answers.append(await owner.get("/api/status", headers={"host": "evil.example"}))
    assert {200, 401, 403, 404, 405, 422} <= {answer.status_code for answer in answers}
    for answer in answers:
        keeps_browsers_strict(answer)
        assert "no-store" in answer.headers["cache-control"] or answer.url.path.startswith("/assets/"), answer.url.path


async def test_a_page_without_a_session_learns_what_language_the_program_speaks(served: Served, stranger: httpx.AsyncClient) -> None:
    served.language = "zh-CN"
    answer = await stranger.get("/api/status")
    assert answer.headers["content-language"] == "zh-CN" and "托盘" in answer.json()["remedy"]
