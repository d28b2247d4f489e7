"""The rows `clusters_…`: how many clusters of unnamed faces hold two people, on people that the bounds were not chosen on.

The bounds are chosen on a random half of the people and judged on the other (`scripts/benchmarks/cluster_bounds.py`), `SPLITS` times
and the other way round. Counted are the clusters that the page and `ai-popup people clusters` show: all of two faces or more, formed at
once, as the program does up to `agent.features.people.clusters.FEW` faces, and grown one by one (`_grown`). Other methods choose their
setting in
the same way.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from agent.inference.vision.clusterer import cluster
from scripts.benchmarks import accuracy_clusters, cluster_bounds
from scripts.benchmarks.accuracy_clusters import Ints, Labelled, Set
from scripts.benchmarks.cluster_bounds import Outcome
from scripts.benchmarks.rows import Row, at_least, at_most

MIXED, F1 = 0.005, 0.985
OTHERS = ("average", "whispers", "hdbscan")


def rows(groups: Mapping[str, Labelled]) -> Iterator[Row]:
    """Yield the rows. Those of other methods have the targets 0 and 1: they are reported, not judged."""
    halves = list(cluster_bounds.split(groups))
    bounds = cluster_bounds.choices()
    method = [cluster_bounds.by(each) for each in bounds]
    best = [cluster_bounds.chosen(method, choose_on) for choose_on, _ in halves]
    outcomes = [Outcome.of(method[at], judge_on) for at, (_, judge_on) in zip(best, halves, strict=True)]
    yield from _rows("", outcomes, MIXED, F1)
    grown = [Outcome.of(accuracy_clusters.grown, judge_on) for _, judge_on in halves]
    yield from _rows("_grown", grown, MIXED, F1)
    shipped = [Outcome.of(_shipped, judge_on) for _, judge_on in halves]
    yield from _rows("_shipped", shipped, MIXED, F1)
    others = accuracy_clusters.others()
    for name in OTHERS:
        settings = others[name]
        found = [Outcome.of(settings[cluster_bounds.chosen(settings, choose_on)], judge_on) for choose_on, judge_on in halves]
        yield from _rows(f"_{name}", found, 1, 0)


def _rows(name: str, outcomes: Sequence[Outcome], mixed: float, f1: float) -> Iterator[Row]:
    share = sum(each.mixed for each in outcomes) / sum(each.clusters for each in outcomes)
    yield at_most(f"clusters_mixed{name}", share, mixed, [each.share for each in outcomes])
    yield at_least(f"clusters_f1{name}", float(np.mean([each.mean_f1 for each in outcomes])), f1, [each.mean_f1 for each in outcomes])


def _shipped(each: Set) -> Ints:
    return cluster(each.vectors, each.trust, np.full(len(each.people), -1))
