"""A request that a lost database broke off is done again once it is back, unless it may have changed something."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message

from agent.domain.errors import StoreBusy, StoreUnreachable
from agent.infrastructure.core.commit_tracking import mark_commit_started
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.database_retry import LARGEST_BODY, UPLOAD_PART, DatabaseRecovery, RetryMiddleware
from agent.interfaces.web.error_responses import problem_answers
from agent.interfaces.web.request_counts import CountedRequests, RequestCounts

AGES_S = 30.0


class Primary:
    """It is back after it was asked for `silent` times."""

    def __init__(self) -> None:
        self.silent = 0
        self.asked = 0

    def ask(self) -> None:
        self.asked += 1
        if self.asked <= self.silent:
            raise StoreUnreachable

    @property
    def is_back(self) -> bool:
        return self.asked > self.silent


@pytest.fixture
def primary() -> Primary:
    return Primary()


Runs = list[str]


@pytest.fixture
def runs() -> Runs:
    return []


@pytest.fixture
def api(primary: Primary, runs: Runs) -> FastAPI:
    api = FastAPI()
    problem_answers(api, lambda: Texts("en"))

    def database() -> None:
        if not primary.is_back:
            raise StoreUnreachable

    @api.get("/list")
    async def listed() -> str:
        runs.append("list")
        await asyncio.to_thread(database)
        return "photos"

    @api.get("/busy")
    async def busy() -> str:
        runs.append("busy")
        raise StoreBusy

    @api.post("/name")
    async def name(request: Request) -> str:
        runs.append((await request.body()).decode())
        await asyncio.to_thread(database)
        await asyncio.to_thread(mark_commit_started)
        return "named"

    @api.post("/name-two")
    async def name_two() -> str:
        runs.append("two")
        await asyncio.to_thread(mark_commit_started)
        raise StoreUnreachable

    return api


@pytest.fixture
def counts() -> RequestCounts:
    return RequestCounts()


def client(api: FastAPI, primary: Primary, counts: RequestCounts, wait_s: float = AGES_S) -> httpx.AsyncClient:
    app = CountedRequests(RetryMiddleware(api, DatabaseRecovery(primary.ask), wait_s), counts)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server")


async def test_what_reads_is_answered_late_instead_of_refused(api: FastAPI, primary: Primary, counts: RequestCounts, runs: Runs) -> None:
    primary.silent = 2
    async with client(api, primary, counts) as asking:
        answers = await asyncio.gather(*(asking.get("/list") for _ in range(5)))
    assert [(each.status_code, each.json()) for each in answers] == [(200, "photos")] * 5
    assert runs == ["list"] * 10
    assert primary.asked == 3, "all who wait share one question"
    assert counts.codes.total() == 0 and counts.requests["GET", "/list", 200] + counts.requests["GET", "none", 200] == 5


async def test_a_change_is_made_once_with_what_was_sent(api: FastAPI, primary: Primary, counts: RequestCounts, runs: Runs) -> None:
    primary.silent = 1
    async with client(api, primary, counts) as asking:
        answer = await asking.post("/name", content=b"Mei")
    assert answer.json() == "named" and runs == ["Mei", "Mei"]


async def test_a_change_that_may_have_been_made_is_not_made_again(
    api: FastAPI, primary: Primary, counts: RequestCounts, runs: Runs
) -> None:
    async with client(api, primary, counts) as asking:
        answer = await asking.post("/name-two")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "store.unreachable", "2")
    assert runs == ["two"] and primary.asked == 0


async def test_a_large_body_is_not_kept(api: FastAPI, primary: Primary, counts: RequestCounts, runs: Runs) -> None:
    primary.silent = 1
    async with client(api, primary, counts) as asking:
        answer = await asking.post("/name", content=b"x" * (LARGEST_BODY + 1))
    assert answer.status_code == 503 and len(runs) == 1


async def test_a_part_of_an_upload_is_not_sent_again(api: FastAPI, primary: Primary, counts: RequestCounts, runs: Runs) -> None:
    primary.silent = 1
    async with client(api, primary, counts) as asking:
        answer = await asking.post("/name", content=b"part", headers={"content-type": UPLOAD_PART.decode()})
    assert answer.status_code == 503 and runs == ["part"]


async def test_waiting_ends(api: FastAPI, primary: Primary, counts: RequestCounts, runs: Runs) -> None:
    primary.silent = 1_000_000
    async with client(api, primary, counts, wait_s=0.3) as asking:
        answer = await asking.get("/list")
    assert (answer.status_code, answer.json()["code"]) == (503, "store.unreachable")
    assert counts.codes == {("store.unreachable", 503): 1}


async def test_other_refusals_are_answered_at_once(api: FastAPI, primary: Primary, counts: RequestCounts, runs: Runs) -> None:
    async with client(api, primary, counts) as asking:
        assert (await asking.get("/busy")).json()["code"] == "store.busy"
    assert runs == ["busy"] and primary.asked == 0


async def test_a_visitor_who_leaves_is_not_waited_for(api: FastAPI, primary: Primary, counts: RequestCounts) -> None:
    primary.silent = 1_000_000
    app = CountedRequests(RetryMiddleware(api, DatabaseRecovery(primary.ask), AGES_S), counts)
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]
    scope = {"type": "http", "method": "GET", "path": "/list", "raw_path": b"/list", "query_string": b"", "headers": []}
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await asyncio.wait_for(app(scope, receive, send), AGES_S / 2)
    assert len(sent) == 2
