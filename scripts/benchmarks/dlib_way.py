"""The method of `face_recognition`, which many programs use: dlib's HOG detector, five points, its embedder; one photo after the other."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.features.models.model_store import ModelStore
from scripts.benchmarks.rows import ROOT

UPSAMPLED = 1  # the default: doubled once before detection
SIDE = 640


class DlibWay:
    """Two variants: with its default settings, and with the optimisations that cost our program least."""

    def __init__(self) -> None:
        store = ModelStore(ROOT / "build" / "bench" / "dlib", ROOT / "scripts" / "benchmarks" / "dlib_models.toml")
        with contextlib.redirect_stdout(sys.stderr):
            folder = store.fetch("dlib-reference")
        self._find = dlib.get_frontal_face_detector()
        self._points = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
        self._embed = dlib.face_recognition_model_v1(str(folder / "dlib_face_recognition_resnet_model_v1.dat"))

    def default(self, photo: Path) -> int:
        """Return the number of faces by `load_image_file` and `face_encodings`."""
        pixels = np.array(Image.open(photo).convert("RGB"))
        return self._embedded(pixels, self._find(pixels, UPSAMPLED))

    def fair(self, photo: Path) -> int:
        """Return the number of faces, decoded at a quarter of the size, detected in 640 pixels."""
        pixels = cv2.imdecode(np.fromfile(photo, np.uint8), cv2.IMREAD_REDUCED_COLOR_4)
        assert pixels is not None
        pixels = np.ascontiguousarray(pixels[:, :, ::-1], np.uint8)
        factor = max(pixels.shape) / SIDE
        small = cv2.resize(pixels, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        found = [
            dlib.rectangle(*(round(factor * edge) for edge in (box.left(), box.top(), box.right(), box.bottom())))
            for box in self._find(small, UPSAMPLED)
        ]
        return self._embedded(pixels, found)

    def _embedded(self, pixels: NDArray[Any], found: list["dlib.rectangle"]) -> int:
        for box in found:
            self._embed.compute_face_descriptor(pixels, self._points(pixels, box), 1)
        return len(found)
