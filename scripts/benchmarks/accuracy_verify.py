"""One face against another, and against a person with several references: the contribution of each part of the recipe."""

from collections.abc import Iterator

import numpy as np

from agent.domain.identity_matching import MIN_TRUST, is_clear, trust
from scripts.benchmarks.accuracy_draw import drawn, mean
from scripts.benchmarks.accuracy_faces import VARIANTS, Faces
from scripts.benchmarks.accuracy_figures import Floats, distances, true_accepts
from scripts.benchmarks.accuracy_names import REPORTED, half
from scripts.benchmarks.rows import Row, at_least

FALSE_ACCEPTS = 1e-3
REFERENCES, ROUNDS = 3, 20


def rows(name: str, faces: Faces, target: float) -> Iterator[Row]:
    """Yield the rows; `verify_<name>_tar` is the program's: each face against each person of three references, by the distance that counts.

    Samples are the bounds at which that share of wrong pairs is admitted.
    """
    for variant in VARIANTS:
        yield _row(f"{name}_{variant}", *pairs(faces, faces.vectors[variant]), target=0)
    good = faces.chosen([trust(quality) >= MIN_TRUST for quality in faces.qualities])
    yield _row(f"{name}_quality", *pairs(good, good.vectors["product"]), target=0)
    clear = faces.chosen([is_clear(quality) for quality in faces.qualities])
    yield _row(f"{name}_clear", *pairs(clear, clear.vectors["product"]), target=0)
    unseen = half(faces, REPORTED)
    yield _row(f"{name}_unseen", *pairs(unseen, unseen.vectors["product"]), target=0)
    yield _row(f"{name}_unseen_references_3", *against(unseen, REFERENCES), target=0)
    for references in (2, REFERENCES, 5):
        yield _row(f"{name}_references_{references}", *against(faces, references), target=0)
    yield _row(f"{name}_tar", *against(faces, REFERENCES), target=target)


def pairs(faces: Faces, vectors: Floats) -> tuple[Floats, Floats]:
    """Return the distances of all pairs of the same person, and of all other pairs."""
    one, other = np.triu_indices(len(faces), 1)
    apart = distances(vectors, vectors)[one, other]
    same = faces.people[one] == faces.people[other]
    return apart[same], apart[~same]


def against(faces: Faces, references: int) -> tuple[Floats, Floats]:
    """Return the distances of faces to their own person, and to each other person: halfway between the nearest reference and the mean."""
    same: list[Floats] = []
    different: list[Floats] = []
    for round_ in range(ROUNDS):
        gallery, probes = drawn(faces, np.unique(faces.people), references, round_)
        vectors = faces.vectors["product"]
        for person in np.unique(faces.people[gallery]):
            known = vectors[gallery[faces.people[gallery] == person]]
            nearest = distances(vectors[probes], known).min(axis=1)
            counted = (nearest + distances(vectors[probes], mean(known)[None])[:, 0]) / 2
            same.append(counted[faces.people[probes] == person])
            different.append(counted[faces.people[probes] != person])
    return np.concatenate(same), np.concatenate(different)


def _row(name: str, same: Floats, different: Floats, *, target: float) -> Row:
    share, bound = true_accepts(same, different, FALSE_ACCEPTS)
    return at_least(f"verify_{name}", share, target, [bound])
