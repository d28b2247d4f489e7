"""The upper limit of this machine: the same decoding and the same inference with all cores busy, and nothing else.

Decoding is OpenCV alone; inference is OpenVINO's own `benchmark_app` on the same file, precision and input sizes. The
program only provides, beforehand, the decodings and input sizes that each photo needs.
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.features.models.model_store import ModelStore
from agent.inference.engine import openvino_models
from agent.inference.engine.devices import unquantised
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.runtime import Runtime
from agent.inference.vision.codecs import DecodeLimits, Image, decode
from agent.inference.vision.detector import DetectorNet
from agent.inference.vision.detectors.centerface import CenterFace
from scripts.benchmarks.photos import Photo

# The detector in OpenVINO's format, and the precision in which it is run.
Edition: TypeAlias = tuple[Path, str]
# Height and width of the net's input.
Shape: TypeAlias = tuple[int, int]

FLAGS = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
MIN_SCORE = 0.5
INFER_S = 3  # for each shape
DECODE_S = 2.0
_LIMIT_S = 120
_LIMITS = DecodeLimits(megapixels=200, megabytes=500)


@dataclass
class Work:
    """The cost of some photos: how often they were decoded at 1/factor, and how often the net ran with which shape."""

    photos: int = 0
    decodes: Counter[int] = field(default_factory=Counter)
    looks: Counter[Shape] = field(default_factory=Counter)


def precision_of(models: ModelStore) -> str:
    """Return the precision in which the program infers on this machine."""
    return _runtime(models).precision


def work_of(photos: Sequence[Photo], models: ModelStore, *, thorough: bool = False) -> Work:
    """Ask the detector, or the thorough detection that precedes covering."""
    work = Work(len(photos))
    detector = CenterFace(counting(models, work.looks))
    find = detector.thorough if thorough else detector
    for photo in photos:
        data = photo.path.read_bytes()
        kept: list[Image] = []

        def decoder(side: int, data: bytes = data, kept: list[Image] = kept) -> Image:
            if not kept or (kept[-1].reduced and max(kept[-1].pixels.shape) < side):
                kept.append(decode(data, _LIMITS, side))
                work.decodes[round(1 / kept[-1].scale)] += 1
            return kept[-1]

        find(decoder, MIN_SCORE)
    return work


def limit(work: Work, photos: Sequence[Photo], editions: Sequence[Edition]) -> float:
    """Return photos per second, inferred by whichever edition of the net is faster for a shape."""
    seconds = sum(count / decoded_per_second(photos, factor) for factor, count in work.decodes.items())
    for shape, count in work.looks.items():
        seconds += count / max(inferred_per_second(model, precision, shape) for model, precision in editions)
    return work.photos / seconds


def decoded_per_second(photos: Sequence[Photo], factor: int) -> float:
    """Decode on all cores, each with its own photos, from memory."""
    files = [np.fromfile(photo.path, np.uint8) for photo in photos[:20]]
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    end = time.perf_counter() + DECODE_S

    def decode_on(core: int) -> int:
        done = 0
        while time.perf_counter() < end:
            assert cv2.imdecode(files[(core + done) % len(files)], FLAGS[factor]) is not None
            done += 1
        return done

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        began = time.perf_counter()
        with ThreadPoolExecutor(cores) as pool:
            done = sum(pool.map(decode_on, range(cores)))
        return done / (time.perf_counter() - began)
    finally:
        cv2.setNumThreads(threads)


def inferred_per_second(model: Path, precision: str, shape: Shape) -> float:
    """Measure with `benchmark_app`, tuned for throughput. Raises RuntimeError if it reports no result."""
    command = [
        str(Path(sys.executable).with_name("benchmark_app")),
        "-m",
        str(model),
        "-d",
        "CPU",
        "-hint",
        "throughput",
        "-t",
        str(INFER_S),
    ]
    command += ["-shape", f"[1,3,{shape[0]},{shape[1]}]", "-infer_precision", precision]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    said = re.search(r"Throughput:\s+([\d.]+) FPS", done.stdout)
    if said is None:
        raise RuntimeError(f"benchmark_app: {done.stdout[-500:]}{done.stderr[-500:]}")
    return float(said[1])


def counting(models: ModelStore, looks: Counter[Shape]) -> DetectorNet:
    """Return the detector's net on one thread, counting its runs by height and width."""
    info = models.info("centerface")
    net = _runtime(models).detector(ModelFile(info.name, str(info.path), info.sha256), CenterFace.outputs, blue_first=False)

    def counted(image: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        looks[image.shape[1:3]] += 1
        return net(image)

    return counted


def converted(models: ModelStore) -> Path:
    """Return the detector in OpenVINO's format, as the engine uses it."""
    return _edition(models, "auto")[0]


def editions(models: ModelStore) -> list[Edition]:
    """Return what the engine chooses from: the detector as published, and quantised where the processor can run that."""
    return sorted({_edition(models, precision) for precision in ("auto", "int8_bf16")})


def _edition(models: ModelStore, precision: str) -> Edition:
    info = models.info("centerface")
    file = ModelFile(info.name, str(info.path), info.sha256)
    runtime = _runtime(models, precision)
    runtime.detector(file, CenterFace.outputs, blue_first=False)  # converts it
    plain = unquantised(runtime.precision)
    return openvino_models.kept_at(file, models.folder / "ir", int8=runtime.precision != plain), plain


def _runtime(models: ModelStore, precision: str = "auto") -> Runtime:
    cache = models.folder.parent / "kernels"
    return Runtime(device="CPU", precision=precision, threads=1, converted=models.folder / "ir", cache=cache)
