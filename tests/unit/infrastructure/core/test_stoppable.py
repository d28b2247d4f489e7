"""Work in a thread ends when its result is not wanted any more."""

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.domain.errors import SourceNoAnswer
from agent.infrastructure.core.abandonable_calls import Stopped, cancellable, cancellable_sync, raise_if_cancelled
from agent.infrastructure.sources.folder import folder_scan
from agent.infrastructure.sources.folder.folder_scan import walk_images


async def test_the_result_and_what_is_raised_come_back() -> None:
    assert await cancellable(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await cancellable(lambda: 1 // 0)
    raise_if_cancelled()  # here nothing is ever unwanted


@pytest.mark.parametrize("images", [True, False])
async def test_a_walk_through_folders_ends_when_its_task_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: bool
) -> None:
    for number in range(3):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / ("a.jpg" if images else "a.txt")).touch()
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    listed, seen = folder_scan.Walk._listed, list[str]()

    def held(walk: folder_scan.Walk, folder: str) -> object:
        seen.append(folder)
        if len(seen) == 2:
            begun.set()
            go_on.wait(20)
        return listed(walk, folder)

    def walk() -> None:
        try:
            list(walk_images([str(tmp_path)]))
        except Stopped:
            ended.set()
            raise

    monkeypatch.setattr(folder_scan.Walk, "_listed", held)
    task = asyncio.create_task(cancellable(walk))
    await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert await asyncio.to_thread(ended.wait, 20)
    assert len(seen) == 2


async def test_work_that_says_nothing_for_too_long_is_given_up_and_work_that_goes_on_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now, hangs, ended = [0.0], threading.Event(), threading.Event()
    monkeypatch.setattr("agent.infrastructure.core.abandonable_calls.time", SimpleNamespace(monotonic=lambda: now[0]))

    def goes_on() -> int:
        for _ in range(5):
            now[0] += 29
            raise_if_cancelled()
        return 5

    def falls_silent() -> None:
        raise_if_cancelled()
        now[0] += 31
        hangs.wait(60)
        try:
            raise_if_cancelled()
        except Stopped:
            ended.set()

    assert cancellable_sync(goes_on) == await cancellable(goes_on) == 5
    monkeypatch.setattr("agent.infrastructure.core.abandonable_calls.COMMAND_ANSWER_S", 0.01)
    with pytest.raises(SourceNoAnswer):
        cancellable_sync(falls_silent)
    hangs.set()
    assert await asyncio.to_thread(ended.wait, 20), "it ends when it is heard of again"
    hangs.clear()
    with pytest.raises(SourceNoAnswer):
        await cancellable(falls_silent)
    hangs.set()
