"""Photos for benchmarks: seeded 12-megapixel collages with known faces, created once from the samples below build/."""

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.domain.face import Box
from scripts.benchmarks.rows import ROOT
from scripts.benchmarks.stage import fetched
from scripts.setup.pictures import landscape

# Increase when the pictures are generated differently: cached ones are then created again.
EDITION = 4
SIZE = (4000, 3000)
QUALITY = 90
FACES, WEIGHTS = (0, 1, 2, 5, 20), (40, 30, 15, 10, 5)
SMALLEST, LARGEST = 30, 1500  # pixels: the height of a face's box
GRAIN = 5.0  # standard deviation of the noise, as in a phone's camera
# The samples' faces (left, top, width, height), in pixels: measured once with the default detector.
SAMPLES = {
    "biden.jpg": Box(427, 161, 290, 409),
    "obama.jpg": Box(369, 86, 251, 348),
    "obama2.jpg": Box(200, 237, 281, 403),
    "obama3.jpg": Box(641, 248, 280, 364),
}
ROOM = 1.9  # height of a head relative to its face
TRIES = 200


@dataclass(frozen=True, slots=True)
class Photo:
    """A file and the faces placed in it."""

    path: Path
    faces: tuple[Box, ...]


def photos(count: int) -> list[Photo]:
    """Return the first `count` photos; every twenty contain each number of faces in its share."""
    folder = ROOT / "build" / "bench" / f"photos-{EDITION}"
    if folder.parent.is_dir():
        for old in folder.parent.glob("photos-*"):
            if old != folder:
                shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    samples, _ = fetched()
    return [_kept(folder, samples, number) for number in range(count)]


def _kept(folder: Path, samples: Path, number: int) -> Photo:
    path, said = folder / f"IMG_{number:04}.jpg", folder / f"IMG_{number:04}.json"
    if not said.is_file():  # written last
        pixels, faces = collage(samples, number)
        done, encoded = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        assert done
        path.write_bytes(encoded.tobytes())
        said.write_text(json.dumps([asdict(face) for face in faces]), encoding="utf-8")
    return Photo(path, tuple(Box(**face) for face in json.loads(said.read_text(encoding="utf-8"))))


def count_of(number: int) -> int:
    """Return the photo's number of faces, distributed over twenty photos by weight."""
    row = [count for count, weight in zip(FACES, WEIGHTS, strict=True) for _ in range(weight // 5)]
    random.Random(number // len(row)).shuffle(row)
    return row[number % len(row)]


def collage(samples: Path, number: int) -> tuple[NDArray[np.uint8], list[Box]]:
    """Return uint8 [3000, 4000, 3] RGB, and the faces in it. The same for the same number."""
    chance = random.Random(number)
    boxes: list[Box] = []
    while len(boxes) < (wanted := count_of(number)):
        boxes = _places(chance, wanted)
    return composed(samples, number, SIZE, boxes, chance)


def composed(
    samples: Path, number: int, size: tuple[int, int], boxes: Sequence[Box], chance: random.Random
) -> tuple[NDArray[np.uint8], list[Box]]:
    """Return a landscape of that width and height with a head at each box (left top corner and height), and the positions of the faces."""
    canvas = background(number, size)
    found = []
    for place in boxes:
        cut, face = head(samples, chance.choice(sorted(SAMPLES)))
        factor = place.h / face.h
        small = _resized(cut, factor)
        if chance.random() < 0.5:
            small = small[:, ::-1]
            face = Box(cut.shape[1] - face.x - face.w, face.y, face.w, face.h)
        light = chance.uniform(0.85, 1.1)
        face = face.scaled(factor)
        left, top = round(place.x - face.x), round(place.y - face.y)
        _put(canvas, np.clip(small * light, 0, 255), left, top)
        found.append(Box(left + face.x, top + face.y, face.w, face.h))
    canvas += GRAIN * np.random.default_rng(number).standard_normal((size[1], size[0], 1), np.float32)
    return np.clip(canvas, 0, 255).astype(np.uint8), found


def _places(chance: random.Random, count: int) -> list[Box]:
    """Place the faces of one photo at about the same distance; no head covers another. May place fewer."""
    typical = np.exp(chance.uniform(np.log(SMALLEST), np.log(LARGEST if count < 2 else LARGEST / count**0.5)))
    placed: list[Box] = []
    for _ in range(count):
        height = float(np.clip(typical * chance.uniform(0.7, 1.4), SMALLEST, LARGEST))
        for _ in range(TRIES):
            side = height * ROOM
            if side >= min(SIZE):
                break
            head = Box(chance.uniform(0, SIZE[0] - side), chance.uniform(0, SIZE[1] - side), side, side)
            if not any(head.intersection(other) for other in placed):
                placed.append(head)
                break
    return [Box(head.x + head.w * 0.25, head.y + head.h * 0.22, 0, head.h / ROOM) for head in placed]


def background(number: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a landscape with leaves, stones and walls, approximated by noise of all sizes. float32 [height, width, 3]."""
    canvas = np.asarray(cv2.resize(np.asarray(landscape(number), np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)
    chance = np.random.default_rng(number)
    for cell, strength in ((160, 14.0), (40, 10.0), (10, 8.0), (3, 6.0)):
        coarse = chance.normal(0, strength, (size[1] // cell, size[0] // cell)).astype(np.float32)
        canvas += np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.float32)[:, :, None]
    return canvas


@cache
def head(samples: Path, name: str) -> tuple[NDArray[np.float32], Box]:
    """Return a sample cropped around its head, float32 RGB, and the face's box in the crop."""
    pixels = np.asarray(Image.open(samples / name).convert("RGB"), np.float32)
    box = SAMPLES[name]
    left, top = max(0, round(box.x - 0.45 * box.w)), max(0, round(box.y - 0.4 * box.h))
    cut = pixels[top : round(box.y + 1.35 * box.h), left : round(box.x + 1.45 * box.w)]
    return cut, Box(box.x - left, box.y - top, box.w, box.h)


def _resized(pixels: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC), np.float32)


def _put(canvas: NDArray[np.float32], head: NDArray[np.float32], left: int, top: int) -> None:
    """Draw with soft edges, clipped to the canvas."""
    height, width = head.shape[:2]
    across, down = (np.minimum(1, np.minimum(np.arange(n) + 1, np.arange(n, 0, -1)) / (0.08 * n)) for n in (width, height))
    weight = np.minimum.outer(down, across).astype(np.float32)[:, :, None]
    x0, y0, x1, y1 = max(0, left), max(0, top), min(canvas.shape[1], left + width), min(canvas.shape[0], top + height)
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    canvas[y0:y1, x0:x1] += weight[inside] * (head[inside] - canvas[y0:y1, x0:x1])
