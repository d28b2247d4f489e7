"""Every Renderer keeps the port's promises: the pool of processes, which are walled in, and the one in this process."""

import hashlib
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from agent.domain.errors import AgentError, CopyUnsupported, CopyUnwritable, ImageMissing, ImageTruncated, ImageUnsupported, NotRestorable
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.renderer import KeptRegion, Render, Renderer
from agent.inference.vision.redactor import SOLID
from agent.infrastructure.core.settings import EngineSettings
from tests.support.covered_files import COVER, FILES, HEIGHT, WIDTH, rgba
from tests.support.inline_engine import InlineAnalyser

PICTURE = FILES["png"](1)


@pytest_asyncio.fixture(params=["pool", "inline"], scope="module", loop_scope="module")
async def renderer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Renderer]:
    """No model is needed."""
    folder = tmp_path_factory.mktemp("engine")
    made: InlineAnalyser | EnginePool
    if request.param == "inline":
        made = InlineAnalyser(EngineConfig({}, converted=str(folder / "ir"), cache=str(folder / "cache")))
    else:
        made = EnginePool(
            EngineSettings(workers=1),
            {},
            ComputeSetup(converted=folder / "ir", cache=folder / "cache"),
            command=[sys.executable, "-c", "from agent.inference.engine.engine_worker import main; raise SystemExit(main())"],
        )
    yield made
    await made.close()


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "original.png"
    path.write_bytes(PICTURE)
    return path


def task(original: Path, output: Path, **more: object) -> Render:
    return Render(str(original), str(output), (COVER,), **more)  # type: ignore[arg-type]


async def test_a_covered_copy_is_written_and_told(renderer: Renderer, original: Path, tmp_path: Path) -> None:
    rendered = await renderer.render(task(original, tmp_path / "copy"))
    written = (tmp_path / "copy").read_bytes()
    assert (rgba(written)[16:80, 32:96] == (*SOLID, 255)).all()
    assert (rendered.width, rendered.height, rendered.format) == (WIDTH, HEIGHT, "png")
    assert (rendered.sha256, rendered.copy_sha256) == tuple(hashlib.sha256(data).hexdigest() for data in (PICTURE, written))
    assert rendered.copy_size == len(written)
    assert (rendered.removed, rendered.regions) == ((), ())
    assert (tmp_path / "original.png").read_bytes() == PICTURE


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
async def test_only_its_owner_may_read_the_copy(renderer: Renderer, original: Path, tmp_path: Path) -> None:
    await renderer.render(task(original, tmp_path / "copy"))
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", FILES)
async def test_every_format_is_rendered(renderer: Renderer, tmp_path: Path, name: str) -> None:
    (tmp_path / "in").write_bytes(FILES[name](1))
    rendered = await renderer.render(task(tmp_path / "in", tmp_path / "out", strip=True))
    assert rendered.copy_size == (tmp_path / "out").stat().st_size
    inside = rgba((tmp_path / "out").read_bytes())[20:76, 36:92, :3].astype(int)
    assert np.abs(inside - SOLID).max() <= 12


async def test_kept_regions_bring_the_original_pixels_back(renderer: Renderer, original: Path, tmp_path: Path) -> None:
    rendered = await renderer.render(task(original, tmp_path / "copy", keep_regions=True))
    await renderer.restore(str(tmp_path / "copy"), rendered.regions, str(tmp_path / "restored"))
    assert np.array_equal(rgba((tmp_path / "restored").read_bytes()), rgba(PICTURE))


@pytest.mark.parametrize(
    ("data", "more", "error"),
    [
        (b"no picture", {}, ImageUnsupported),
        (FILES["png"](1)[:2000], {}, ImageTruncated),
        (FILES["png"](1), {"format": "heic"}, CopyUnsupported),
        (None, {}, ImageMissing),
    ],
)
async def test_what_fails_leaves_no_copy(
    renderer: Renderer, tmp_path: Path, data: bytes | None, more: dict[str, object], error: type[AgentError]
) -> None:
    if data is not None:
        (tmp_path / "in").write_bytes(data)
    with pytest.raises(error):
        await renderer.render(task(tmp_path / "in", tmp_path / "out", **more))
    assert not (tmp_path / "out").exists()


async def test_what_is_there_is_never_written_over(renderer: Renderer, original: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(CopyUnwritable):
        await renderer.render(task(original, tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == b"mine"
    if hasattr(os, "symlink") and sys.platform != "win32":
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(CopyUnwritable):
            await renderer.render(task(original, tmp_path / "link"))
        assert not (tmp_path / "elsewhere").exists()


async def test_where_nothing_can_be_written_it_says_so(renderer: Renderer, original: Path, tmp_path: Path) -> None:
    with pytest.raises(CopyUnwritable):
        await renderer.render(task(original, tmp_path / "no-folder" / "out"))
    await renderer.render(task(original, tmp_path / "then"))  # and goes on


async def test_regions_of_another_picture_restore_nothing(renderer: Renderer, original: Path, tmp_path: Path) -> None:
    rendered = await renderer.render(task(original, tmp_path / "copy", keep_regions=True))
    (region,) = rendered.regions
    with pytest.raises(NotRestorable):
        await renderer.restore(str(tmp_path / "copy"), (KeptRegion(WIDTH - 1, 0, region.png),), str(tmp_path / "restored"))
    assert not (tmp_path / "restored").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
async def test_names_that_are_no_text_are_names_all_the_same(renderer: Renderer, tmp_path: Path) -> None:
    output = tmp_path / os.fsdecode(b"copy-\xff\xfe")
    (tmp_path / os.fsdecode(b"in-\xff")).write_bytes(PICTURE)
    await renderer.render(task(tmp_path / os.fsdecode(b"in-\xff"), output))
    assert (tmp_path / os.fsdecode(b"copy-\xff\xfe")).exists()
