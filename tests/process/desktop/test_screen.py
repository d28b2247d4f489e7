"""The screen's engine on a real X server: what it grabs, finds and covers, and what it can reach meanwhile."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from agent.app.memory_limits import guarded_screen
from agent.domain.errors import CaptureGone, MonitorUnknown, ProcessMemory, RegionOutside, ScreenUnavailable
from agent.domain.face import Box
from agent.domain.image import Recipe
from agent.domain.redaction import Cover, Look, Style, cover_of
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.screen_engine import ScreenEngine
from agent.inference.engine.screen_service import MOST_OPEN
from agent.infrastructure.core.memory_guard import MB, MemoryGuard
from agent.infrastructure.core.program_settings import MemorySettings
from agent.infrastructure.core.settings import EngineSettings
from tests.support.image_window import shown

TASK = Analyse("", Recipe("centerface-2"))
BLACK = (0, 0, 0)


@pytest_asyncio.fixture
async def screen(engine_config: EngineConfig, x_display: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScreenEngine]:
    monkeypatch.setenv("DISPLAY", x_display)
    engine = ScreenEngine(
        EngineSettings(), engine_config.models, ComputeSetup(converted=Path(engine_config.converted), cache=Path(engine_config.cache))
    )
    yield engine
    await engine.close()


async def test_monitors_are_listed(screen: ScreenEngine) -> None:
    assert await screen.monitors() == (Monitor(1, 0, 0, 1280, 800, 1.0, True),)


async def test_a_region_comes_out_pixel_by_pixel(screen: ScreenEngine, x_display: str, samples_folder: Path) -> None:
    with shown(x_display, samples_folder / "obama.jpg", 100, 50, 427, 640):
        frame = await screen.grab(ScreenRef(1, ScreenRegion(90, 40, 200, 100)))
        whole = await screen.grab(ScreenRef())
    assert (frame.width, frame.height, whole.width, whole.height) == (200, 100, 1280, 800)
    part = picture_of(await screen.cover(frame.handle, (), "png"))
    assert part.tobytes() == picture_of(await screen.cover(whole.handle, (), "png")).crop((90, 40, 290, 140)).tobytes()
    assert part.getpixel((5, 5)) == BLACK and part.getpixel((100, 50)) != BLACK


async def test_faces_on_the_screen_are_found_and_covered(screen: ScreenEngine, x_display: str, samples_folder: Path) -> None:
    with shown(x_display, samples_folder / "obama.jpg", 100, 50, 427, 640):
        frame = await screen.grab(ScreenRef(1))
    analysis = await screen.look(frame.handle, ScreenRegion(50, 50, 600, 700), TASK)
    [face] = analysis.faces
    assert (analysis.width, analysis.height) == (600, 700) and face.embedding is None
    covered = picture_of(await screen.cover(frame.handle, (cover_of(face, Look()),), "png"))
    uncovered = picture_of(await screen.cover(frame.handle, (), "png"))
    inside = (int(face.box.x), int(face.box.y), int(face.box.x + face.box.w), int(face.box.y + face.box.h))
    assert covered.size == (600, 700)
    assert covered.crop(inside).getextrema() == ((0, 0),) * 3
    assert uncovered.crop(inside).getextrema() != ((0, 0),) * 3


async def test_what_was_found_ahead_is_what_is_found_in_the_region(screen: ScreenEngine, x_display: str, samples_folder: Path) -> None:
    with shown(x_display, samples_folder / "obama.jpg", 100, 50, 427, 640):
        one, other = await screen.grab(ScreenRef(1)), await screen.grab(ScreenRef(1))
    region, task = ScreenRegion(0, 40, 1280, 700), replace(TASK, thorough=True)
    await screen.ahead(one.handle, task)
    ahead, anew = await screen.look(one.handle, region, task), await screen.look(other.handle, region, task)
    assert (ahead.width, ahead.height) == (anew.width, anew.height) == (1280, 700)
    best, same = (max(found.faces, key=lambda face: face.score) for found in (ahead, anew))
    assert best.box.iou(same.box) > 0.8 and abs(best.landmarks[2][1] - same.landmarks[2][1]) < 5
    assert picture_of(await screen.cover(one.handle, (), "png")).size == (1280, 700)


async def test_a_small_region_is_looked_at_anew_and_enlarged(screen: ScreenEngine, x_display: str, samples_folder: Path) -> None:
    task = replace(TASK, thorough=True)
    with shown(x_display, samples_folder / "obama.jpg", 100, 50, 28, 42):  # a face of ten pixels
        frame, other = await screen.grab(ScreenRef(1)), await screen.grab(ScreenRef(1))
    await screen.ahead(frame.handle, task)
    region = ScreenRegion(50, 20, 200, 150)
    ahead, anew = await screen.look(frame.handle, region, task), await screen.look(other.handle, region, task)
    assert [face.box for face in ahead.faces] == [face.box for face in anew.faces]


@pytest.mark.parametrize("style", Style)
async def test_every_style_can_be_drawn(screen: ScreenEngine, style: Style) -> None:
    frame = await screen.grab(ScreenRef(1, ScreenRegion(0, 0, 64, 64)))
    for format in ("png", "jpeg", "webp", "bmp"):
        cover = Cover(Box(10, 10, 20, 30), Look(style))
        assert picture_of(await screen.cover(frame.handle, (cover,), format)).size == (64, 64)


async def test_what_is_not_there_is_named(screen: ScreenEngine) -> None:
    with pytest.raises(MonitorUnknown) as unknown:
        await screen.grab(ScreenRef(2))
    assert unknown.value.params == {"number": 2, "count": 1}
    with pytest.raises(RegionOutside):
        await screen.grab(ScreenRef(0, ScreenRegion(1280, 0, 10, 10)))
    with pytest.raises(CaptureGone):
        await screen.frame("0" * 32, None)


async def test_a_region_that_reaches_over_the_edge_is_cut_there(screen: ScreenEngine) -> None:
    frame = await screen.grab(ScreenRef(1, ScreenRegion(1200, 700, 500, 500)))
    assert (frame.width, frame.height) == (80, 100)


async def test_what_was_dropped_is_gone_and_of_too_many_the_oldest(screen: ScreenEngine) -> None:
    frames = [await screen.grab(ScreenRef(1, ScreenRegion(0, 0, 8, 8))) for _ in range(MOST_OPEN + 1)]
    with pytest.raises(CaptureGone):
        await screen.frame(frames[0].handle, None)
    await screen.drop(frames[-1].handle)
    with pytest.raises(CaptureGone):
        await screen.frame(frames[-1].handle, None)
    assert picture_of(await screen.frame(frames[1].handle, None)).size == (8, 8)


async def test_captures_end_with_the_process(screen: ScreenEngine) -> None:
    frame = await screen.grab(ScreenRef(1, ScreenRegion(0, 0, 8, 8)))
    screen.forget()
    with pytest.raises(CaptureGone):
        await screen.cover(frame.handle, (), "png")


async def test_one_that_grows_too_large_is_replaced_once_no_capture_is_under_review(screen: ScreenEngine) -> None:
    limit = MemorySettings(screen_mb=0)
    guard = MemoryGuard(lambda: limit, lambda: 0.0, [guarded_screen(screen)])
    await screen.monitors()
    first = screen.pid
    await guard.look()
    [small] = guard.readings
    frames = [await screen.grab(ScreenRef()) for _ in range(3)]  # 3 MB each
    limit = MemorySettings(screen_mb=small.memory // MB)
    await guard.look()
    assert isinstance(guard.warning.value, ProcessMemory) and screen.pid == first
    assert picture_of(await screen.cover(frames[0].handle, (), "png")).size == (1280, 800)
    for frame in frames:
        await screen.drop(frame.handle)
    await guard.look()
    await screen.monitors()
    assert screen.pid != first


async def test_a_file_that_the_desktop_made_is_taken_as_a_capture(screen: ScreenEngine, samples_folder: Path) -> None:
    frame = await screen.take(str(samples_folder / "biden.jpg"))
    assert len((await screen.look(frame.handle, None, TASK)).faces) == 1


async def test_the_wall_stands_around_it_and_it_works_inside(screen: ScreenEngine) -> None:
    wall = await screen.wall()
    assert wall.network and wall.programs and wall.writes
    assert (await screen.grab(ScreenRef(1))).width == 1280


async def test_without_a_screen_it_says_so(engine_config: EngineConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    engine = ScreenEngine(
        EngineSettings(), engine_config.models, ComputeSetup(converted=Path(engine_config.converted), cache=Path(engine_config.cache))
    )
    try:
        with pytest.raises(ScreenUnavailable):
            await engine.grab(ScreenRef())
    finally:
        await engine.close()


async def test_the_display_is_told_to_its_process_and_to_no_other_engine(
    screen: ScreenEngine, engine_config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    usual = EnginePool(
        EngineSettings(), engine_config.models, ComputeSetup(converted=Path(engine_config.converted), cache=Path(engine_config.cache))
    )
    try:
        here, there = (told(hello.pid) for hello in (await screen.hello(), await usual.hello()))
    finally:
        await usual.close()
    assert "DISPLAY" in here and "DISPLAY" not in there
    assert "DBUS_SESSION_BUS_ADDRESS" not in here


def told(pid: int) -> set[str]:
    """Names of what a process was told by its environment."""
    return {each.partition("=")[0] for each in Path(f"/proc/{pid}/environ").read_text("utf-8").split("\0")}


def picture_of(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")
