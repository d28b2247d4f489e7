"""However faces lie and come, nothing unites what must stay apart."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.clustering import ClusterThresholds
from agent.inference.vision.clusterer import cluster
from agent.inference.vision.incremental_clusters import ClusterMember, IncrementalClusterer
from tests.support.synthetic_embeddings import Ints, made

PAIRS = st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)).filter(lambda pair: pair[0] != pair[1]), max_size=12)
COUNT = 30


def kept_apart(labels: Ints, photo: Ints, person: Ints, cannot: list[tuple[int, int]]) -> None:
    together = (labels[:, None] == labels) & (labels >= 0)[:, None]
    np.fill_diagonal(together, False)
    named = (person[:, None] == person) & (person >= 0)[:, None]
    assert not (together & ~named & (photo[:, None] == photo) & (photo >= 0)[:, None]).any(), "two faces of one photo"
    both = (person >= 0)[:, None] & (person >= 0)
    assert not (together & both & ~named).any(), "two names"
    assert not any(together[one, other] and not named[one, other] for one, other in cannot), "who must not meet"


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), alike=st.floats(0.3, 0.95), photos=st.integers(3, 40), cannot=PAIRS, names=st.integers(0, 8))
def test_constraints_are_never_broken(seed: int, alike: float, photos: int, cannot: list[tuple[int, int]], names: int) -> None:
    chance = np.random.default_rng(seed)
    vectors, _ = made([14, 9, 5, 2], alike=alike, seed=seed)
    photo, trust = chance.integers(-1, photos, COUNT), chance.uniform(0, 2, COUNT).clip(0, 1).astype(np.float32)
    person = np.full(COUNT, -1, np.int64)
    person[chance.permutation(COUNT)[:names]] = np.arange(names)
    at_once = cluster(vectors, trust, photo, person=person, cannot=cannot)
    kept_apart(at_once, photo, person, cannot)

    grouping = IncrementalClusterer(lambda faces: vectors[list(faces)], cannot=cannot)
    distances = np.sqrt(np.clip(2 - 2 * vectors @ vectors.T, 0, 4))
    for face in range(COUNT):
        near = [(other, float(distances[face, other])) for other in range(face) if distances[face, other] <= ClusterThresholds().within]
        grouping.add(ClusterMember(face, float(trust[face]), int(photo[face]), int(person[face])), vectors[face], near)
        kept_apart(
            np.array([grouping.label(each) for each in range(face + 1)]),
            photo[: face + 1],
            person[: face + 1],
            [pair for pair in cannot if max(pair) <= face],
        )


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), alike=st.floats(0.3, 0.95))
def test_a_name_holds_its_faces_together(seed: int, alike: float) -> None:
    vectors, _ = made([10, 10, 10], alike=alike, seed=seed)
    chance = np.random.default_rng(seed)
    person = chance.integers(-1, 3, COUNT)
    labels = cluster(vectors, np.ones(COUNT, np.float32), chance.integers(-1, 6, COUNT), person=person)
    for name in range(3):
        theirs = set(labels[person == name].tolist())
        assert len(theirs) <= 1, "a name in two groups"
