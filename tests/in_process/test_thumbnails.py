"""The small picture of each image: there before it is told of, made when it is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import ImageCorrupt, ImageOnlineOnly, NotFound
from agent.domain.jobs import Priority
from agent.features.library.previews import Previews
from agent.features.library.thumbnail_store import ThumbnailFile
from agent.features.library.thumbnails import AT_ONCE, SIDE, Thumbnails

if TYPE_CHECKING:
    from tests.support.in_process_agent import World


class Shelf(ThumbnailFile):
    """Keeps them in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, sha256: str) -> bytes | None:
        return self.kept.get(sha256)

    def put(self, sha256: str, jpeg: bytes) -> None:
        self.kept[sha256] = jpeg

    def keep_only(self, hashes: Set[str]) -> None:
        self.kept = {sha256: jpeg for sha256, jpeg in self.kept.items() if sha256 in hashes}

    def close(self) -> None: ...


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def index(world: World, *names: str) -> None:
    async with world.running():
        for number, name in enumerate(names, 1):
            await world.app.ingest.note(world.file(name), Priority.NEW)
            await world.until(lambda number=number: world.real.counts().images == number)  # type: ignore[misc]


def thumbnails(world: World, shelf: Shelf | None) -> Thumbnails:
    return Thumbnails(world.app.library, world.app.previews, shelf)


async def test_a_missing_one_is_made_once_and_kept(world: World) -> None:
    await index(world, "a")
    shelf = Shelf()
    made = thumbnails(world, shelf)
    first = await made.get(1, wanted=yes)
    assert [side for _, side in world.analyser.previews] == [SIDE]
    world.analyser.always = ImageCorrupt()
    assert await made.get(1, wanted=no) == first == next(iter(shelf.kept.values()))


async def test_each_analysis_asks_for_one(world: World) -> None:
    await index(world, "a")
    assert [task.thumbnail for task in world.analyser.tasks] == [SIDE]


async def test_one_that_nobody_waits_for_any_more_is_not_made(world: World) -> None:
    await index(world, "a")
    with pytest.raises(NotFound):
        await thumbnails(world, Shelf()).get(1, wanted=no)
    assert world.analyser.previews == []


async def test_only_few_are_made_at_once(world: World) -> None:
    await index(world, "a", "b", "c", "d", "e")
    world.analyser.gate.clear()
    made = thumbnails(world, Shelf())
    waiting = [asyncio.create_task(made.get(number, wanted=yes)) for number in range(1, 6)]
    await world.until(lambda: len(world.analyser.previews) == AT_ONCE)
    await asyncio.sleep(0.02)
    assert len(world.analyser.previews) == AT_ONCE
    world.analyser.gate.set()
    assert len(await asyncio.gather(*waiting)) == 5


async def test_those_of_images_that_are_gone_are_deleted(world: World) -> None:
    await index(world, "a")
    shelf = Shelf()
    made = thumbnails(world, shelf)
    await made.get(1, wanted=yes)
    shelf.put("f" * 64, b"of another")
    made.clean()
    assert list(shelf.kept) == list(world.real.hashes())


async def test_without_a_store_they_are_made_each_time(world: World) -> None:
    await index(world, "a")
    made = thumbnails(world, None)
    assert await made.get(1, wanted=yes)
    made.clean()
    made.close()
    with pytest.raises(NotFound):
        await made.get(99, wanted=yes)


async def test_the_thumbnail_is_there_when_the_image_is_told_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []

    async def keep(analysis: object) -> None:
        kept.append(len(world.happened))

    monkeypatch.setattr(world.app.thumbnails, "keep", keep)
    async with world.running():
        await world.app.ingest.note(world.file("a"), Priority.NEW)
        await world.until(lambda: len(world.happened) == 1)
    assert kept == [0]


async def test_no_file_is_fetched_from_a_cloud_for_its_thumbnail(world: World) -> None:
    await index(world, "a")
    online = str(world.folder / "a")
    previews = Previews(world.app.library, world.analyser, lambda path: path == online)
    made = Thumbnails(world.app.library, previews, Shelf())
    with pytest.raises(ImageOnlineOnly):
        await made.get(1, wanted=yes)
    assert world.analyser.previews == []
    await world.app.ingest.note(world.file("b", b"a"), Priority.NEW)
    assert await made.get(1, wanted=yes)
    assert [path for path, _ in world.analyser.previews] == [str(world.folder / "b")]
    assert await previews.get(1, 960), "asked for, it is fetched"
    assert world.analyser.previews[-1] == (online, 960)
