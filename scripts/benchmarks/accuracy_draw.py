"""Draws, seeded, which faces are known and which are to be recognised."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.domain.identity_matching import Candidate, is_clear
from scripts.benchmarks.accuracy_faces import Faces
from scripts.benchmarks.accuracy_figures import Floats, distances

Ints = NDArray[np.int64]


def drawn(faces: Faces, known: Ints, references: int, seed: int) -> tuple[Ints, Ints]:
    """Return the rows of the references of the `known` people, and of all other faces. Each person keeps at least one face to recognise."""
    chance = np.random.default_rng(seed)
    gallery: list[int] = []
    for person in known:
        own = chance.permutation(np.nonzero(faces.people == person)[0])
        gallery += own[: min(references, len(own) - 1)].tolist()
    return np.array(gallery), np.setdiff1d(np.arange(len(faces)), gallery)


def candidates(faces: Faces, gallery: Ints, probes: Ints, probable: float) -> Iterator[tuple[int, Sequence[Candidate]]]:
    """Yield each probe's row and its candidates, nearest first, as the matcher returns them."""
    vectors = faces.vectors["product"]
    apart = distances(vectors[probes], vectors[gallery])
    owners = faces.people[gallery]
    clear = np.array([is_clear(faces.qualities[row]) for row in gallery])
    columns = [(int(person), np.nonzero(owners == person)[0]) for person in np.unique(owners)]
    typical = distances(vectors[probes], np.stack([mean(vectors[gallery[at]]) for _, at in columns]))
    for row, line, middle in zip(probes, apart, typical, strict=True):
        near = [
            Candidate(
                person,
                float(line[at].min()),
                int((line[at] <= probable).sum()),
                len(at),
                typical=float(middle[number]),
                clear=float(line[at][clear[at]].min(initial=2)),
            )
            for number, (person, at) in enumerate(columns)
        ]
        yield int(row), sorted(near, key=lambda candidate: candidate.distance)


def mean(vectors: Floats) -> Floats:
    """Return the mean of some rows, with length 1."""
    total = vectors.sum(axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)
