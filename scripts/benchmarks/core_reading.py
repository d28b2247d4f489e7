"""The memory of an engine over the largest files that the limits allow, and photos per second read from a cold cache.

Clean pages of a mapped file count as resident, but the system takes them back at any time: an engine's own memory is what is left.
"""

import asyncio
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from agent.app.engines import model_files
from agent.domain.image import Recipe
from agent.features.models.model_store import ModelStore
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.model_preparer import ModelPreparer
from agent.inference.engine.pool import EnginePool
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.settings import EngineSettings
from scripts.benchmarks.photos import photos
from scripts.benchmarks.rows import Row, at_least, at_most
from scripts.benchmarks.stage import fetched
from scripts.setup.pictures import landscape

MB = 2**20
EVERY_S = 0.005
TARGET_MB, RESIDENT_MB, COLD_SHARE = 500, 1100, 0.5
RECIPE = Recipe("centerface-2", "mobilefacenet-2")
# Width and height: the limit of 200 megapixels, of 500 MB of three bytes per pixel, and half the pixels for formats that are decoded whole.
MOST, UNPACKED, WHOLE = (16_320, 12_240), (14_900, 11_160), (11_520, 8_640)
COLD, ROUNDS = 40, 3


@dataclass(frozen=True, slots=True)
class Peak:
    """Memory of a process, in bytes."""

    own: int  # anonymous memory
    resident: int  # with the pages of libraries and mapped files


def rows(_long: bool) -> Iterator[Row]:
    """Yield the rows. The peak is the engine's own memory; `core_resident_mb` counts mapped pages, too."""
    _, models = fetched()
    found = peaks(models)
    for name, peak in found.items():
        print(f"{name:<12} own {peak.own / MB:6.0f} MB, resident {peak.resident / MB:6.0f} MB", file=sys.stderr)
    own, resident = ([getattr(peak, kind) / MB for peak in found.values()] for kind in ("own", "resident"))
    yield at_most("core_peak_mb", max(own), TARGET_MB, own)
    yield at_most("core_resident_mb", max(resident), RESIDENT_MB, resident)
    cold, warm = asyncio.run(_cold_and_warm([photo.path for photo in photos(COLD)], models))
    yield at_least("core_cold_share", min(warm) / min(cold), COLD_SHARE, [COLD / each for each in (*cold, *warm)])


def peaks(models: ModelStore) -> dict[str, Peak]:
    """Return the peak of a fresh engine for each of the largest files."""
    found = {}
    for name, make in FILES.items():
        with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / name
            make(path)
            found[name] = asyncio.run(_peak(path, models))
    return found


async def _peak(path: Path, models: ModelStore) -> Peak:
    pool = _pool(models)
    try:
        with _watched((await pool.hello()).pid) as seen:
            await pool.analyse(Analyse(str(path), RECIPE, thumbnail=480))
        return Peak(max(each.own for each in seen), max(each.resident for each in seen))
    finally:
        await pool.close()


def _pool(models: ModelStore) -> EnginePool:
    cache = models.folder / "bench"
    return EnginePool(
        EngineSettings(workers=1, time_limit_s=600),
        model_files(models),
        ComputeSetup(preparer=ModelPreparer(cache, own_command("engine-worker"))),
    )


@contextmanager
def _watched(pid: int) -> Iterator[list[Peak]]:
    """Collect a process's memory until the end."""
    seen, ended = [_memory(pid)], threading.Event()

    def watch() -> None:
        while not ended.wait(EVERY_S):
            seen.append(_memory(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _memory(pid: int) -> Peak:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = {name: 1024 * int(size) for name, size in re.findall(r"(VmRSS|RssAnon):\s+(\d+) kB", status)}
    return Peak(found["RssAnon"], found["VmRSS"])


async def _cold_and_warm(files: Sequence[Path], models: ModelStore) -> tuple[list[float], list[float]]:
    """Return the seconds of each round, in turn with the files dropped from the system's cache and kept in it."""
    pool = _pool(models)
    try:
        await _round(pool, files)  # code is generated for each size of input
        cold, warm = list[float](), list[float]()
        for _ in range(ROUNDS):
            for file in files:
                _drop(file)
            cold.append(await _round(pool, files))
            warm.append(await _round(pool, files))
        return cold, warm
    finally:
        await pool.close()


async def _round(pool: EnginePool, files: Sequence[Path]) -> float:
    begun = time.perf_counter()
    for file in files:
        await pool.analyse(Analyse(str(file), RECIPE, thumbnail=480))
    return time.perf_counter() - begun


def _drop(file: Path) -> None:
    """Drop the file from the system's cache, which needs no rights."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


# -- The largest files ---------------------------------------------------------------------------------------------------------------
def _picture(size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a landscape, repeated."""
    (width, height), tile = size, np.asarray(landscape(1), np.uint8)
    return np.ascontiguousarray(np.tile(tile, (-(-height // tile.shape[0]), -(-width // tile.shape[1]), 1))[:height, :width])


def _by_pillow(path: Path, size: tuple[int, int], **options: Any) -> None:
    PIL.Image.fromarray(_picture(size)).save(path, **options)


def _by_opencv(path: Path, size: tuple[int, int], *options: int) -> None:
    cv2.imwrite(str(path), _picture(size)[:, :, ::-1], options)


FILES: dict[str, Callable[[Path], None]] = {
    "large.jpg": lambda path: _by_opencv(path, MOST),
    "large.png": lambda path: _by_opencv(path, MOST, cv2.IMWRITE_PNG_COMPRESSION, 1),
    "large.bmp": lambda path: _by_pillow(path, UNPACKED),
    "large.tif": lambda path: _by_pillow(path, UNPACKED),
    "packed.tif": lambda path: _by_pillow(path, MOST, compression="tiff_lzw"),
    "large.webp": lambda path: _by_pillow(path, WHOLE, quality=60, method=0),
}
