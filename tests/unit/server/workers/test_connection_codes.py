"""A lost database is counted by its error code, whichever part of a server's process lost it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
import structlog
from procrastinate.exceptions import ConnectorException

from agent.domain.errors import StoreBusy, StoreDiskFull, StoreUnreachable
from agent.infrastructure.core.bus import Bus
from agent.infrastructure.store.dialects.postgresql import connection_error
from agent.server.workers.event_relay import EventRelay
from agent.server.workers.leader_election import Election
from agent.server.workers.worker import Worker, WorkerName

LIMIT_S = 30.0


@pytest.fixture
def address() -> str:
    """Where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"postgresql://nobody@127.0.0.1:{closed.getsockname()[1]}/nothing"


async def first(event: str, run: Callable[[], Awaitable[Any]]) -> Any:
    """Return the first entry of that name that `run` logs, then cancel it."""
    found = asyncio.Event()
    entries = []

    def note(_: object, method: str, entry: Any) -> Any:
        if entry["event"] == event:
            entries.append({**entry, "log_level": method})
            found.set()
        raise structlog.DropEvent

    before = structlog.get_config()["processors"]
    former = list(before)
    before[:] = [note]  # in place, as `capture_logs` does: loggers in use have the list
    task = asyncio.ensure_future(run())
    try:
        await asyncio.wait_for(found.wait(), LIMIT_S)
    finally:
        task.cancel()
        _, running = await asyncio.wait({task}, timeout=LIMIT_S)
        before[:] = former
    assert not running
    return entries[0]


async def test_a_process_that_cannot_stand_for_leader_says_the_code(address: str) -> None:
    entry = await first("leader.unknown", Election(address).run)
    assert (entry["log_level"], entry["code"]) == ("warning", StoreUnreachable.code)


async def test_a_process_that_hears_no_events_says_the_code(address: str) -> None:
    events = Mock(last_event_id=lambda: 0, application=lambda: "")
    entry = await first("events.not_heard", EventRelay(address, events, Bus()).run)
    assert (entry["log_level"], entry["code"]) == ("warning", StoreUnreachable.code)


async def test_the_code_of_events_that_cannot_be_read_is_the_librarys(address: str) -> None:
    events = Mock(last_event_id=Mock(side_effect=StoreDiskFull))
    entry = await first("events.not_heard", EventRelay(address, events, Bus()).run)
    assert entry["code"] == StoreDiskFull.code


async def test_a_worker_that_cannot_fetch_says_the_code(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.server.workers.worker.CONNECTION_S", 0.2)  # how long the pool tries before it gives up
    indexer = Mock(run=asyncio.Event().wait, told=None, stuck=None)
    environment = Mock(bus=Bus(), monotonic=lambda: 0.0)
    worker = Worker(address, WorkerName("uid", "name", "host"), Mock(), indexer, Mock(beat=lambda *_: False), environment)
    entry = await first("worker.not_connected", lambda: worker.run(asyncio.Event(), drain_s=LIMIT_S))
    assert (entry["log_level"], entry["code"]) == ("warning", StoreUnreachable.code)


async def test_a_worker_that_is_cancelled_ends_though_it_was_not_asked_to_stop(address: str) -> None:
    indexer = Mock(run=asyncio.Event().wait, told=None, stuck=None)
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    workers = Mock(beat=lambda *_: loop.call_soon_threadsafe(begun.set) is None)
    worker = Worker(address, WorkerName("uid", "name", "host"), Mock(), indexer, workers, Mock(bus=Bus(), monotonic=lambda: 0.0))
    task = asyncio.ensure_future(worker.run(asyncio.Event(), drain_s=LIMIT_S))
    await begun.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=LIMIT_S)
    assert task.cancelled()


def test_an_error_that_the_queue_wraps_has_its_causes_code() -> None:
    wrapped = ConnectorException()
    wrapped.__cause__ = psycopg.errors.TooManyConnections()
    assert isinstance(connection_error(wrapped), StoreBusy)
