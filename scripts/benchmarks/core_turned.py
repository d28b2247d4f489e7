"""The row `turned_faces`: faces found in photos turned by 90, 180 and 270 degrees, as a share of those found upright."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from agent.inference.vision.orientation import TURNS, rotate_box_back
from scripts.benchmarks.accuracy_detect import found, unmatched
from scripts.benchmarks.accuracy_faces import config
from scripts.benchmarks.photos import photos
from scripts.benchmarks.rows import Row, at_least
from tests.support.inline_engine import InlineAnalyser

PHOTOS, TARGET = 60, 0.98


def rows(_long: bool) -> Iterator[Row]:
    """Yield the row; its samples are the shares of each turn."""
    upright = 0
    seen = dict.fromkeys(TURNS, 0)
    with config() as settings, tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        analyser = InlineAnalyser(settings)
        for photo in photos(PHOTOS):
            if not photo.faces:
                continue
            expected = found(analyser, photo.path)
            upright += len(expected)
            pixels = np.asarray(cv2.imread(str(photo.path)), np.uint8)
            for turn in TURNS:
                path = Path(folder) / f"{turn}.jpg"
                cv2.imwrite(str(path), np.rot90(pixels, turn), [cv2.IMWRITE_JPEG_QUALITY, 95])
                there = [rotate_box_back(box, turn, pixels.shape[1], pixels.shape[0]) for box in found(analyser, path)]
                seen[turn] += len(expected) - len(unmatched(expected, there))
    shares = [count / upright for count in seen.values()]
    yield at_least("turned_faces", min(shares), TARGET, shares)
