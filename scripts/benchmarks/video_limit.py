"""The upper limit for covering a video on this machine: the same decoding, inference and encoding with all cores busy, and nothing else.

A video is decoded twice, once to detect faces and once to cover them, and encoded once. Here PyAV and OpenVINO's `benchmark_app` do
that alone; the program only provides, beforehand, how often the net runs with which size.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import count, islice
from pathlib import Path

import av
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from agent.features.models.model_store import ModelStore
from agent.inference.engine.worker_slot import cores
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.detectors.centerface import CenterFace
from agent.inference.vision.video.part_detection import look_through
from agent.inference.vision.video.part_writer import ENCODERS
from agent.inference.vision.video.probe import probe
from scripts.benchmarks.limit import Shape, converted, counting, inferred_per_second, precision_of

BUSY_S = 3.0
FRAMES = 25  # these are encoded repeatedly: one second of video
_LIMITS = DecodeLimits(megapixels=200, megabytes=2000)


def limit(path: Path, models: ModelStore) -> float:
    """Return frames per second."""
    frames, looks = _work(path, models)
    model, precision = converted(models), precision_of(models)
    seconds = frames * (2 / _decoded_per_second(path) + 1 / _encoded_per_second(path))
    seconds += sum(times / inferred_per_second(model, precision, shape) for shape, times in looks.items())
    return frames / seconds


def _work(path: Path, models: ModelStore) -> tuple[int, Counter[Shape]]:
    """Return the number of frames, and how often the net runs with which height and width."""
    looks = Counter[Shape]()
    look = CenterFace(counting(models, looks)).look
    with path.open("rb") as file:
        clip = probe(file, _LIMITS)
        for part in clip.parts:
            look_through(file, part, clip.tick, look)
    return clip.frames, looks


def _decoded_per_second(path: Path) -> float:
    def work() -> Iterator[None]:
        while True:
            with av.open(str(path)) as container:
                container.streams.video[0].codec_context.thread_count = 1
                for _ in container.decode(video=0):
                    yield

    return _per_second(work)


def _encoded_per_second(path: Path) -> float:
    def work() -> Iterator[None]:
        with av.open(str(path)) as container:
            frames = [frame.reformat(format="yuv420p") for frame in islice(container.decode(video=0), FRAMES)]
            rate = container.streams.video[0].average_rate or Fraction(25)
        name, options = next(iter(ENCODERS["mp4"].items()))
        encoder = CodecContext.create(name, "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        encoder.time_base, encoder.framerate, encoder.thread_count, encoder.options = 1 / rate, rate, 1, options
        for number in count():
            frame = frames[number % len(frames)]
            frame.pts, frame.pict_type = number, PictureType.NONE
            encoder.encode(frame)
            yield

    return _per_second(work)


def _per_second(work: Callable[[], Iterator[None]]) -> float:
    """Return the steps per second of all cores, each with its own work."""
    workers = cores() if sys.platform == "linux" else os.cpu_count() or 1

    def on_core(steps: Iterator[None]) -> float:
        next(steps)  # prepares the first step
        began, done = time.perf_counter(), 0
        while (spent := time.perf_counter() - began) < BUSY_S:
            next(steps)
            done += 1
        return done / spent

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(on_core, [work() for _ in range(workers)]))
