"""Embeddings of invented faces, for tests."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def made(sizes: list[int], *, alike: float = 0.6, seed: int = 1) -> tuple[Floats, Ints]:
    """So many faces of each person in random order, and whose they are. One person's have a cosine of about `alike`, others' of about 0."""
    chance = np.random.default_rng(seed)
    people = chance.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = unit(chance.standard_normal((len(sizes), 192)))
    own = unit(chance.standard_normal((len(people), 192)))
    return unit(np.sqrt(alike) * centres[people] + np.sqrt(1 - alike) * own), people


def chain(links: int, cosine: float) -> Floats:
    """Each face is so like the next one, and hardly like the one after that."""
    turn = np.arange(links) * np.arccos(cosine)
    # Every second turn goes into a plane of its own, or the chain would close to a ring.
    rows = np.zeros((links, links + 1))
    rows[0, 0] = 1
    for at in range(1, links):
        rows[at] = np.cos(turn[1]) * rows[at - 1]
        rows[at, at] += np.sin(turn[1])
    return unit(rows)


def unit(rows: NDArray[np.float64]) -> Floats:
    """Rows brought to length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def same(labels: Ints, people: Ints) -> bool:
    """Whether both part the faces in the same way; -1 is a face by itself."""
    alone = np.where(labels < 0, -1 - np.arange(len(labels)), labels)
    return bool(((alone[:, None] == alone) == (people[:, None] == people)).all())


def face(seed: int) -> Floats:
    """Faces whose seeds have the same last digit are of one person."""
    centre = np.random.default_rng(seed % 10).standard_normal(192)
    vector = centre + 0.6 * np.random.default_rng(seed).standard_normal(192)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
