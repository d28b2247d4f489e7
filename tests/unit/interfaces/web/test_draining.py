"""The end of a server: running requests finish, new ones are refused."""

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from agent.domain.errors import AgentError, ServerEnding, StoreUnreachable
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.draining import Draining
from tests.support.security_headers import keeps_browsers_strict


class Slow:
    """Answers once it may."""

    def __init__(self) -> None:
        self.began, self.may = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.began.set()
        await self.may.wait()
        await PlainTextResponse("done")(scope, receive, send)


def client(draining: Draining) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(draining), base_url="https://photos.example")


async def test_a_running_request_finishes_and_a_new_one_is_refused() -> None:
    slow = Slow()
    draining = Draining(slow, lambda: Texts("en"))
    async with client(draining) as visitor, asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(visitor.get("/api/images"))
        await slow.began.wait()
        drained = tasks.create_task(draining.drain(50))
        await asyncio.sleep(0)
        late = await visitor.get("/api/images")
        assert (late.status_code, late.json()["code"], late.headers["retry-after"]) == (503, "server.ending", "5")
        keeps_browsers_strict(late)
        assert not drained.done()
        slow.may.set()
        assert (await running).text == "done" and await drained


async def test_what_takes_longer_than_the_limit_is_cut_off() -> None:
    slow = Slow()
    draining = Draining(slow, lambda: Texts("en"))
    async with client(draining) as visitor, asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(visitor.get("/api/images"))
        await slow.began.wait()
        assert not await draining.drain(0.01)
        slow.may.set()


@pytest.mark.parametrize("reason", [None, StoreUnreachable()])
async def test_a_request_that_is_cut_off_is_told_why(reason: AgentError | None) -> None:
    slow, sent = Slow(), list[Message]()
    draining = Draining(slow, lambda: Texts("en"))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/people/edits", "headers": []}
    running = asyncio.create_task(draining(scope, receive, send))
    await slow.began.wait()
    if reason is not None:
        draining.abort_running(reason)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sent[0]["status"] == 503 and (reason or ServerEnding()).code.encode() in sent[1]["body"]


async def test_nobody_waits_for_streams_that_never_end() -> None:
    slow = Slow()
    draining = Draining(slow, lambda: Texts("en"))
    async with client(draining) as visitor, asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(visitor.get("/api/events"))
        await slow.began.wait()
        assert await draining.drain(50)
        slow.may.set()


async def test_before_it_ends_each_answer_closes_its_connection() -> None:
    draining = Draining(PlainTextResponse("done"), lambda: Texts("en"))
    async with client(draining) as visitor:
        assert "connection" not in (await visitor.get("/api/images")).headers
        draining.close_after_response()
        answer = await visitor.get("/api/images")
        assert (answer.text, answer.headers["connection"]) == ("done", "close")
