"""The group `video`: whether every face of a video with known faces is covered in every frame, how fast, and in how much memory.

It is measured on the result, not on the program's report; and with `deface`, in a separate environment, on the same video.
A second video is a real one, a talking man: its faces are not labelled, so another detector checks them.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from agent.app.engines import model_files
from agent.domain.redaction import Look
from agent.features.models.model_store import ModelStore
from agent.features.redaction.video.job_files import VideoJobFolder
from agent.features.redaction.video.video_redactor import VideoOptions, VideoRedactor
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.model_preparer import ModelPreparer
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.runtime import Runtime
from agent.inference.engine.service import detector_of
from agent.inference.engine.video_engine import EngineVideos
from agent.inference.vision.codecs import Image
from agent.inference.vision.detectors.yunet import YuNet
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.settings import EngineSettings
from scripts.benchmarks.clips import HEIGHT, WIDTH, Clip, Outline, clip, looped
from scripts.benchmarks.rows import ROOT, Row, at_least, at_most
from scripts.benchmarks.stage import fetched
from scripts.benchmarks.talking_head import talking_head
from scripts.benchmarks.video_limit import limit

DEFACE = ("deface==1.5.0", "onnxruntime")
COVERED, BRIGHTEST, COLOURLESS = 0.99, 28, 14  # a pixel is covered if it is this dark and this grey: the copy was compressed
LEAST_PIXELS = 40  # of a face that others hide, or that is mostly outside
RUNS, LONG_S, SHORT_S = 2, 600.0, 10.0
OF_LIMIT = 0.8
EVERY = 5  # frames that the other detector scans
SURE = 0.7
MB = 2**20


@dataclass
class Shares:
    """The covered share of each face in each frame; and the covered area relative to the faces' area."""

    all: list[float] = field(default_factory=list)
    covered: int = 0
    faces: int = 0


def rows(long: bool) -> Iterator[Row]:
    made = clip()
    _, models = fetched()
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        frames = len(made.faces)
        speeds, of_limit = list[float](), list[float]()
        for number in range(RUNS):
            most = limit(made.path, models)
            seconds, _ = asyncio.run(_redacted(made.path, folder / f"{number}.mp4", models))
            speeds.append(frames / seconds)
            of_limit.append(speeds[-1] / most)
        shares = _shares(made, folder / "0.mp4")
        yield at_least("video_covered", min(shares.all), COVERED, [float(np.mean(shares.all))])
        yield at_most("video_covered_area", shares.covered / shares.faces, 2.5, [])
        yield at_most("video_seen_after", _seen(folder / "0.mp4", models), 0, [_seen(made.path, models)])
        yield at_least("video_fps", max(speeds), 25, speeds)
        yield at_least("video_limit", max(of_limit), OF_LIMIT, of_limit)
        others = frames / _defaced(made.path, folder)
        yield at_least("video_fps_to_deface", max(speeds) / others, 8, [others])
        yield from _talking(folder, models)
        if long:
            peaks = []
            for seconds in (SHORT_S, LONG_S):
                looped(made.path, folder / "long.mp4", seconds)
                peaks.append(asyncio.run(_redacted(folder / "long.mp4", folder / "out.mp4", models))[1])
                (folder / "out.mp4").unlink()
            yield at_most("video_memory_growth", peaks[1] / peaks[0], 1.1, [peak / MB for peak in peaks])


def _talking(folder: Path, models: ModelStore) -> Iterator[Row]:
    path = talking_head()
    with av.open(str(path)) as container:
        frames = container.streams.video[0].frames
    copies = [folder / f"talking-{number}.mp4" for number in range(RUNS)]
    speeds = [frames / asyncio.run(_redacted(path, copy, models))[0] for copy in copies]
    others = frames / _defaced(path, folder)
    yield at_most("talking_seen_after", _seen(copies[0], models), 0, [_seen(path, models)])
    yield at_least("talking_fps", max(speeds), 25, speeds)
    yield at_least("talking_fps_to_deface", max(speeds) / others, 8, [others])


