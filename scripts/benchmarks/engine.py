"""The group `engine`: how much memory one engine process takes over many photos of all sizes, and whether it grows."""

import asyncio
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from agent.app.engines import model_files
from agent.domain.image import Recipe
from agent.features.models.model_store import ModelStore
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.model_preparer import ModelPreparer
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.worker_slot import memory_of
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.settings import EngineSettings
from scripts.benchmarks.photos import photos
from scripts.benchmarks.rows import Row, at_most
from scripts.benchmarks.stage import fetched
from scripts.setup.pictures import landscape

SHOWN, DISTINCT = 300, 60
# After so many photos all permanent memory should be allocated. The memory after one photo varies with it, so the maxima
# after the following photos, all different, and after the last ones are compared.
SETTLED = 50
SMALLEST, LARGEST = 0.3, 50.0  # megapixels
PEAK_MB, GROWTH = 600, 1.1
MB = 2**20
# How often each occurs; only JPEG goes up to the largest size.
FORMATS, WEIGHTS, LIMITS = (".jpg", ".png", ".webp"), (70, 15, 15), {".jpg": LARGEST, ".png": 24.0, ".webp": 16.0}


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows. Recognition is on, so all models are loaded; of the processes that alternate in a scan, one is measured."""
    _, models = fetched()
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        resident, peak = asyncio.run(_shown(_mixed(Path(folder)), models))
    yield at_most("engine_peak_mb", peak / MB, PEAK_MB, [each / MB for each in resident])
    settled, last = max(resident[SETTLED - 1 : SETTLED - 1 + DISTINCT]), max(resident[-DISTINCT:])
    yield at_most("engine_growth", last / settled, GROWTH, [settled / MB, last / MB])


def _mixed(folder: Path) -> list[Path]:
    """Create photos of all shapes and sizes, including the largest."""
    chance = random.Random(7)
    sources = [np.asarray(cv2.imread(str(photo.path)), np.uint8) for photo in photos(20)]
    made = []
    for number in range(DISTINCT):
        kind = ".jpg" if number == 0 else chance.choices(FORMATS, WEIGHTS)[0]
        megapixels = LARGEST if number == 0 else np.exp(chance.uniform(np.log(SMALLEST), np.log(LIMITS[kind])))
        aspect = chance.choice((4 / 3, 3 / 4, 3 / 2, 16 / 9, 9 / 16, 1.0, 2.2))
        size = (round((megapixels * 1e6 * aspect) ** 0.5), round((megapixels * 1e6 / aspect) ** 0.5))
        # A PNG is usually a drawing or a screenshot: noise would not be stored as one.
        source = np.asarray(landscape(number))[:, :, ::-1] if kind == ".png" else sources[number % len(sources)]
        made.append(folder / f"{number}{kind}")
        cv2.imwrite(str(made[-1]), cv2.resize(source, size, interpolation=cv2.INTER_LINEAR))
    return made


async def _shown(files: list[Path], models: ModelStore) -> tuple[list[int], int]:
    """Return the resident bytes after each photo, and the peak."""
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as cache:
        pool = EnginePool(
            EngineSettings(workers=1), model_files(models), ComputeSetup(preparer=ModelPreparer(Path(cache), own_command("engine-worker")))
        )
        try:
            pid = (await pool.hello()).pid
            order = random.Random(11)
            resident: list[int] = []
            while len(resident) < SHOWN:
                for file in order.sample(files, len(files)):
                    await pool.analyse(Analyse(str(file), Recipe("centerface-2", "mobilefacenet-2"), thumbnail=480))
                    resident.append(memory_of(pid))
            return resident, max(peak_of(pid), *resident)
        finally:
            await pool.close()


def peak_of(pid: int) -> int:
    """Return the peak resident bytes, if the system records them; otherwise 0."""
    status = Path(f"/proc/{pid}/status")
    kept = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8")) if status.is_file() else None
    return 1024 * int(kept[1]) if kept else 0
