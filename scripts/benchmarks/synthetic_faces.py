"""Synthetic face prints, distributed as MobileFaceNet's are: for libraries larger than any test data; seeded.

Method: 192 values whose variance falls by a factor e every 26 axes, with randomly rotated axes. A person's centre is drawn from this,
and each of their faces is the centre plus a deviation drawn in the same way, normalised to length 1. The size of the deviation varies
from face to face (log-normal), as it does with light, age and pose.

Basis: 788 faces of 31 people, Western and Chinese, through this program's own detector and embedder. There the same
person's faces were 0.56 to 1.15 apart (5 % to 95 %, median 0.85), different people's 1.21 to 1.55 (median 1.39), and 98 % of the
variance was in 100 of the 192 axes. Generated here: 0.60 to 1.09 (median 0.83) and 1.21 to 1.55 (median 1.39).

Group sizes are uneven: from 1 face to `LARGEST`, as many people with 1 to 10 faces as with 10 to 100, and so on.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 192
FALLS_OVER = 26.0  # axes
COMMON = 0.055  # common to all faces: its square, relative to a centre's length
DEVIATION, VARIES = 0.54, 0.6  # median of its square, in the same unit; sigma of its logarithm
LARGEST = 2_000
AT_ONCE = 50_000


def faces(count: int, seed: int = 5) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return float32 [count, 192] of length 1, and the person of each face (from 1), in random order."""
    vectors, people = np.empty((count, DIMENSIONS), np.float32), np.empty(count, np.int64)
    done = 0
    for some, whose in pages(count, seed):
        vectors[done : done + len(some)], people[done : done + len(some)] = some, whose
        done += len(some)
    return vectors, people


def pages(count: int, seed: int = 5, at_once: int = AT_ONCE) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Yield the same in pages."""
    chance = np.random.default_rng(seed)
    people = chance.permutation(_sizes(count, chance))
    spread = np.exp(-np.arange(DIMENSIONS) / (2 * FALLS_OVER))
    turned, _ = np.linalg.qr(chance.standard_normal((DIMENSIONS, DIMENSIONS)))
    axes = np.asarray((spread / np.linalg.norm(spread))[:, None] * turned, np.float32)
    common = np.float32(COMMON**0.5) * axes[0] / np.linalg.norm(axes[0])
    centres = common + _drawn(int(people.max(initial=0)) + 1, axes, chance)
    for start in range(0, count, at_once):
        whose = people[start : start + at_once]
        far = np.sqrt(DEVIATION * chance.lognormal(0, VARIES, (len(whose), 1))).astype(np.float32)
        rows = centres[whose] + far * _drawn(len(whose), axes, chance)
        yield rows / np.linalg.norm(rows, axis=1, keepdims=True), whose


def _drawn(count: int, axes: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(chance.standard_normal((count, DIMENSIONS), np.float32) @ axes, np.float32)


def _sizes(count: int, chance: np.random.Generator) -> NDArray[np.int64]:
    """Return the person of each of `count` faces, person after person."""
    sizes = np.zeros(0, np.int64)
    while sizes.sum() < count:
        sizes = np.append(sizes, np.exp(chance.uniform(0, np.log(LARGEST), 1_000)).astype(np.int64))
    return np.repeat(np.arange(1, len(sizes) + 1), sizes)[:count]