async def _redacted(source: Path, target: Path, models: ModelStore) -> tuple[float, int]:
    """Return the seconds once the engine runs, and the peak resident bytes of it and this process together."""
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        pool = EnginePool(
            EngineSettings(),
            model_files(models),
            ComputeSetup(preparer=ModelPreparer(models.folder / "prepared", own_command("engine-worker"))),
        )
        try:
            await asyncio.gather(*(pool.hello() for _ in range(pool.size)))
            with _Peak() as peak:
                begun = time.perf_counter()
                redactor = VideoRedactor(EngineVideos(pool), VideoJobFolder(Path(folder)))
                await redactor.redact(VideoOptions(str(source), str(target), Look()))
                return time.perf_counter() - begun, peak.bytes
        finally:
            await pool.close()


class _Peak:
    """Records the memory of this process's children."""

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            total = 0
            for child in psutil.Process().children():
                try:
                    total += int(child.memory_info().rss)
                except psutil.Error:
                    continue
            self.bytes = max(self.bytes, total)


def _shares(made: Clip, copy: Path) -> Shares:
    shares = Shares()
    with av.open(str(copy)) as container:
        for frame, outlines in zip(container.decode(video=0), made.faces, strict=True):
            hidden = _hidden(frame.to_ndarray(format="yuv420p"))
            shares.covered += int(hidden.sum())
            there = np.zeros_like(hidden)
            above = np.zeros_like(hidden)
            for outline in reversed(outlines):  # those in front first
                face = _drawn(outline)
                shown = face & ~above
                above |= face
                there |= face
                if shown.sum() >= LEAST_PIXELS:
                    shares.all.append(float((hidden & shown).sum() / shown.sum()))
            shares.faces += int(there.sum())
    return shares


def _hidden(planes: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return which pixels are covered, judged by their colour."""
    flat = np.asarray(planes, np.uint8)
    luma, chroma = flat[:HEIGHT], flat[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    grey = (np.abs(chroma.astype(np.int16) - 128) <= COLOURLESS).all(axis=0)
    return (luma <= BRIGHTEST) & grey.repeat(2, axis=0).repeat(2, axis=1)


def _drawn(outline: Outline) -> NDArray[np.bool_]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [(outline * 16).astype(np.int32)], 1, shift=4)
    return mask.astype(np.bool_)


def _seen(path: Path, models: ModelStore) -> int:
    """Return the faces in some frames, found by the detector that the program does not use for videos."""
    runtime = Runtime(device="CPU", precision="f32", threads=os.cpu_count() or 1, converted=models.folder / "ir", cache=models.folder / "k")
    models.fetch("yunet")
    detector = detector_of(runtime, YuNet.recipe, model_files(models)[YuNet.recipe])
    seen = 0
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % EVERY == 0:
                pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                image = Image(pixels, 1.0, frame.width, frame.height, "rgb")
                seen += len(detector(lambda _, image=image: image, SURE))  # type: ignore[misc]  # the default has no type
    return seen


def _defaced(source: Path, folder: Path) -> float:
    """Return the seconds that `deface` takes after loading: the time of one frame is subtracted."""
    place = ROOT / "build" / "bench" / "deface"
    program = place / ("Scripts" if sys.platform == "win32" else "bin")
    if not (program / "deface").exists():
        venv.create(place, with_pip=True)
        subprocess.run([program / "python", "-m", "pip", "install", "--quiet", *DEFACE], check=True, timeout=600)
    one = folder / "one.mp4"
    with av.open(str(source)) as given, av.open(str(one), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        packet = next(given.demux(video=0))
        packet.stream = stream
        output.mux(packet)
    spent = []
    for path in (one, source):
        begun = time.perf_counter()
        subprocess.run([program / "deface", path, "-o", folder / "defaced.mp4"], check=True, timeout=1200, capture_output=True)
        spent.append(time.perf_counter() - begun)
    return spent[1] - spent[0]
