"""Faces of one person come together, and nothing else does."""

import numpy as np
import pytest

from agent.domain.clustering import ClusterThresholds
from agent.inference.vision.clusterer import NEAREST, cluster
from agent.inference.vision.knn_graph import neighbours
from tests.support.synthetic_embeddings import Floats, Ints, chain, made, same, unit


def alone(count: int) -> Ints:
    return np.full(count, -1, np.int64)


def sure(count: int) -> Floats:
    return np.ones(count, np.float32)


def test_people_with_many_and_few_faces_are_told_apart() -> None:
    vectors, people = made([60, 25, 9, 4, 2, 1, 1])
    assert same(cluster(vectors, sure(len(people)), alone(len(people))), people)


def test_groups_are_counted_from_nought_and_who_is_alone_is_in_none() -> None:
    vectors, people = made([3, 1, 2])
    labels = cluster(vectors, sure(6), alone(6))
    assert sorted(set(labels.tolist())) == [-1, 0, 1]
    assert labels[people == 1].tolist() == [-1]


def test_nobody_is_no_group() -> None:
    assert cluster(np.zeros((0, 192), np.float32), sure(0), alone(0)).tolist() == []


def test_a_graph_that_is_there_already_is_used() -> None:
    vectors, people = made([5, 4])
    nothing = np.full((9, NEAREST), -1, np.int64), np.full((9, NEAREST), np.inf, np.float32)
    assert cluster(vectors, sure(9), alone(9), graph=nothing).tolist() == [-1] * 9
    assert same(cluster(vectors, sure(9), alone(9), graph=neighbours(vectors, NEAREST, ClusterThresholds().within)), people)


def test_the_order_of_the_faces_does_not_matter() -> None:
    vectors, people = made([30, 12, 5, 3, 1], alike=0.5)
    labels = cluster(vectors, sure(len(people)), alone(len(people)))
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(people))
        assert same(cluster(vectors[order], sure(len(people)), alone(len(people))), labels[order])


@pytest.mark.parametrize("cosine", [0.45, 0.6, 0.8])
def test_a_chain_of_faces_that_are_like_the_next_does_not_become_one_group(cosine: float) -> None:
    labels = cluster(chain(60, cosine), sure(60), alone(60))
    assert np.bincount(labels[labels >= 0]).max(initial=1) <= 12


def test_two_faces_on_one_photo_are_different_people_however_alike() -> None:
    vectors, _ = made([4], alike=0.9)
    labels = cluster(vectors, sure(4), np.array([7, 7, 8, 9]))
    assert labels[0] != labels[1]
    assert sorted(labels.tolist())[0] != -1, "the others are with one or the other"


def test_who_must_not_meet_does_not_meet_through_others() -> None:
    vectors, _ = made([12], alike=0.8)
    labels = cluster(vectors, sure(12), alone(12), cannot=[(0, 1), (4, 0)])
    assert labels[0] not in {labels[1], labels[4]} - {-1}


def test_faces_of_one_name_are_together_and_of_two_are_not() -> None:
    vectors, people = made([6, 6], alike=0.8)
    first, second = (np.flatnonzero(people == each) for each in (0, 1))
    person = alone(12)
    person[[first[0], second[0]]] = 5  # nothing alike, but the user said so
    person[second[1]] = 6  # alike, but the user said no
    labels = cluster(vectors, sure(12), alone(12), person=person)
    assert labels[first[0]] == labels[second[0]] != -1
    assert labels[second[1]] != labels[second[0]]


def bridge() -> tuple[Floats, Ints]:
    """Two people, and in the last row a face in the middle between them."""
    vectors, people = made([5, 5], alike=0.9)
    middle = unit((vectors[people == 0].mean(axis=0) + vectors[people == 1].mean(axis=0))[None].astype(np.float64))
    return np.concatenate([vectors, middle]), people


def test_a_doubtful_face_joins_a_group() -> None:
    vectors, people = made([6], alike=0.8)
    trust = sure(6)
    trust[2] = 0.1
    assert same(cluster(vectors, trust, alone(6)), people)


def test_doubtful_faces_found_no_group_and_bridge_none() -> None:
    vectors, people = made([6], alike=0.8)
    assert cluster(vectors, np.full(6, 0.1, np.float32), alone(6)).tolist() == [-1] * 6
    both, people = bridge()
    labels = cluster(both, np.append(sure(10), np.float32(0.1)), alone(11))
    assert same(labels[:10], people)
    assert labels[10] == -1, "it is as near to the one as to the other"


@pytest.mark.parametrize(("alike", "joins"), [(0.5, True), (0.9, False)])
def test_a_face_joins_a_cluster_of_varied_faces_but_not_one_of_faces_that_are_much_more_similar(alike: float, joins: bool) -> None:
    vectors, _ = made([24], alike=alike)
    mean = vectors.mean(axis=0)
    aside = np.random.default_rng(2).standard_normal(192)
    aside -= mean * float(mean @ aside) / float(mean @ mean)
    # The mean cosine to the faces of the cluster is 0.36: a distance of 1.13.
    face = 0.36 * mean / float(mean @ mean) + aside / np.linalg.norm(aside) * np.sqrt(1 - 0.36**2 / float(mean @ mean))
    labels = cluster(np.concatenate([vectors, unit(face[None])]), sure(25), alone(25))
    assert bool(labels[-1] == labels[0]) is joins


def pairs_apart(cosine: float, between: float, sizes: tuple[int, int]) -> Floats:
    """Two clusters: faces of each have the one cosine, faces of different clusters the other."""
    first, second = sizes
    similar = np.full((first + second, first + second), between)
    similar[:first, :first] = similar[first:, first:] = cosine
    np.fill_diagonal(similar, 1)
    rows = np.zeros((first + second, 192))
    rows[:, : first + second] = np.linalg.cholesky(similar)
    return unit(rows)


@pytest.mark.parametrize(("sizes", "merged"), [((2, 2), False), ((5, 5), False), ((7, 4), True)])
def test_two_small_clusters_must_be_more_similar(sizes: tuple[int, int], merged: bool) -> None:
    vectors = pairs_apart(0.6, 0.42, sizes)  # a distance of 1.08 between the two
    labels = cluster(vectors, sure(len(vectors)), alone(len(vectors)))
    assert bool(labels[0] == labels[-1]) is merged


def test_nearness_does_not_spread_from_face_to_face() -> None:
    """What joined by nearness supports nobody: a trail that leads away from a group is not swallowed."""
    core, _ = made([12], alike=0.9)
    away = np.random.default_rng(5).standard_normal((40, 192))
    trail = [core.mean(axis=0)]
    for step in away:
        trail.append(unit((trail[-1] + 0.28 * unit(step[None])[0])[None].astype(np.float64))[0])
    every = np.concatenate([core, np.array(trail[20:], np.float32)])
    labels = cluster(every, sure(len(every)), alone(len(every)))
    assert (labels == labels[0]).sum() < len(every)
