"""How fast covered copies of 12-megapixel photos are made, compared with the machine's limit; and the memory of a large one."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from agent.app.engines import model_files
from agent.domain.redaction import Look, cover_of
from agent.features.models.model_store import ModelStore
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.model_preparer import ModelPreparer
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.renderer import Render
from agent.inference.engine.worker_slot import cores
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.settings import EngineSettings
from scripts.benchmarks.accuracy_detect import DETECT
from scripts.benchmarks.engine import MB, peak_of
from scripts.benchmarks.limit import converted, decoded_per_second, limit, precision_of, work_of
from scripts.benchmarks.photos import QUALITY, Photo, photos
from scripts.benchmarks.rows import Row, at_least, at_most, percentile
from scripts.benchmarks.stage import fetched

PHOTOS, ROUNDS = 200, 4
OF_LIMIT = 0.8
PEAK_MB, LARGE = 600, (8165, 6124)  # 50 megapixels
ENCODE_S = 2.0


def rows() -> Iterator[Row]:
    """Yield the rows. Limit and program alternate, so that other load affects both."""
    _, models = fetched()
    yield from asyncio.run(_measured(photos(PHOTOS), models))


async def _measured(taken: Sequence[Photo], models: ModelStore) -> list[Row]:
    plain = [(converted(models), precision_of(models))]  # copies are never made by the quantised net
    shares: list[float] = []
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        for number in range(ROUNDS):
            part = taken[number * len(taken) // ROUNDS : (number + 1) * len(taken) // ROUNDS]
            looked = limit(work_of(part, models, thorough=True), part, plain)
            most = 1 / (1 / looked + 1 / decoded_per_second(part, 1) + 1 / encoded_per_second(part))
            pool = _pool(models, Path(folder))
            try:
                shares.append(await rate(pool, part, Path(folder)) / most)
            finally:
                await pool.close()
        peak = await _peak(taken[0], models, Path(folder))
    return [
        at_least("redact_limit", percentile(shares, 0.5), OF_LIMIT, shares),
        at_most("redact_peak_mb", peak / MB, PEAK_MB, [peak / MB]),
    ]


def _pool(models: ModelStore, folder: Path, workers: int | None = None) -> EnginePool:
    settings = EngineSettings() if workers is None else EngineSettings(workers=workers)
    return EnginePool(settings, model_files(models), ComputeSetup(preparer=ModelPreparer(folder, own_command("engine-worker"))))


async def rate(pool: EnginePool, part: Sequence[Photo], folder: Path) -> float:
    """Return copies per second with running engines; any idle engine scans and covers the next photo."""
    await asyncio.gather(*(_covered(pool, part[0], folder / f"first-{number}") for number in range(pool.size)))
    waiting = iter(enumerate(part))
    began = time.perf_counter()

    async def line() -> None:
        for number, photo in waiting:
            await _covered(pool, photo, folder / str(number))

    await asyncio.gather(*(line() for _ in range(2 * pool.size)))
    return len(part) / (time.perf_counter() - began)


async def _covered(pool: EnginePool, photo: Photo, output: Path) -> None:
    analysis = await pool.analyse(Analyse(str(photo.path), DETECT, thorough=True))
    await pool.render(Render(str(photo.path), str(output), tuple(cover_of(face, Look()) for face in analysis.faces)))
    await asyncio.to_thread(output.unlink)


async def _peak(photo: Photo, models: ModelStore, folder: Path) -> int:
    """Return the peak resident bytes while a large photo is scanned and covered, upright and rotated."""
    pixels = np.asarray(cv2.resize(np.asarray(cv2.imread(str(photo.path)), np.uint8), LARGE, interpolation=cv2.INTER_LINEAR), np.uint8)
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done
    turned = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    data = encoded.tobytes()
    path = folder / "large.jpg"
    pool = _pool(models, folder, workers=1)
    try:
        pid = (await pool.hello()).pid
        for large in (data, data[:2] + turned + data[2:]):
            await asyncio.to_thread(path.write_bytes, large)
            await _covered(pool, Photo(path, ()), folder / "large-copy")
        return peak_of(pid)
    finally:
        await pool.close()


def encoded_per_second(part: Sequence[Photo]) -> float:
    """Encode on all cores, each with its own photos, from memory."""
    pictures = [np.asarray(cv2.imread(str(photo.path)), np.uint8) for photo in part[:4]]
    threads = cores() if sys.platform == "linux" else os.cpu_count() or 1
    end = time.perf_counter() + ENCODE_S

    def encode_on(core: int) -> int:
        done = 0
        while time.perf_counter() < end:
            assert cv2.imencode(".jpg", pictures[(core + done) % len(pictures)], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[0]
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(encode_on, range(threads)))
    return done / (time.perf_counter() - began)
