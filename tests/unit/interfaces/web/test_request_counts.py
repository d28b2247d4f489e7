"""Requests are counted by their route's template, and refusals are logged with an id and without anything private."""

import httpx
import pytest
import structlog
from fastapi import FastAPI

from agent.app.commands_api import guarded
from agent.domain.errors import Forbidden
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.request_id import current_id
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.guard import LocalAccess
from agent.interfaces.web.local_auth import Auth
from agent.interfaces.web.request_counts import CountedRequests, RequestCounts

ORIGIN = "http://127.0.0.1:8765"


@pytest.fixture
def auth() -> Auth:
    return Auth(lambda: 0.0)


@pytest.fixture
def counts() -> RequestCounts:
    return RequestCounts()


@pytest.fixture
def client(auth: Auth, counts: RequestCounts) -> httpx.AsyncClient:
    api: FastAPI = guarded(LocalAccess(auth, lambda: 8765), "1.2.3", lambda: Texts("en"))

    @api.get("/api/things/{thing_id}", openapi_extra=needs(Scope.PHOTOS_READ))
    async def thing(thing_id: int) -> int:
        return thing_id

    @api.post("/api/things", openapi_extra=needs(Scope.PHOTOS_READ))
    async def make() -> str:
        return current_id()

    @api.get("/api/closed", openapi_extra=needs(Scope.PHOTOS_READ))
    async def closed() -> None:
        raise Forbidden(scope="photos.read")

    @api.get("/api/broken", openapi_extra=needs(Scope.PHOTOS_READ))
    async def broken() -> None:
        raise RuntimeError("Mei")

    ticks = iter(range(1_000))
    counted = CountedRequests(api, counts, lambda: next(ticks) * 0.2)
    return httpx.AsyncClient(transport=httpx.ASGITransport(counted, raise_app_exceptions=False), base_url=ORIGIN)


def signed(auth: Auth) -> dict[str, str]:
    return {"authorization": f"Bearer {auth.token}"}


async def test_ids_are_no_labels(client: httpx.AsyncClient, auth: Auth, counts: RequestCounts) -> None:
    for number in (1, 2, 3):
        assert (await client.get(f"/api/things/{number}", headers=signed(auth))).json() == number
    assert counts.requests == {("GET", "/api/things/{thing_id}", 200): 3}
    [latency] = counts.latencies.values()
    assert latency.buckets[5] == 3 and latency.seconds == pytest.approx(0.6)
    assert counts.running == 0 and not counts.codes


async def test_errors_are_counted_by_code_wherever_they_arise(client: httpx.AsyncClient, auth: Auth, counts: RequestCounts) -> None:
    await client.get("/api/things/1")
    await client.get("/api/things/x", headers=signed(auth))
    await client.get("/api/closed", headers=signed(auth))
    await client.get("/api/broken", headers=signed(auth))
    await client.get("/nowhere/mei", headers=signed(auth))
    assert counts.codes == {
        ("api.unauthorised", 401): 1,
        ("api.bad_request", 422): 1,
        ("access.forbidden", 403): 1,
        ("agent.unexpected", 500): 1,
        ("api.not_found", 404): 1,
    }
    assert {route for _, route, _ in counts.requests} == {"none", "/api/things/{thing_id}", "/api/closed", "/api/broken"}


async def test_a_refusal_is_logged_with_the_id_that_the_client_got(client: httpx.AsyncClient, auth: Auth) -> None:
    with structlog.testing.capture_logs() as logged:
        stranger = await client.get("/api/things/7?name=mei", headers={"authorization": "Bearer wrong-secret"})
        forbidden = await client.get("/api/closed", headers=signed(auth))
    refused = [each for each in logged if each["event"] == "request.refused"]
    assert [(each["status"], each["code"], each["route"]) for each in refused] == [
        (401, "api.unauthorised", "none"),
        (403, "access.forbidden", "/api/closed"),
    ]
    assert [each["request"] for each in refused] == [answer.headers["x-request-id"] for answer in (stranger, forbidden)]
    assert not any(word in str(logged) for word in ("wrong-secret", "mei", auth.token))


async def test_a_page_that_is_not_signed_in_yet_is_no_warning(client: httpx.AsyncClient, auth: Auth) -> None:
    with structlog.testing.capture_logs() as logged:
        await client.get("/api/things/7")
        await client.get("/api/things/7", headers={"authorization": "Bearer wrong"})
        await client.get("/api/things/7?ticket=wrong")
        await client.post("/api/things")
    assert [each["log_level"] for each in logged if each["event"] == "request.refused"] == ["info", "warning", "warning", "warning"]


async def test_an_odd_method_is_one_label(client: httpx.AsyncClient, counts: RequestCounts, auth: Auth) -> None:
    await client.request("BREW", "/api/closed", headers=signed(auth))
    assert [method for method, _, _ in counts.requests] == ["OTHER"]


async def test_a_change_is_logged_with_the_id_that_its_work_goes_by(client: httpx.AsyncClient, auth: Auth) -> None:
    with structlog.testing.capture_logs() as logged:
        made = await client.post("/api/things?name=mei", headers=signed(auth))
        await client.get("/api/things/7", headers=signed(auth))
        await client.post("/api/nowhere", headers=signed(auth))
    [done] = [each for each in logged if each["event"] == "request.done"]
    assert (done["method"], done["route"], done["status"]) == ("POST", "/api/things", 200)
    assert made.json() == made.headers["x-request-id"] == done["request"]
    assert "mei" not in str(logged)
