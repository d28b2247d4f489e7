"""What goes on for a while: events without gaps or doubles, and a line per scanned file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.app import streams
from agent.app.member_view import MemberView
from agent.app.streams import EventOut
from agent.domain.errors import ImageCorrupt, ModelUnreachable
from agent.domain.jobs import Priority
from agent.features.library.scan_schemas import ScanRequest
from agent.infrastructure.core.settings import Folder
from agent.interfaces.web.access import LOCAL, Principal
from agent.interfaces.web.schemas import Status as StatusOut
from tests.unit.interfaces.web.conftest import VERSION, owner, served, shared_api

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    import httpx
    from fastapi.sse import ServerSentEvent

    from agent.app.app import App
    from agent.infrastructure.core.i18n import Texts
    from tests.support.in_process_agent import World
    from tests.unit.interfaces.web.conftest import Served

__all__ = ["owner", "served", "shared_api"]  # fixtures


async def happen(world: World, *names: str) -> None:
    """Index a file each: one event each."""
    for name in names:
        images = world.real.counts().images
        await world.app.ingest.note(world.file(name), Priority.NEW)
        await world.until(lambda: world.real.counts().images > images and world.app.indexer.running == 0)  # noqa: B023


def followed(served: Served) -> tuple[App, Callable[[], Texts], str]:
    return served.world.app, served.context.texts, VERSION


def kinds(event: ServerSentEvent) -> str:
    assert event.event is not None
    return event.event if event.event == "status" else str(event.id)


async def test_the_status_comes_first_then_what_happens(served: Served) -> None:
    stream = streams.event_stream(*followed(served), None)
    async with served.world.running():
        first = await anext(stream)
        assert first.event == "status" and isinstance(first.data, StatusOut) and first.id is None
        await happen(served.world, "a")
        seen = [await anext(stream) for _ in range(2)]
        while not any(event.event == "happened" for event in seen):
            seen.append(await anext(stream))
    (event,) = [event for event in seen if event.event == "happened"]
    assert isinstance(event.data, EventOut) and (event.id, event.data.kind, event.data.faces) == ("1", "image_indexed", 1)
    await stream.aclose()


async def test_a_reader_that_comes_back_gets_what_it_missed_once_and_in_order(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MISSED_PAGE", 2)
    async with served.world.running():
        await happen(served.world, *"abcdefg")
        stream = streams.event_stream(*followed(served), 2)
        got = [kinds(await anext(stream)) for _ in range(6)]
        assert got == ["status", "3", "4", "5", "6", "7"]
        await happen(served.world, "h")
        while (last := kinds(await anext(stream))) == "status":
            pass
        assert last == "8"
        await stream.aclose()


async def test_what_happens_while_the_missed_is_read_comes_once(served: Served) -> None:
    async with served.world.running():
        await happen(served.world, "a", "b")
        stream = streams.event_stream(*followed(served), 0)
        assert [kinds(await anext(stream)) for _ in range(2)] == ["status", "1"]
        await happen(served.world, "c")
        got: list[str] = []
        while "3" not in got:
            got.append(kinds(await anext(stream)))
        assert [kind for kind in got if kind != "status"] == ["2", "3"]
        await stream.aclose()


async def test_a_reader_that_knows_a_later_time_than_a_restored_library_still_hears_what_happens(served: Served) -> None:
    async with served.world.running():
        stream = streams.event_stream(*followed(served), 900)
        assert kinds(await anext(stream)) == "status"
        await happen(served.world, "a")
        while (kind := kinds(await anext(stream))) == "status":
            pass
        assert kind == "1"
        await stream.aclose()


async def test_a_reader_that_falls_behind_is_cut_off_and_holds_nothing_any_more(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_WAITING", 2)
    async with served.world.running():
        stream = streams.event_stream(*followed(served), None)
        await anext(stream)
        await happen(served.world, *"abcd")
        rest = [event async for event in stream]
    assert len(rest) <= 2
    assert served.context.app.bus._listeners == [] and served.context.app.status._listeners == []


async def test_folders_are_called_as_everywhere_else(served: Served, tmp_path: Path) -> None:
    app, folder = served.context.app, Folder(path=str(tmp_path / "library-2"))
    async with served.world.running():
        now = await app.status.now()
    now = replace(now, settings=now.settings.model_copy(update={"folders": (folder,)}))
    seen = MemberView(app, LOCAL, {folder.root: "Uploads to School"}.get)
    status = await seen.status(now, streams.status_of(now, served.context.texts(), VERSION))
    assert [(each.path, each.name) for each in status.folders] == [(folder.path, "Uploads to School")]


async def test_events_come_as_server_sent_events(served: Served, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_WAITING", 1)
    async with served.world.running():
        await happen(served.world, "a")

        async def ended(*followed: object) -> AsyncGenerator[ServerSentEvent, None]:
            *_, last_seen, who, _ = followed
            assert last_seen == 5 and isinstance(who, Principal)
            app = served.world.app
            yield await streams._status(MemberView(app, who), await app.status.now(), served.context.texts(), VERSION)
            yield streams._happened(served.world.real.events(after=0, limit=1)[0], who)

        monkeypatch.setattr(streams, "event_stream", ended)
        answer = await owner.get("/api/events", headers={"last-event-id": "5"})
    assert answer.headers["content-type"].startswith("text/event-stream") and answer.headers["cache-control"].startswith("no-")
    first, second = answer.text.strip().split("\n\n")
    assert first.startswith("event: status\n") and "id: 1" in second.splitlines()
    data = next(line for line in second.splitlines() if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["kind"] == "image_indexed"


async def test_a_scan_says_the_total_then_a_line_per_file(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    bad, good = world.file("bad.jpg"), world.file("good.jpg")
    world.analyser.errors[bad.path] = [ImageCorrupt()]
    async with world.running():
        answer = await owner.post("/api/scans", json={"paths": [str(world.folder)]})
    assert answer.headers["content-type"] == "application/x-ndjson"
    total, *lines = [json.loads(line) for line in answer.text.splitlines()]
    assert total == {"total": 2, "image": None, "stopped": None}
    images = {line["image"]["path"]: line["image"] for line in lines}
    assert images[good.path]["error"] is None and images[good.path]["faces"][0]["landmarks"] == [
        [10, 10],
        [30, 10],
        [20, 20],
        [12, 30],
        [28, 30],
    ]
    assert images[good.path]["ms"] == {"decode": 1, "detect": 2, "align": 3, "embed": 4}
    assert images[bad.path]["error"]["code"] == "image.corrupt" and images[bad.path]["faces"] == []


async def test_a_scan_that_is_stopped_says_why_in_its_last_line(served: Served) -> None:
    world = served.world
    world.supply_error = ModelUnreachable(model="centerface", sources=2)
    request = ScanRequest(paths=(world.file("a.jpg").path,))
    lines = [line async for line in streams.scan(world.app, request, served.context.texts())]
    assert lines[0].total == 1 and lines[1].stopped is not None and lines[1].stopped.code == "model.unreachable"


async def test_prints_are_numbers_and_come_only_when_asked_for(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    paths = [world.file("a.jpg", b"m").path]
    async with world.running():
        plain = await owner.post("/api/scans", json={"paths": paths})
        full = await owner.post("/api/scans", json={"paths": paths, "embeddings": True})
    faces = [json.loads(answer.text.splitlines()[-1])["image"]["faces"][0]["embedding"] for answer in (plain, full)]
    assert faces == [None, [float(ord("m"))]]
