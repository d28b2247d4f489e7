"""Nobody gets past the door without the token or a session, and browsers are kept strict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from structlog.testing import capture_logs

from agent.api.auth import CODE_LIFETIME_S, COOKIE, MOST_CODES, MOST_SESSIONS, Auth

if TYPE_CHECKING:
    from tests.unit.api.conftest import Served


# Streams, which do not end; and the description, which is slow to write: tests/integration/app/test_routes.py asks for it.
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


async def test_without_token_or_session_nothing_answers_but_health(served: Served, stranger: httpx.AsyncClient) -> None:
    calls = every_call(served)
    assert len(calls) > 18
    for method, path in calls:
        answer = await stranger.request(method, path)
        if path == "/health":
            assert (answer.status_code, answer.json()) == (200, {"ok": True})
        elif path == "/open":
            assert answer.status_code == 422
        else:
            assert answer.status_code == 401, f"{method} {path}"
            assert "isn’t signed in" in answer.text or method == "HEAD"
    assert served.desk.asked == [] and served.quits == 0


async def test_a_wrong_token_is_none(served: Served) -> None:
    for header in ["Bearer wrong", "Bearer ", "Basic {token}", "{token}", "bearer{token}", "Bearer {token}x"]:
        async with served.client(authorization=header.format(token=served.auth.token)) as client:
            assert (await client.get("/api/status")).status_code == 401, header


async def test_a_request_to_another_name_is_refused_even_with_the_token(owner: httpx.AsyncClient) -> None:
    for host in ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:80", "127.0.0.1:8765.evil.example"]:
        for path in ("/api/status", "/health", "/open?code=x"):
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


async def test_a_code_opens_one_session_once(served: Served, stranger: httpx.AsyncClient) -> None:
    code = served.auth.new_code()
    answer = await stranger.get("/open", params={"code": code, "page": "popup"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/popup")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert (await stranger.get("/popup")).text.startswith("<!doctype html><title>page")
    assert (await stranger.get("/api/status")).status_code == 200
    async with served.client() as second:
        answer = await second.get("/open", params={"code": code})
        assert answer.status_code == 401 and "set-cookie" not in answer.headers
        assert (await second.get("/")).status_code == 401


async def test_a_code_of_the_api_opens_the_library(served: Served, owner: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    code = (await owner.post("/api/session/codes")).json()["code"]
    assert (await stranger.get("/open", params={"code": code})).headers["location"] == "/"


async def test_a_code_that_is_too_old_opens_nothing(served: Served, stranger: httpx.AsyncClient) -> None:
    code = served.auth.new_code()
    served.time += CODE_LIFETIME_S
    assert (await stranger.get("/open", params={"code": code})).status_code == 401


async def test_a_made_up_cookie_is_no_session(served: Served) -> None:
    async with served.client(cookie=f"{COOKIE}={served.auth.token}") as client:
        assert (await client.get("/api/status")).status_code == 401


def test_codes_and_sessions_are_bounded_and_the_oldest_go_first() -> None:
    auth = Auth(lambda: 0.0)
    codes = [auth.new_code() for _ in range(MOST_CODES + 1)]
    assert auth.exchange(codes[0]) is None and auth.exchange(codes[1]) is not None
    sessions = [auth.exchange(auth.new_code()) for _ in range(MOST_SESSIONS + 1)]
    assert not auth.session(sessions[0]) and auth.session(sessions[1]) and not auth.session(None)


async def test_neither_token_nor_code_is_logged_or_answered(served: Served, owner: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    code = served.auth.new_code()
    with capture_logs() as lines:
        answers = [await stranger.get("/open", params={"code": code, "page": "nowhere"})]
        answers += [await stranger.get("/open", params={"code": code}), await stranger.get("/open", params={"code": code})]
        answers += [await owner.request(method, path) for method, path in every_call(served) if path not in NOT_ASKED]
    for secret in (served.auth.token, code):
        assert secret not in repr(lines)
        assert not any(secret in answer.text or secret in repr(answer.headers) for answer in answers)


async def test_every_answer_keeps_browsers_strict(owner: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    answers = [await owner.get(path) for path in ("/", "/popup", "/api/status", "/api/images/7", "/nowhere")]
    answers += [await stranger.get(path) for path in ("/", "/health", "/api/status")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "no-referrer"


async def test_a_browser_without_a_session_reads_what_to_do_in_its_language(served: Served, stranger: httpx.AsyncClient) -> None:
    served.language = "zh-CN"
    answer = await stranger.get("/")
    assert answer.headers["content-type"].startswith("text/html") and '<html lang="zh-CN">' in answer.text and "托盘" in answer.text
