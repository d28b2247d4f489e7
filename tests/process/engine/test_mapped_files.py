"""Large photos are mapped into the engine: what happens when another program cuts one off while it is read."""

import asyncio
import os
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from agent.domain.errors import AgentError, EngineCrashed, ImageChanged, ImageTruncated
from agent.domain.face import Box
from agent.domain.image import NO_FACES, Recipe
from agent.domain.redaction import Cover, Look
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.renderer import Render
from agent.inference.engine.stable_read import LARGE
from agent.infrastructure.core.settings import EngineSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="files are mapped on Linux only")

READ = Recipe(NO_FACES)
SIDE = 4000
# What a test worker does with a photo once it was greeted; `mapped` says whether it may map files.
FAKE = """
import json, os, sys
mapped = True
for line in sys.stdin:
    r = json.loads(line)
    if r["op"] == "hello":
        mapped = r["body"]["mapped"]
        body = {"device": "CPU", "precision": "f32", "pid": os.getpid()}
        print(json.dumps({"id": r["id"], "body": body}), flush=True)
    elif "ask" in r["body"]["path"]:
        print(json.dumps({"id": r["id"], "error": {"code": "image.changed" if mapped else "image.corrupt", "params": {}}}), flush=True)
    elif mapped or "always" in r["body"]["path"]:
        os.kill(os.getpid(), 7)
    else:
        print(json.dumps({"id": r["id"], "error": {"code": "image.truncated", "params": {}}}), flush=True)
"""
MakePool = Callable[..., EnginePool]


@pytest_asyncio.fixture
async def make_pool(engine_config: EngineConfig) -> AsyncIterator[MakePool]:
    pools: list[EnginePool] = []

    def make(*command: str) -> EnginePool:
        worker = command or (sys.executable, "-c", "from agent.inference.engine.engine_worker import main; raise SystemExit(main())")
        pools.append(
            EnginePool(
                EngineSettings(workers=1),
                engine_config.models,
                ComputeSetup(converted=Path(engine_config.converted), cache=Path(engine_config.cache)),
                command=worker,
            )
        )
        return pools[-1]

    yield make
    for pool in pools:
        await pool.close()


def large_photo(path: Path) -> Path:
    """A black BMP whose pixels take no room on the disk."""
    size = 54 + SIDE * SIDE * 3
    path.write_bytes(b"BM" + struct.pack("<LLLLllHHLLllLL", size, 0, 54, 40, SIDE, SIDE, 1, 24, 0, SIDE * SIDE * 3, 0, 0, 0, 0))
    os.truncate(path, size)
    assert size > LARGE
    return path


def cut_off_once_mapped(pid: int, path: Path) -> None:
    """Cut the file off as soon as the engine has mapped it."""
    maps = Path(f"/proc/{pid}/maps")
    while str(path) not in maps.read_text(encoding="utf-8"):
        time.sleep(0.001)
    os.truncate(path, 8192)


async def test_a_photo_that_is_cut_off_while_it_is_read_is_called_truncated_and_the_next_one_is_read(
    make_pool: MakePool, tmp_path: Path, samples_folder: Path
) -> None:
    pool, path = make_pool(), large_photo(tmp_path / "large.bmp")
    cutting = asyncio.create_task(asyncio.to_thread(cut_off_once_mapped, (await pool.hello()).pid, path))
    with pytest.raises(ImageTruncated):
        await pool.analyse(Analyse(str(path), READ))
    await cutting
    assert pool.restarts == 1
    assert (await pool.analyse(Analyse(str(samples_folder / "obama3.jpg"), READ))).width > 0


async def test_a_copy_of_a_photo_that_is_cut_off_is_not_written(make_pool: MakePool, tmp_path: Path) -> None:
    pool, path, output = make_pool(), large_photo(tmp_path / "large.bmp"), tmp_path / "copy.bmp"
    cutting = asyncio.create_task(asyncio.to_thread(cut_off_once_mapped, (await pool.hello()).pid, path))
    with pytest.raises(ImageTruncated):
        await pool.render(Render(str(path), str(output), (Cover(Box(10, 10, 100, 100), Look()),)))
    await cutting
    assert not output.exists()


@pytest.mark.parametrize(("name", "error"), [("once.jpg", ImageTruncated), ("always.jpg", EngineCrashed)])
async def test_a_fault_is_tried_once_more_by_a_process_that_maps_nothing(
    make_pool: MakePool, tmp_path: Path, name: str, error: type[AgentError]
) -> None:
    (tmp_path / name).touch()
    pool = make_pool(sys.executable, "-S", "-c", FAKE)
    with pytest.raises(error):
        await pool.analyse(Analyse(str(tmp_path / name), READ))


async def test_after_a_fault_files_are_mapped_again(make_pool: MakePool, tmp_path: Path) -> None:
    for name in ("once.jpg", "ask.jpg"):
        (tmp_path / name).touch()
    pool = make_pool(sys.executable, "-S", "-c", FAKE)
    with pytest.raises(ImageTruncated):
        await pool.analyse(Analyse(str(tmp_path / "once.jpg"), READ))
    with pytest.raises(ImageChanged):
        await pool.analyse(Analyse(str(tmp_path / "ask.jpg"), READ))


def test_reading_a_page_that_was_cut_off_ends_the_process(tmp_path: Path) -> None:
    path = large_photo(tmp_path / "large.bmp")
    code = (
        "import os, sys; from agent.inference.engine.stable_read import steady; from agent.inference.vision.codecs import DecodeLimits\n"
        "with steady(os.open(sys.argv[1], os.O_RDONLY), DecodeLimits(200, 500)) as data:\n"
        "    os.truncate(sys.argv[1], 8192); data[len(data) - 1]"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60).returncode == -7
