"""Whether all faces of photos are covered, and how much else: labelled photos of groups, the samples, and seeded collages."""

import asyncio
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.domain.face import Box
from agent.domain.redaction import Look, cover_of
from agent.inference.engine.analyser import Analyse
from agent.inference.vision.codecs import encode_jpeg
from agent.inference.vision.redactor import covered
from scripts.benchmarks.accuracy_detect import DETECT, SIZES, labelled
from scripts.benchmarks.accuracy_faces import config
from scripts.benchmarks.photos import ROOM, SAMPLES, composed
from scripts.benchmarks.rows import Row, at_least, at_most
from scripts.benchmarks.stage import fetched
from tests.support.inline_engine import InlineAnalyser

COLLAGES, FACES = 30, (3, 14)
SMALLEST, LARGEST = 20.0, 300.0  # pixels: the height of a face's box
COVERED = 0.9  # share of a box: labels are squares, whose corners contain no face
APART = 0.15  # of the smaller box: a cover that overlaps every face by less belongs to none
TRIES = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one photo. Areas in pixels."""

    hit: int
    faces: int
    false: int
    covered: int
    true: int


def rows(groups: Path) -> Iterator[Row]:
    samples, _ = fetched()
    with config() as settings, tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        analyser = InlineAnalyser(settings)
        photos = [each for name in ("testing.xml", "training.xml") for each in labelled(groups / name).items()]
        kinds = {
            "groups": [outcome(analyser, path, boxes) for path, boxes in photos],
            "samples": [outcome(analyser, samples / name, [box]) for name, box in SAMPLES.items()],
            "collages": [outcome(analyser, *collage(samples, Path(folder), number)) for number in range(COLLAGES)],
        }
    for kind, outcomes in kinds.items():
        shares = [each.hit / max(1, each.faces) for each in outcomes]
        yield at_least(f"redact_recall_{kind}", sum(each.hit for each in outcomes) / sum(each.faces for each in outcomes), 1, shares)
    all_ = [each for outcomes in kinds.values() for each in outcomes]
    yield at_most("redact_false_per_photo", sum(each.false for each in all_) / len(all_), 0.5, [float(each.false) for each in all_])
    area = sum(each.covered for each in all_) / sum(each.true for each in all_)
    yield at_most("redact_area", area, 2.5, [each.covered / max(1, each.true) for each in all_])


def outcome(analyser: InlineAnalyser, path: Path, boxes: list[Box]) -> Outcome:
    """Measure the same covers that a copy uses."""
    analysis = asyncio.run(analyser.analyse(Analyse(str(path), DETECT, thorough=True)))
    mask = covered([cover_of(face, Look()) for face in analysis.faces], analysis.width, analysis.height)
    true = np.zeros_like(mask)
    hit = 0
    for box in boxes:
        part = (slice(max(0, round(box.y)), round(box.y + box.h)), slice(max(0, round(box.x)), round(box.x + box.w)))
        true[part] = True
        hit += bool(mask[part].mean() >= COVERED)
    false = sum(not any(_of(face.box, box) for box in boxes) for face in analysis.faces)
    return Outcome(hit, len(boxes), false, int(mask.sum()), int(true.sum()))


def _of(found: Box, box: Box) -> bool:
    return found.intersection(box) > APART * min(found.area, box.area)


def collage(samples: Path, folder: Path, number: int) -> tuple[Path, list[Box]]:
    chance = random.Random(2000 + number)
    size = chance.choice(SIZES)
    pixels, faces = composed(samples, number, size, _places(chance, size), chance)
    path = folder / f"{number}.jpg"
    path.write_bytes(encode_jpeg(pixels, 90))
    return path, faces


def _places(chance: random.Random, size: tuple[int, int]) -> list[Box]:
    """Return places at which no head covers another; faces of all sizes are mixed."""
    heads: list[Box] = []
    wanted = chance.randint(*FACES)
    for _ in range(TRIES):
        side = ROOM * SMALLEST * (LARGEST / SMALLEST) ** chance.random()
        if len(heads) == wanted or side >= min(size):
            continue
        head = Box(chance.uniform(0, size[0] - side), chance.uniform(0, size[1] - side), side, side)
        if not any(head.intersection(other) for other in heads):
            heads.append(head)
    return [Box(head.x + head.w * 0.25, head.y + head.h * 0.22, 0, head.h / ROOM) for head in heads]
