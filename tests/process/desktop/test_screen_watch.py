"""The screen's engine watches a real X server: faces are found where something changed, and nothing of it is kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from agent.domain.errors import CaptureGone, MonitorUnknown
from agent.domain.face import Box, Face, Quality
from agent.domain.image import Recipe
from agent.domain.screen import ScreenRef
from agent.inference.engine import screen_engine
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.screen_engine import ScreenEngine
from agent.inference.engine.screen_port import WatchTask
from agent.inference.engine.screen_watch import TILE, changed_area, tile_sums
from agent.infrastructure.core.settings import EngineSettings
from tests.support.image_window import shown
from tests.support.in_process_agent import LANDMARKS

TASK = WatchTask(Recipe("centerface-2"))


@pytest_asyncio.fixture
async def screen(engine_config: EngineConfig, x_display: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScreenEngine]:
    monkeypatch.setenv("DISPLAY", x_display)
    engine = ScreenEngine(
        EngineSettings(), engine_config.models, ComputeSetup(converted=Path(engine_config.converted), cache=Path(engine_config.cache))
    )
    yield engine
    await engine.close()


async def test_a_face_comes_stays_and_goes(screen: ScreenEngine, x_display: str, samples_folder: Path) -> None:
    first = await screen.watch(TASK)
    assert (first.changed, first.faces) == (True, ())
    assert not (await screen.watch(TASK)).changed
    with shown(x_display, samples_folder / "obama.jpg", 100, 50, 427, 640):
        [face] = (await screen.watch(TASK)).faces
        assert Box(100, 50, 427, 640).intersection(face.box) > 0.99 * face.box.area and face.embedding is None and face.chip is None
        assert not (await screen.watch(TASK)).changed
        with shown(x_display, samples_folder / "biden.jpg", 800, 100, 213, 320):
            both = await screen.watch(TASK)
            assert both.changed and face in both.faces, "what did not change is not looked at anew"
            [other] = [each for each in both.faces if each != face]
            assert Box(800, 100, 213, 320).intersection(other.box) > 0.9 * other.box.area
        assert (await screen.watch(TASK)).faces == (face,)
    gone = await screen.watch(TASK)
    assert (gone.changed, gone.faces) == (True, ())


async def test_a_print_is_made_only_when_it_is_asked_for_and_then_at_once(
    screen: ScreenEngine, x_display: str, samples_folder: Path
) -> None:
    with shown(x_display, samples_folder / "obama.jpg", 100, 50, 427, 640):
        await screen.watch(TASK)
        [face] = (await screen.watch(WatchTask(Recipe("centerface-2", "mobilefacenet-2")))).faces
    assert face.embedding is not None and face.chip is None


async def test_what_is_not_there_can_not_be_watched(screen: ScreenEngine) -> None:
    with pytest.raises(MonitorUnknown):
        await screen.watch(WatchTask(TASK.recipe, monitors=(7,)))
    assert (await screen.watch(WatchTask(TASK.recipe, monitors=(1, 7)))).changed


async def test_who_watches_no_more_has_no_process_but_for_a_capture(screen: ScreenEngine) -> None:
    await screen.watch(TASK)
    await screen.unwatch()
    assert screen.stats() == []
    frame = await screen.grab(ScreenRef())
    await screen.watch(TASK)
    await screen.unwatch()
    assert screen.stats() and await screen.frame(frame.handle, None)
    assert (await screen.watch(TASK)).changed, "what was known of the screen went"


async def test_a_capture_that_was_forgotten_goes_though_watching_keeps_the_process(
    screen: ScreenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = await screen.grab(ScreenRef())
    await screen.watch(TASK)
    assert await screen.frame(forgotten.handle, None)
    monkeypatch.setattr(screen_engine, "KEPT_S", 0)  # a quarter of an hour has passed
    await screen.watch(TASK)
    with pytest.raises(CaptureGone):
        await screen.frame(forgotten.handle, None)


@pytest.mark.parametrize("size", [(64, 64), (70, 45), (33, 97)])
def test_a_pixel_changes_the_sum_of_its_tile_and_of_no_other(size: tuple[int, int]) -> None:
    width, height = size
    pixels = np.random.default_rng(7).integers(0, 255, (height, width, 4), np.uint8)
    before = tile_sums(pixels.tobytes(), width, height)
    assert before.shape == (-(-height // TILE), -(-width // TILE))
    for x, y in ((0, 0), (width - 1, height - 1), (width // 2, height - 1)):
        other = pixels.copy()
        other[y, x, 1] += 1
        changed = before != tile_sums(other.tobytes(), width, height)
        assert changed.sum() == 1 and changed[y // TILE, x // TILE]


def face_at(x: float, y: float, size: float) -> Face:
    return Face(Box(x, y, size, size), 0.9, LANDMARKS, Quality(size / 2, 100, 0, 0))


def test_a_face_that_reaches_into_what_changed_is_looked_at_whole() -> None:
    changed = np.zeros((20, 30), np.bool_)
    changed[2, 3] = True
    reaching, next_to_it, far = face_at(120, 60, 100), face_at(240, 60, 50), face_at(600, 300, 40)
    area, kept = changed_area(changed, (reaching, next_to_it, far), 0, (960, 640))
    assert area is not None and kept == (far,)
    left, top, right, bottom = area
    assert left <= 96 and top <= 35 and right >= 290 and bottom >= 160
    assert changed_area(np.zeros((20, 30), np.bool_), (far,), 8, (960, 640)) == (None, (far,))
    changed[:] = True
    assert changed_area(changed, (far,), 50, (950, 630)) == ((0, 0, 950, 630), ())
