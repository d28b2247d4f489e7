"""Detection recall and false detections: labelled photos of groups, and collages of small faces."""

import asyncio
import random
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from agent.domain.face import Box
from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.vision.codecs import encode_jpeg
from agent.inference.vision.detectors import THOROUGH
from scripts.benchmarks.accuracy_faces import config
from scripts.benchmarks.photos import ROOM, composed
from scripts.benchmarks.rows import Row, at_least, at_most
from scripts.benchmarks.stage import fetched
from tests.support.inline_engine import InlineAnalyser

IOU = 0.4
DETECT = Recipe(THOROUGH)
COLLAGES, FACES = 30, (8, 24)
SIZES = ((1280, 960), (1600, 1200), (2048, 1536))
SMALLEST, LARGEST = 20.0, 60.0  # pixels: the height of a face's box
MIN_FACE = 12.0  # the setting ignores faces below 20; a face of 20 may measure less


def rows(groups: Path) -> Iterator[Row]:
    with config() as settings:
        analyser = InlineAnalyser(settings)
        labels = [each for name in ("testing.xml", "training.xml") for each in labelled(groups / name).items()]
        right = sum(len(boxes) - len(unmatched(boxes, found(analyser, path))) for path, boxes in labels)
        yield at_least("detect_groups", right, sum(len(boxes) for _, boxes in labels), [right])
        extras = [extra for path, boxes in labels for extra in unmatched(found(analyser, path), boxes)]
        yield at_most("detect_groups_extras", len(extras), 1, [len(extras)])
        with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
            samples, _ = fetched()
            shares = [recall(analyser, samples, Path(folder), number) for number in range(COLLAGES)]
        yield at_least("detect_small_recall", sum(hit for hit, _ in shares) / sum(all_ for _, all_ in shares), 0.97, [])


def labelled(file: Path) -> dict[Path, list[Box]]:
    """Return each photo's faces, from dlib's XML."""
    images = ElementTree.parse(file).getroot().iter("image")
    return {
        file.parent / image.attrib["file"]: [
            Box(*(float(box.attrib[side]) for side in ("left", "top", "width", "height"))) for box in image.iter("box")
        ]
        for image in images
    }


def found(analyser: InlineAnalyser, path: Path, min_face: float = 20.0) -> list[Box]:
    return [face.box for face in asyncio.run(analyser.analyse(Analyse(str(path), DETECT, min_face=min_face))).faces]


def unmatched(boxes: list[Box], others: list[Box]) -> list[Box]:
    """Return the boxes that no other box covers; each of the others matches one at most."""
    free = list(others)
    left = []
    for box in boxes:
        best = max(free, key=box.iou, default=None)
        if best is not None and box.iou(best) >= IOU:
            free.remove(best)
        else:
            left.append(box)
    return left


def recall(analyser: InlineAnalyser, samples: Path, folder: Path, number: int) -> tuple[int, int]:
    """Return the number of detected faces of one collage, and of all its faces."""
    chance = random.Random(1000 + number)
    size = chance.choice(SIZES)
    pixels, faces = composed(samples, number, size, places(chance, size), chance)
    path = folder / f"{number}.jpg"
    path.write_bytes(encode_jpeg(pixels, 90))
    return len(faces) - len(unmatched(faces, found(analyser, path, MIN_FACE))), len(faces)


def places(chance: random.Random, size: tuple[int, int]) -> list[Box]:
    """Return places at which no head covers another."""
    heads: list[Box] = []
    wanted = chance.randint(*FACES)
    while len(heads) < wanted:
        side = ROOM * SMALLEST * (LARGEST / SMALLEST) ** chance.random()
        head = Box(chance.uniform(0, size[0] - side), chance.uniform(0, size[1] - side), side, side)
        if not any(head.intersection(other) for other in heads):
            heads.append(head)
    return [Box(head.x + head.w * 0.25, head.y + head.h * 0.22, 0, head.h / ROOM) for head in heads]
