"""How many faces the quantised detector keeps, and what it costs: against the same detector at full precision, in one run."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from agent.domain.face import Box
from agent.features.models.model_store import ModelStore
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.runtime import Runtime
from agent.inference.vision.codecs import DecodeLimits, Image, decode
from agent.inference.vision.detector import DetectorNet
from agent.inference.vision.detectors.centerface import CenterFace
from scripts.benchmarks.accuracy_detect import SIZES, labelled, places, unmatched
from scripts.benchmarks.photos import composed
from scripts.benchmarks.rows import Row, at_least
from scripts.benchmarks.stage import fetched

# Other numbers than the collages that the ranges were measured on.
FIRST, COLLAGES = 3000, 20
MIN_SCORE = 0.5
CANVAS, ROUNDS, RUNS = (512, 640), 7, 3
_LIMITS = DecodeLimits(megapixels=50, megabytes=50)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and the faces in it."""

    image: Image
    faces: list[Box]


def rows(folder: Path | None = None) -> Iterator[Row]:
    """Yield the rows: on collages, and on the labelled groups of the benchmarks' data folder if there is one."""
    samples, models = fetched()
    pictures = [collage(samples, number) for number in range(FIRST, FIRST + COLLAGES)]
    if folder is not None:
        names = ("testing.xml", "training.xml")
        found = [each for name in names for each in labelled(folder / "faces" / "groups" / name).items()]
        pictures += [Labelled(decode(path.read_bytes(), _LIMITS, 0), boxes) for path, boxes in found]
    with TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as kept:
        nets = {precision: net_at(models, precision, Path(kept)) for precision in ("f32", "int8")}
        right = {precision: sum(recognised(CenterFace(net), each) for each in pictures) for precision, net in nets.items()}
        yield at_least("int8_faces_kept", right["int8"] / right["f32"], 0.998, [right["f32"], right["int8"]])
        times = {precision: np.array(spent) for precision, spent in alternated(nets).items()}
        yield at_least("int8_times_f32", median(times["f32"] / times["int8"]), 1.6, list(times["f32"] / times["int8"]))


def collage(samples: Path, number: int) -> Labelled:
    chance = Random(number)
    width, height = chance.choice(SIZES)
    pixels, faces = composed(samples, number, (width, height), places(chance, (width, height)), chance)
    return Labelled(Image(pixels, 1.0, width, height, "png"), faces)


def net_at(models: ModelStore, precision: str, kept: Path) -> DetectorNet:
    info = models.info("centerface")
    runtime = Runtime(device="CPU", precision=precision, threads=1, converted=kept, cache=None)
    return runtime.detector(ModelFile(info.name, str(info.path), info.sha256), CenterFace.outputs, blue_first=False)


def recognised(detector: CenterFace, given: Labelled) -> int:
    """Return how many of the faces are found."""
    found = [face.box for face in detector(lambda _: given.image, MIN_SCORE)]
    return len(given.faces) - len(unmatched(given.faces, found))


def alternated(nets: dict[str, DetectorNet]) -> dict[str, list[float]]:
    """Return each net's processor time, measured in turn."""
    pixels = np.random.default_rng(1).integers(0, 256, (1, *CANVAS, 3), np.uint8)
    times: dict[str, list[float]] = {name: [] for name in nets}
    for each in nets.values():
        each(pixels)
    for _ in range(ROUNDS):
        for name, each in nets.items():
            times[name].append(_spent(lambda each=each: each(pixels)))  # type: ignore[misc]  # a default binds the loop's net
    return times


def _spent(run: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(RUNS):
        run()
    return time.process_time() - began
