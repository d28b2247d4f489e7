"""Chooses the bounds of clusters on some people, and judges a choice on others.

`python -P scripts/benchmarks/cluster_bounds.py FOLDER` prints the bounds for the labelled faces of a folder (scripts/benchmarks/accuracy.py
describes it), and for each of several random halves the bounds chosen on it and how they do on the other half: run it again when
the embeddings change, and put the bounds that suit all people into agent/domain/clustering.py.

A method is a list of functions from a set of faces to labels, one for each of its settings, the strictest first. Of the settings that cost
at most `SPENT` of F1, the one with the fewest clusters of two people is chosen, and the strictest of these: a few people may have no
doubles among them, and then show none at any setting.
"""

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from agent.domain.clustering import ClusterThresholds
from agent.inference.vision.clusterer import NEAREST, cluster
from agent.inference.vision.knn_graph import neighbours
from scripts.benchmarks.accuracy_clusters import Ints, Labelled, Set, f1, people_of, sets

ALIKE, EARLY = (1.06, 1.08, 1.10), (1.0, 1.02, 1.04)  # the strictest first
JOINS, SURELY_JOINS = (-0.14, -0.17, -0.20, -0.23), (-0.12, -0.15, -0.18)
SPENT = 0.002
SPLITS, DRAWS = 5, 20

Method = Sequence[Callable[[Set], Ints]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a setting does on some sets."""

    mixed: int  # clusters with two people
    clusters: int  # of two faces or more: all of them are shown for naming
    f1: tuple[float, ...]  # of each set

    @classmethod
    def of(cls, cluster_: Callable[[Set], Ints], sets_: Sequence[Set]) -> "Outcome":
        labels = [cluster_(each) for each in sets_]
        counts = [mixed(found, each.people) for found, each in zip(labels, sets_, strict=True)]
        scores = tuple(f1(found, each.people) for found, each in zip(labels, sets_, strict=True))
        return cls(sum(bad for bad, _ in counts), sum(all_ for _, all_ in counts), scores)

    @property
    def share(self) -> float:
        return self.mixed / max(self.clusters, 1)

    @property
    def mean_f1(self) -> float:
        return float(np.mean(self.f1))


def mixed(labels: Ints, people: Ints) -> tuple[int, int]:
    """Return the number of clusters with two people or more, and of all clusters."""
    pairs = np.unique(np.stack([labels, people])[:, labels >= 0], axis=1)
    _, counts = np.unique(pairs[0], return_counts=True)
    return int((counts > 1).sum()), len(counts)


def choices() -> list[ClusterThresholds]:
    columns = (ALIKE, EARLY, JOINS, SURELY_JOINS)
    ranks = sorted(itertools.product(*(range(len(each)) for each in columns)), key=lambda ranks: (sum(ranks), ranks))
    settings = [[values[rank] for values, rank in zip(columns, each, strict=True)] for each in ranks]
    return [
        replace(ClusterThresholds(), alike=alike, early=early, joins=joins, surely_joins=surely)
        for alike, early, joins, surely in settings
        if joins <= surely
    ]


def by(bounds: ClusterThresholds) -> Callable[[Set], Ints]:
    def found(each: Set) -> Ints:
        if each.graph is None:
            each.graph = neighbours(each.vectors, NEAREST, bounds.within)
        return cluster(each.vectors, each.trust, np.full(len(each.people), -1), bounds=bounds, graph=each.graph)

    return found


def chosen(method: Method, sets_: Sequence[Set]) -> int:
    """Return which of its settings is chosen on these sets."""
    outcomes = [Outcome.of(setting, sets_) for setting in method]
    best = max(outcome.mean_f1 for outcome in outcomes)
    return min((at for at in range(len(method)) if outcomes[at].mean_f1 >= best - SPENT), key=lambda at: outcomes[at].share)


def split(groups: Mapping[str, Labelled]) -> Iterator[tuple[list[Set], list[Set]]]:
    """Yield sets to choose on and sets of other people to judge on: of random halves, and the other way round."""
    for seed in range(SPLITS):
        halves = [sets([theirs[half] for theirs in people_of(groups, seed)], DRAWS) for half in (0, 1)]
        yield halves[0], halves[1]
        yield halves[1], halves[0]


def main() -> None:
    from scripts.benchmarks.accuracy_faces import labelled

    folder = Path(sys.argv[1]) / "faces"
    groups = {name: labelled(folder / part) for name, part in (("chinese", "chinese"), ("western", "aligned"))}
    bounds = choices()
    method = [by(each) for each in bounds]
    everybody = sets([[*one, *other] for one, other in people_of(groups, 0)], DRAWS)
    told = {"the product's bounds": ClusterThresholds(), "chosen on all people": bounds[chosen(method, everybody)]}
    for name, each in told.items():
        _say(f"{name}, all people", each, Outcome.of(by(each), everybody))
    for choose_on, judge_on in split(groups):
        best = bounds[chosen(method, choose_on)]
        _say("chosen on one half, judged on the other", best, Outcome.of(by(best), judge_on))


def _say(name: str, bounds: ClusterThresholds, outcome: Outcome) -> None:
    said = f"alike {bounds.alike}, early {bounds.early}, joins {bounds.joins}, surely_joins {bounds.surely_joins}"
    print(f"{name}: {said}: mixed {outcome.mixed} of {outcome.clusters} ({outcome.share:.4f}), F1 {outcome.mean_f1:.4f}", flush=True)


if __name__ == "__main__":
    main()
