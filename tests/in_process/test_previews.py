"""Pictures are rendered once, kept within bounds, and never of an image that is not there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import EngineCrashed, NotFound
from agent.domain.jobs import Priority
from agent.features.library import previews
from agent.features.library.previews import Previews

if TYPE_CHECKING:
    from agent.features.redaction.queries.redaction_queries import RedactionQueries
    from tests.support.in_process_agent import World


async def indexed(world: World, count: int) -> list[int]:
    async with world.running():
        for number in range(count):
            await world.app.ingest.note(world.file(f"photo {number}"), Priority.NEW)
        await world.until(lambda: world.real.counts().images == count)
    return sorted(image.id for image in world.real.images(limit=count))


def of(world: World) -> Previews:
    library: RedactionQueries = world.real
    return Previews(library, world.analyser)


async def test_one_rendering_serves_all_who_ask_meanwhile_and_afterwards(world: World) -> None:
    (image,) = await indexed(world, 1)
    pictures = of(world)
    world.analyser.gate.clear()
    asking = [asyncio.create_task(pictures.get(image, side)) for side in (300, 400, 480)]
    await world.until(lambda: bool(world.analyser.previews))
    asking[0].cancel()
    await asyncio.wait(asking[:1])
    world.analyser.gate.set()
    assert await asyncio.gather(*asking[1:]) == [bytes(10)] * 2
    assert await pictures.get(image, 480) == bytes(10)
    assert [side for _, side in world.analyser.previews] == [480]


async def test_a_picture_nobody_waited_for_is_kept_all_the_same(world: World) -> None:
    (image,) = await indexed(world, 1)
    pictures = of(world)
    world.analyser.gate.clear()
    asking = asyncio.create_task(pictures.get(image, 240))
    await world.until(lambda: bool(world.analyser.previews))
    asking.cancel()
    await asyncio.wait([asking])
    world.analyser.gate.set()
    await pictures.get(image, 240)
    assert len(world.analyser.previews) == 1


async def test_what_is_kept_is_bounded_and_the_least_used_goes_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = await indexed(world, 3)
    monkeypatch.setattr(previews, "MOST_BYTES", 25)
    pictures = of(world)
    for image in (first, second, first, third, first, second):
        await pictures.get(image, 240)
    assert len(world.analyser.previews) == 4  # the second fell out when the third came


async def test_a_picture_larger_than_all_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (image,) = await indexed(world, 1)
    monkeypatch.setattr(previews, "MOST_BYTES", 5)
    pictures = of(world)
    for _ in range(2):
        assert await pictures.get(image, 5000) == bytes(10)
    assert [side for _, side in world.analyser.previews] == [2048, 2048]


async def test_pictures_nobody_asked_for_again_can_be_forgotten(world: World) -> None:
    (image,) = await indexed(world, 1)
    pictures = of(world)
    await pictures.get(image, 240)
    pictures.forget()
    assert await pictures.get(image, 240) == bytes(10)
    assert len(world.analyser.previews) == 2


async def test_what_is_not_there_is_not_found_and_a_failure_is_not_kept(world: World) -> None:
    (image,) = await indexed(world, 1)
    pictures = of(world)
    with pytest.raises(NotFound):
        await pictures.get(image + 1, 240)
    world.analyser.always = EngineCrashed()
    with pytest.raises(EngineCrashed):
        await pictures.get(image, 240)
    world.analyser.always = None
    assert await pictures.get(image, 240) == bytes(10)
