"""Rows of the group `accuracy`: how well unnamed faces are clustered by person, compared with other methods, and how fast.

A set has few or many faces of each person, from 2 to all, as many people with 2 to 10 as with 10 to 50; it is drawn `DRAWS`
times, seeded, and a figure is the mean. The product's bounds were set on half of the people; the other half is judged (for the
limits of this claim see docs/decisions/0012). Each other method uses the one setting that does best on the judged sets themselves.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.clustering import ClusterThresholds
from agent.domain.face import Quality
from agent.domain.identity_matching import trust
from agent.inference.vision.clusterer import NEAREST, Graph, cluster
from agent.inference.vision.incremental_clusters import ClusterMember, IncrementalClusterer
from scripts.benchmarks import accuracy_cards
from scripts.benchmarks.rows import Row, at_least, at_most, percentile
from scripts.benchmarks.synthetic_faces import faces

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Person: TypeAlias = tuple[Floats, Floats]  # the vectors of one person's faces, and their trust

DRAWS = 20
F1, GAP = 0.99, 0.02
MANY, NEW = 100_000, 200
FROM_NOTHING_S, ONE_NEW_MS = 60, 50
BOUNDS = ClusterThresholds()


class Labelled(Protocol):
    """Faces of known people."""

    @property
    def people(self) -> Ints: ...

    @property
    def qualities(self) -> Sequence[Quality]: ...

    @property
    def vectors(self) -> Mapping[str, Floats]: ...


class Set:
    """Some faces in random order: float32 [n, d], the person of each and its trust."""

    def __init__(self, vectors: Floats, people: Ints, trusted: Floats) -> None:
        self.vectors, self.people, self.trust = vectors, people, trusted
        self.distances = np.sqrt(np.clip(2 - 2 * np.asarray(vectors @ vectors.T, np.float64), 0, 4))
        np.fill_diagonal(self.distances, 0)
        self.graph: Graph | None = None  # the nearest faces of each, once they were found


def rows(groups: Mapping[str, Labelled]) -> Iterator[Row]:
    """Yield the rows. Rows whose target is 0 are reported, not judged."""
    tuned, unseen = halves(groups)
    yield from _grouped(unseen)
    for name, sets in (("tuned", tuned), ("all", drawn(groups, None))):
        scores = [f1(_clustered(each), each.people) for each in sets]
        yield at_least(f"cluster_f1_{name}", float(np.mean(scores)), 0, scores)
        yield from _cards(name, sets)
    yield from _fast()


def _cards(name: str, sets: Sequence[Set]) -> Iterator[Row]:
    """Yield the outcome for a user who names cards, with clusters formed at once and one by one."""
    for how, formed in (("at_once", _clustered), ("grown", grown)):
        outcomes = []
        for each in sets:
            labels = formed(each)
            new, old = (
                accuracy_cards.Naming(each.vectors, each.people, each.trust, each.distances).through(labels, all_of_it=all_of_it)
                for all_of_it in (False, True)
            )
            outcomes.append((new, old))
        yield from accuracy_cards.rows(f"{name}_{how}", outcomes)


def halves(groups: Mapping[str, Labelled]) -> tuple[list[Set], list[Set]]:
    """Return the sets of the people that the bounds were set on, and of the others."""
    return drawn(groups, 0), drawn(groups, 1)


def drawn(groups: Mapping[str, Labelled], half: int | None) -> list[Set]:
    """Return the sets, each with all people of that half, or with all people."""
    return sets([[*one, *other] if half is None else (one, other)[half] for one, other in people_of(groups, 1)], DRAWS)


def people_of(groups: Mapping[str, Labelled], seed: int) -> list[tuple[list[Person], list[Person]]]:
    """Return two random halves of each group's people."""
    found = []
    for each in groups.values():
        trusted = np.array([trust(quality) for quality in each.qualities], np.float32)
        order = np.random.default_rng(seed).permutation(np.unique(each.people))
        people = [(each.vectors["product"][each.people == one], trusted[each.people == one]) for one in order]
        found.append((people[: len(people) // 2], people[len(people) // 2 :]))
    return found


def sets(groups: Sequence[Sequence[Person]], draws: int) -> list[Set]:
    """Return sets with all of these people."""
    people = [person for group in groups for person in group]
    return [_draw(people, np.random.default_rng(seed)) for seed in range(draws)]


def _draw(chosen: Sequence[Person], chance: np.random.Generator) -> Set:
    vectors, people, trusted = [], [], []
    for who, (theirs, their_trust) in enumerate(chosen):
        size = int(np.exp(chance.uniform(np.log(2), np.log(len(theirs) + 1))))
        taken = chance.permutation(len(theirs))[:size]
        vectors.append(theirs[taken])
        people += [who] * size
        trusted.append(their_trust[taken])
    order = chance.permutation(len(people))
    return Set(np.concatenate(vectors)[order], np.array(people)[order], np.concatenate(trusted)[order])


def f1(labels: Ints, people: Ints) -> float:
    """Return the harmonic mean over all pairs: the share of joined pairs that are one person, and of one person's pairs that are joined."""
    alone = labels < 0
    labels = np.where(alone, labels.max(initial=0) + 1 + np.cumsum(alone), labels)
    together, theirs = (_pairs(np.unique(each, return_counts=True)[1]) for each in (labels, people))
    right = _pairs(np.unique(np.stack([labels, people]), axis=1, return_counts=True)[1])
    return 2 * right / (together + theirs) if together + theirs else 1.0


def _pairs(sizes: Ints) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _clustered(each: Set) -> Ints:
    return cluster(each.vectors, each.trust, np.full(len(each.people), -1), bounds=BOUNDS)


def _grouped(sets: Sequence[Set]) -> Iterator[Row]:
    ours = [f1(_clustered(each), each.people) for each in sets]
    yield at_least("cluster_f1", float(np.mean(ours)), F1, ours)
    for name, settings in others().items():
        scored = [[f1(method(each), each.people) for each in sets] for method in settings]
        best = max(scored, key=lambda scores: float(np.mean(scores)))
        yield at_least(f"cluster_f1_{name}", float(np.mean(best)), 0, best)
    gaps = [at_once - f1(grown(each), each.people) for at_once, each in zip(ours, sets, strict=True)]
    yield at_most("cluster_growing_gap", float(np.mean(gaps)), GAP, gaps)


def others() -> dict[str, list[Callable[[Set], Ints]]]:
    """Each method in all of its settings."""
    import dlib  # import what only this group and `scan` install
    from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering

    def average(within: float) -> Callable[[Set], Ints]:
        method = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=within)
        return lambda each: np.asarray(method.fit_predict(each.distances), np.int64)

    def whispers(within: float) -> Callable[[Set], Ints]:
        def found(each: Set) -> Ints:
            one, other = np.nonzero(np.triu(each.distances <= within))  # each face with itself too: otherwise isolated faces are dropped
            return np.array(dlib.chinese_whispers(list(zip(one.tolist(), other.tolist(), strict=True))), np.int64)

        return found

    def dbscan(within: float, least: int) -> Callable[[Set], Ints]:
        method = DBSCAN(eps=within, min_samples=least, metric="precomputed")
        return lambda each: np.asarray(method.fit_predict(each.distances), np.int64)

    def hdbscan(least: int, samples: int) -> Callable[[Set], Ints]:
        method = HDBSCAN(min_cluster_size=least, min_samples=samples, metric="precomputed", copy=True)
        return lambda each: np.asarray(method.fit_predict(each.distances), np.int64)

    bounds = np.arange(0.7, 1.3, 0.02).tolist()
    return {
        "average": [average(within) for within in bounds],
        "whispers": [whispers(within) for within in bounds],
        "dbscan": [dbscan(within, least) for within in bounds for least in (1, 2, 3, 4, 5)],
        "hdbscan": [hdbscan(least, samples) for least in (2, 3, 4, 5) for samples in (1, 2, 3, 5)],
    }


def grown(each: Set) -> Ints:
    """Return the labels when faces are added one by one."""
    grouping = IncrementalClusterer(lambda rows: each.vectors[list(rows)], bounds=BOUNDS)
    for face, trusted in enumerate(each.trust.tolist()):
        near = np.argsort(each.distances[face, :face])[:NEAREST]
        near = near[each.distances[face, near] <= BOUNDS.within]
        found = zip(near.tolist(), each.distances[face, near].tolist(), strict=True)
        grouping.add(ClusterMember(face, trusted), each.vectors[face], found)
    return np.array([grouping.label(face) for face in range(len(each.people))])


def _fast() -> Iterator[Row]:
    """Yield the speed on synthetic faces; finding the neighbours of the new face is part of both figures."""
    vectors, people = faces(MANY + NEW)
    trusted, photo = np.ones(MANY, np.float32), np.full(MANY, -1)
    begun = time.perf_counter()
    labels = cluster(vectors[:MANY], trusted, photo, bounds=BOUNDS)
    taken = time.perf_counter() - begun
    yield at_most("cluster_100k_s", taken, FROM_NOTHING_S, [taken])
    score = f1(labels, people[:MANY])
    yield at_least("cluster_100k_f1", score, F1, [score])
    members = (ClusterMember(face, 1.0, label=label) for face, label in enumerate(labels.tolist()))
    grouping = IncrementalClusterer(lambda rows: vectors[list(rows)], members, bounds=BOUNDS)
    spans = []
    for face in range(MANY, MANY + NEW):
        begun = time.perf_counter()
        cosines = vectors[:face] @ vectors[face]
        near = np.argpartition(-cosines, NEAREST)[:NEAREST]
        distances = np.sqrt(np.maximum(2 - 2 * cosines[near], 0))
        found = [(row, away) for row, away in zip(near.tolist(), distances.tolist(), strict=True) if away <= BOUNDS.within]
        grouping.add(ClusterMember(face, 1.0), vectors[face], found)
        spans.append(1000 * (time.perf_counter() - begun))
    yield at_most("cluster_one_new_ms", percentile(spans, 0.95), ONE_NEW_MS, spans)
