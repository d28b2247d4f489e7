"""Places in a photo where a face may be too small for the net's first look: compact patches in the colours of skin.

No model is needed for it. Luma says nothing here: foliage, stones and noise have structure of every size. What tells a distant face
from them is chroma: redder and less blue than neutral grey, and unlike its surroundings. Black-and-white and toned photos have none.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.inference.vision.codecs import Pixels, resize

# Pixels of a picture with a longer side of 1000: a face of 30 to 60 pixels in a photo of 12 megapixels, and its surroundings.
_FACE, _AROUND, _APART = (7, 9), (23, 23), 9
# Chroma of skin, whatever its lightness: from here on it counts, up to full weight after so many steps.
_RED, _RED_STEPS, _BLUE, _BLUE_STEPS = 126, 10, 130, 8
_ALL = 255.0
# Levels per step of chroma (both channels added; the face of a palish person differs by 20 from its surroundings), and of the weight 1.
_FINENESS, _FULL = 4, 40.0
_LEAST = 6
# Chroma that lightness doesn't explain, in its levels: measured 0 to 2 in toned photos, 2.9 to 24 in colour photos.
_TONED, _SAMPLE = 2.0, 100


@dataclass(frozen=True, slots=True)
class CandidateRegion:
    """A place to look at closely: its centre in pixels of the full image, the scale for it, and how much speaks for a face."""

    x: float
    y: float
    ratio: float
    weight: float


def skin_regions(pixels: Pixels, most: int) -> list[tuple[float, float, float]]:
    """Return the centres of the likeliest patches and their weights, best first; a patch is seldom above 3."""
    contrast = _contrast(pixels)
    unit = max(pixels.shape[:2]) / 1000
    apart = np.ones((_odd(_APART * unit),) * 2, np.uint8)
    peaks = np.flatnonzero((contrast == cv2.dilate(contrast, apart)) & (contrast > _LEAST))
    weights = contrast.ravel()[peaks]
    best = np.argsort(-weights.astype(np.int16), kind="stable")[:most]
    rows, columns = np.divmod(peaks[best], contrast.shape[1])
    return list(zip((columns + 0.5).tolist(), (rows + 0.5).tolist(), (weights[best] / _FULL).tolist(), strict=True))


def in_colour(pixels: Pixels) -> bool:
    """Return whether it has colours at all: in black-and-white, sepia or blueprints chroma depends on lightness alone."""
    sample = cv2.cvtColor(resize(pixels, _SAMPLE, _SAMPLE), cv2.COLOR_RGB2YCrCb)
    values = sample.reshape(-1, 3).astype(np.float64)
    values -= values.mean(axis=0)
    lightness, chroma = values[:, :1], values[:, 1:]
    explained = lightness * (lightness.T @ chroma) / max(float((lightness**2).sum()), 1.0)
    return bool((chroma - explained).std(axis=0).max() > _TONED)


def _contrast(pixels: Pixels) -> NDArray[np.uint8]:
    """Return for each pixel how much a patch of a face's size around it looks like skin, and unlike its surroundings."""
    unit = max(pixels.shape[:2]) / 1000
    colours = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb), np.uint8)
    red, unlike_red = _patches(colours, 1, unit)
    blue, unlike_blue = _patches(colours, 2, unit)
    skin = cv2.multiply(cv2.LUT(red, _REDDER), cv2.LUT(blue, _LESS_BLUE), scale=1 / _ALL)
    return np.asarray(cv2.multiply(skin, cv2.add(unlike_red, unlike_blue), scale=_FINENESS / _ALL), np.uint8)


def _patches(colours: Pixels, channel: int, unit: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the mean of a patch of a face's size around each pixel, and its difference from the surroundings."""
    # Alone: a slice of one channel has gaps, which OpenCV's functions first copy, slowly.
    chroma = cv2.extractChannel(colours, channel)
    face = cv2.blur(chroma, (_odd(_FACE[0] * unit), _odd(_FACE[1] * unit)))
    around = cv2.blur(chroma, (_odd(_AROUND[0] * unit), _odd(_AROUND[1] * unit)))
    return np.asarray(face, np.uint8), np.asarray(cv2.absdiff(face, around), np.uint8)


def _odd(length: float) -> int:
    return 2 * round((length - 1) / 2) + 1


def _table(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.asarray(_ALL * np.clip(values, 0, 1), np.uint8)


_LEVELS = np.arange(256, dtype=np.float64)
_REDDER = _table((_LEVELS - _RED) / _RED_STEPS)
_LESS_BLUE = _table((_BLUE - _LEVELS) / _BLUE_STEPS)
