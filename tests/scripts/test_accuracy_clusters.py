"""The arithmetic of how well faces are grouped, on cases whose answers are known."""

from dataclasses import dataclass

import numpy as np
import pytest

from agent.domain.face import Quality
from scripts.benchmarks import accuracy_clusters, cluster_bounds, core_clusters
from scripts.benchmarks.accuracy_clusters import DRAWS, Floats, Ints, drawn, f1
from tests.support.synthetic_embeddings import made


@dataclass
class Known:
    people: Ints
    qualities: tuple[Quality, ...]
    vectors: dict[str, Floats]


def known(sizes: list[int]) -> Known:
    vectors, people = made(sizes)
    return Known(people, (Quality(60, 500, 0, 0),) * len(people), {"product": vectors})


@pytest.mark.parametrize(
    ("labels", "people", "score"),
    [
        ([0, 0, 1, 1], [5, 5, 6, 6], 1),
        ([0, 0, 0, 0], [5, 5, 6, 6], 0.5),  # 2 of 6 pairs are right, none is missing
        ([0, 0, -1, -1], [5, 5, 6, 6], 2 / 3),  # who is alone is in no pair
        ([-1, -1, -1, -1], [1, 2, 3, 4], 1),
        ([-1, -1], [1, 1], 0),
    ],
)
def test_pairs_are_counted(labels: list[int], people: list[int], score: float) -> None:
    assert f1(np.array(labels), np.array(people)) == pytest.approx(score)


def test_the_halves_have_no_person_in_common_and_together_have_all() -> None:
    groups = {"one": known([30, 20, 10, 5]), "other": known([4, 4, 4])}
    halves = [{tuple(row) for each in drawn(groups, half) for row in each.vectors.tolist()} for half in (0, 1)]
    assert halves[0].isdisjoint(halves[1])
    assert len(drawn(groups, 0)) == DRAWS
    assert [len(set(drawn(groups, half)[0].people.tolist())) for half in (0, 1, None)] == [3, 4, 7]


def test_a_set_has_two_faces_or_more_of_each_and_is_drawn_the_same_again() -> None:
    groups = {"one": known([30, 20, 10, 5])}
    first, again = drawn(groups, None), drawn(groups, None)
    assert all(np.unique(each.people, return_counts=True)[1].min() >= 2 for each in first)
    assert all((one.vectors == other.vectors).all() for one, other in zip(first, again, strict=True))
    assert len({len(each.people) for each in first}) > 1


def test_the_program_s_own_clusters_are_judged_and_other_methods_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_bounds, "split", lambda _groups: [((), ())])
    monkeypatch.setattr(cluster_bounds, "choices", lambda: [None])
    monkeypatch.setattr(cluster_bounds, "chosen", lambda _settings, _sets: 0)
    monkeypatch.setattr(cluster_bounds.Outcome, "of", lambda _cluster, _sets: cluster_bounds.Outcome(0, 1, (0.9,)))
    monkeypatch.setattr(accuracy_clusters, "others", lambda: {name: [None] for name in core_clusters.OTHERS})
    missed = {row.name for row in core_clusters.rows({}) if row.judged and not row.ok}
    assert missed == {"clusters_f1", "clusters_f1_grown", "clusters_f1_shipped"}
