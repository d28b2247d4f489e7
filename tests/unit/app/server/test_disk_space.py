"""A server on a full disk waits for room, and says so."""

import asyncio
from unittest.mock import MagicMock

import pytest

from agent.app.server import disk_space
from agent.app.server.disk_space import DiskSpaceGate
from agent.domain.errors import DatabaseFailed, StoreDiskFull
from agent.server.alerts.disk_full_alert import DirectAlert


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_space, "ROOM_S", 0.01)


async def test_work_is_done_once_there_is_room_and_the_wait_is_told() -> None:
    work = MagicMock(side_effect=[StoreDiskFull(), StoreDiskFull(), "done"])
    unstored, waits = MagicMock(spec=DirectAlert), MagicMock()
    assert await DiskSpaceGate(unstored, waits, asyncio.Event()).for_work(work) == "done"
    assert (waits.call_count, unstored.tell.call_count) == (1, 2)


async def test_a_server_that_is_told_to_end_waits_no_longer() -> None:
    stop = asyncio.Event()
    work = MagicMock(side_effect=StoreDiskFull)
    with pytest.raises(StoreDiskFull):
        await DiskSpaceGate(MagicMock(spec=DirectAlert), lambda _: stop.set(), stop).for_work(work)
    assert work.call_count == 1


async def test_nothing_else_is_waited_for() -> None:
    unstored = MagicMock(spec=DirectAlert)
    with pytest.raises(DatabaseFailed):
        await DiskSpaceGate(unstored, lambda _: None, asyncio.Event()).for_work(MagicMock(side_effect=DatabaseFailed))
    assert not unstored.tell.called
