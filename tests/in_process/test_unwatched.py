"""Photos of a folder that is watched no more: they leave, nothing is made of them meanwhile, and they come back as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.domain.events import RecognitionPurged
from agent.domain.jobs import Priority
from agent.features.library.recipes import EMBEDDER
from agent.features.library.records import Shown
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.sources.source import FileAppeared
from tests.support.in_process_agent import NOW
from tests.support.stored_embeddings import image_embeddings

if TYPE_CHECKING:
    from tests.support.in_process_agent import World


def settings(*folders: dict[str, object], recognition: bool = True) -> Settings:
    return Settings.model_validate({"recognition": {"enabled": recognition}, "folders": folders})


def watched(world: World, **switches: object) -> dict[str, object]:
    return {"path": str(world.folder), **switches}


async def indexed(world: World, name: str) -> None:
    before = world.real.counts().images
    await world.app.ingest.apply(FileAppeared(world.file(name)))
    await world.until(lambda: world.real.counts().images == before + 1)


async def test_they_leave_with_their_folder_and_are_back_with_it_without_new_work(world: World) -> None:
    world.make(settings(watched(world)))
    async with world.running():
        await indexed(world, "a")
        await world.app.apply(settings())
        assert (await world.app.status.now()).images == 0
        assert world.real.index(Shown()).ids == ()
        await world.app.apply(settings(watched(world)))
        await world.app.ingest.apply(FileAppeared(world.file("a"), Priority.BACKLOG))
        assert (await world.app.status.now()).images == 1
    assert len(world.analyser.tasks) == 1
    assert len(image_embeddings(world.real, 1, EMBEDDER)) == 1


async def test_no_print_is_made_of_them_though_their_folder_s_own_no_went_with_it(world: World) -> None:
    world.make(settings(watched(world, recognition=False)))
    async with world.running():
        await indexed(world, "a")
        await world.app.apply(settings())
        await world.app.apply(settings(recognition=False))
        await world.app.apply(settings())
        assert (await world.app.status.now()).queued == 0
    assert [task.recipe.embedder for task in world.analyser.tasks] == [None]
    assert image_embeddings(world.real, 1, EMBEDDER) == []


async def test_what_waits_of_such_a_folder_is_not_looked_at(world: World) -> None:
    world.make(settings(watched(world)))
    async with world.running():
        world.app.indexer.pause()
        await world.app.ingest.apply(FileAppeared(world.file("a")))
        await world.app.apply(settings())
        world.app.indexer.resume()
        assert (await world.app.status.now()).queued == 0
    assert world.analyser.tasks == []


async def test_a_folder_taken_out_while_the_agent_was_not_running_is_left_at_the_next_start(world: World) -> None:
    world.make(settings(watched(world)))
    async with world.running():
        await indexed(world, "a")
    world.make(settings())
    async with world.running():
        await world.until(lambda: world.real.counts().images == 0)


async def test_its_source_ends_before_anything_else_follows(world: World) -> None:
    order: list[tuple[str, int]] = []

    async def reconfigure(new: Settings) -> None:
        order.append(("source", len(new.folders)))

    world.make(settings(watched(world), recognition=False))
    world.app._reconfigure = {"folders": reconfigure}
    world.library.called = lambda name: order.append((name, len(world.app.settings.folders))) if name == "folders_left" else None
    async with world.running():
        await world.until(lambda: bool(order))
        order.clear()
        await world.app.apply(settings({"path": str(world.folder.parent / "new")}, recognition=False))
    assert order == [("source", 0), ("folders_left", 1), ("source", 1)]


async def test_files_shown_again_after_they_were_missing_are_news(world: World) -> None:
    world.make(settings(watched(world), recognition=False))
    async with world.running():
        await indexed(world, "a")
        world.real.files_gone([str(world.folder)], now=NOW)
        world.app.status._stale.clear()
        await world.app.ingest.apply(FileAppeared(world.file("a"), Priority.BACKLOG))
        assert world.app.status._stale.is_set()


@pytest.mark.parametrize("off", ["everywhere", "in one folder"])
async def test_switching_recognition_off_says_so_also_when_nothing_was_stored(world: World, off: str) -> None:
    world.make(settings(watched(world)))
    async with world.running():
        await world.app.apply(
            settings(watched(world), recognition=False) if off == "everywhere" else settings(watched(world, recognition=False))
        )
        await world.until(lambda: bool(world.happened))
    assert [recorded.event for recorded in world.happened] == [RecognitionPurged(embeddings=0, chips=0)]
    assert world.replaced == [], "no backup holds anything of it"


async def test_what_changes_otherwise_tells_of_no_deletion(world: World) -> None:
    world.make(settings(watched(world, recognition=False), recognition=True))
    async with world.running():
        await world.app.apply(settings(recognition=True))
        await world.app.apply(settings(watched(world, recognition=False), recognition=True))
        await world.app.apply(settings(watched(world), recognition=True))
    assert world.happened == []
