"""A photo's own file by the API, as a drag takes it out of the window."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

import pytest

from agent.features.library import actions
from tests.unit.interfaces.web.conftest import PORT

if TYPE_CHECKING:
    import httpx
    from starlette.types import Message

    from tests.unit.interfaces.web.conftest import Served

PIPES = pytest.mark.skipif(os.name != "posix", reason="a pipe is no file there")


def index(served: Served, *names: str) -> None:
    """Files of one content are one image, of id 1."""
    served.world.put(*names, content=b"the very bytes")


async def test_the_file_comes_byte_by_byte_under_its_own_name(served: Served, owner: httpx.AsyncClient) -> None:
    index(served, "假期 №1.jpg")
    answer = await owner.get("/api/images/1/original")
    assert (answer.status_code, answer.content) == (200, b"the very bytes")
    assert (answer.headers["content-type"], answer.headers["content-length"]) == ("image/jpeg", "14")
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''%E5%81%87%E6%9C%9F%20%E2%84%961.jpg"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_file_on_a_drive_that_does_not_answer_can_not_be_read_and_holds_up_nothing_else(
    served: Served, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(served, "far.jpg")
    answers = threading.Event()
    monkeypatch.setattr(actions, "_first_readable", lambda *_: answers.wait(60))
    monkeypatch.setattr(actions, "_first_there", lambda *_: answers.wait(60))
    monkeypatch.setattr(actions, "ANSWER_S", 0.01)
    try:
        for _ in range(5):
            for answer in (await owner.get("/api/images/1/original"), await owner.post("/api/images/1/show")):
                assert (answer.status_code, answer.json()["code"]) == (422, "image.unreadable")
        async with asyncio.timeout(30):
            assert (await owner.get("/api/images/1")).status_code == 200
    finally:
        answers.set()


async def test_a_large_file_is_never_held_whole(served: Served, owner: httpx.AsyncClient) -> None:
    index(served, "large.jpg")
    os.truncate(served.world.folder / "large.jpg", 5 * 1024 * 1024)
    pieces: list[int] = []

    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        return next(asked, None) or await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        pieces.append(len(message.get("body", b"")))

    path = "/api/images/1/original"
    headers = [(b"host", f"127.0.0.1:{PORT}".encode()), (b"authorization", owner.headers["authorization"].encode())]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    await served.api(scope, receive, send)
    assert sum(pieces) == 5 * 1024 * 1024 and max(pieces) <= 1024 * 1024


@pytest.mark.skipif(os.name != "posix", reason="every name is text there")
async def test_a_name_that_is_no_text_is_sent_as_far_as_it_is(served: Served, owner: httpx.AsyncClient) -> None:
    index(served, os.fsdecode(b"caf\xe9.jpg"))
    answer = await owner.get("/api/images/1/original")
    assert (answer.status_code, answer.content) == (200, b"the very bytes")


async def test_who_has_no_right_gets_no_file(served: Served, stranger: httpx.AsyncClient) -> None:
    index(served, "a.jpg")
    assert (await stranger.get("/api/images/1/original")).status_code == 401


async def test_another_copy_stands_in_for_one_that_is_gone_or_lies_in_a_cloud(served: Served, owner: httpx.AsyncClient) -> None:
    index(served, "a.jpg", "b.jpg", "c.jpg")
    world = served.world
    (world.folder / "a.jpg").unlink()
    world.in_the_cloud.add(str(world.folder / "b.jpg"))
    answer = await owner.get("/api/images/1/original")
    assert answer.headers["content-disposition"] == 'attachment; filename="c.jpg"'


async def test_a_file_of_the_cloud_is_not_fetched(served: Served, owner: httpx.AsyncClient) -> None:
    index(served, "a.jpg")
    served.world.in_the_cloud.add(str(served.world.folder / "a.jpg"))
    answer = await owner.get("/api/images/1/original")
    assert (answer.status_code, answer.json()["code"]) == (422, "image.online_only")


@pytest.mark.parametrize(
    ("instead", "code"),
    [("nothing", "image.missing"), ("a folder", "image.unreadable"), pytest.param("a pipe", "image.unreadable", marks=PIPES)],
)
async def test_what_is_no_file_any_more_is_said(served: Served, owner: httpx.AsyncClient, instead: str, code: str) -> None:
    index(served, "a.jpg")
    path = served.world.folder / "a.jpg"
    path.unlink()
    if instead == "a folder":
        path.mkdir()
    elif instead == "a pipe":
        os.mkfifo(path)
    assert (await owner.get("/api/images/1/original")).json()["code"] == code
    assert (await owner.get("/api/images/9/original")).status_code == 404
