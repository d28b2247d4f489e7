"""Groups stay right while faces come one by one."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from agent.domain.clustering import ClusterThresholds
from agent.inference.vision.clusterer import NEAREST, cluster
from agent.inference.vision.incremental_clusters import ClusterMember, IncrementalClusterer
from tests.support.synthetic_embeddings import Floats, Ints, chain, made, same

WITHIN = ClusterThresholds().within


class Library:
    """Vectors by face, and the faces that were given so far."""

    def __init__(self, vectors: Floats, members: Iterable[ClusterMember] = (), cannot: Iterable[tuple[int, int]] = ()) -> None:
        self.vectors = vectors
        kept = list(members)
        self.grouping = IncrementalClusterer(self.of, kept, cannot=cannot)
        self.given = [member.face for member in kept]
        self.told: dict[int, int] = {member.face: member.label for member in kept}

    def of(self, faces: Sequence[int]) -> Floats:
        return self.vectors[list(faces)]

    def add(self, member: ClusterMember) -> dict[int, int]:
        near = []
        if self.given:
            distances = np.sqrt(np.clip(2 - 2 * self.vectors[self.given] @ self.vectors[member.face], 0, 4))
            near = [(self.given[at], float(distances[at])) for at in np.argsort(distances)[:NEAREST] if distances[at] <= WITHIN]
        changed = self.grouping.add(member, self.vectors[member.face], near)
        self.given.append(member.face)
        self.told |= changed
        return changed

    def labels(self) -> Ints:
        return np.array([self.grouping.label(face) for face in range(len(self.vectors))])


def grown(vectors: Floats, **said: Sequence[int]) -> Library:
    """All faces, one by one; `said` has a value for each face."""
    library = Library(vectors)
    for face in range(len(vectors)):
        library.add(ClusterMember(face, 1.0, **{name: values[face] for name, values in said.items()}))
    return library


def test_one_by_one_gives_what_all_at_once_gives() -> None:
    vectors, people = made([40, 15, 6, 2, 1])
    labels = grown(vectors).labels()
    assert same(labels, people)
    assert same(labels, cluster(vectors, np.ones(64, np.float32), np.full(64, -1)))


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_the_pairs_are_nearly_those_of_all_at_once(seed: int) -> None:
    vectors, people = made([40, 15, 8, 4, 2, 1], alike=0.5, seed=11)
    order = np.random.default_rng(seed).permutation(len(people))
    shares = []
    for labels in (grown(vectors[order]).labels(), cluster(vectors[order], np.ones(70, np.float32), np.full(70, -1))):
        together = (labels[:, None] == labels) & (labels >= 0)[:, None]
        theirs = people[order][:, None] == people[order]
        shares.append(2 * (together & theirs).sum() / (together.sum() + theirs.sum()))
    assert shares[0] >= shares[1] - 0.02


def test_the_first_face_is_alone_and_the_second_of_that_person_brings_both_a_label() -> None:
    vectors, _ = made([2], alike=0.8)
    library = Library(vectors)
    assert library.add(ClusterMember(0, 1.0)) == {0: -1}
    assert library.add(ClusterMember(1, 1.0)) == {0: 0, 1: 0}


def test_every_change_of_a_label_is_told() -> None:
    vectors, _ = made([20, 9, 5, 3], alike=0.45, seed=3)
    library = grown(vectors)
    assert library.told == dict(enumerate(library.labels().tolist()))


def test_a_face_is_given_once() -> None:
    vectors, _ = made([2])
    library = grown(vectors)
    with pytest.raises(ValueError, match="already"):
        library.add(ClusterMember(1, 1.0))


def test_stored_labels_are_kept_and_go_on() -> None:
    vectors, people = made([20, 9, 1])
    kept = [ClusterMember(face, 1.0, label=-1 if people[face] == 2 else 40 + int(people[face])) for face in range(25)]
    library = Library(vectors, kept)
    assert [library.grouping.label(member.face) for member in kept] == [member.label for member in kept]
    for face in range(25, 30):
        library.add(ClusterMember(face, 1.0))
    assert same(library.labels(), people)


def test_what_was_stored_together_stays_together_however_unlike() -> None:
    vectors, _ = made([1] * 6)
    library = Library(vectors, [ClusterMember(face, 1.0, label=3) for face in range(6)])
    assert library.labels().tolist() == [3] * 6


@pytest.mark.parametrize("cosine", [0.6, 0.8])
def test_a_chain_of_faces_that_are_like_the_next_does_not_become_one_group(cosine: float) -> None:
    labels = grown(chain(60, cosine)).labels()
    assert np.bincount(labels[labels >= 0]).max(initial=1) <= 12


def test_two_faces_on_one_photo_stay_apart() -> None:
    vectors, _ = made([6], alike=0.9)
    labels = grown(vectors, photo=[1, 1, 2, 3, 4, 4]).labels()
    assert labels[0] != labels[1]
    assert labels[4] != labels[5]


def test_what_the_user_said_keeps_faces_apart() -> None:
    vectors, _ = made([8], alike=0.9)
    library = Library(vectors, cannot=[(0, 5)])
    for face in range(8):
        library.add(ClusterMember(face, 1.0, person=3 if face == 2 else 4 if face == 7 else -1))
    labels = library.labels()
    assert labels[0] != labels[5]
    assert labels[2] != labels[7]


def test_a_doubtful_face_joins_but_brings_nobody() -> None:
    vectors, _ = made([8], alike=0.8)
    library = Library(vectors)
    for face in range(3):
        library.add(ClusterMember(face, 0.1))
    assert {library.grouping.label(face) for face in range(3)} == {-1}
    for face in range(3, 8):
        library.add(ClusterMember(face, 1.0))
    last = library.grouping.label(7)
    assert last != -1
    assert {library.grouping.label(face) for face in range(3, 8)} == {last}


def test_who_joined_by_nearness_goes_to_their_own_when_they_come() -> None:
    """A face that was near somebody else's group, for want of a better one, is not held by it."""
    first, _ = made([24], alike=0.5, seed=2)
    second, _ = made([2], alike=0.8, seed=3)
    mean = first.mean(axis=0)
    second -= np.outer(second @ mean, mean) / float(mean @ mean)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    # On the whole too far from the first person's faces to be of their core, and near enough to join.
    second[0] = 0.36 * mean / float(mean @ mean) + second[0] * np.sqrt(1 - 0.36**2 / float(mean @ mean))
    library = Library(np.concatenate([first, second]))
    for face in range(25):
        library.add(ClusterMember(face, 1.0))
    assert library.grouping.label(24) == library.grouping.label(0)
    changed = library.add(ClusterMember(25, 1.0))
    assert set(changed) == {24, 25}
    assert library.grouping.label(24) == library.grouping.label(25) != library.grouping.label(0)


def test_a_wrong_early_pair_is_corrected_when_more_similar_faces_come() -> None:
    """Two people's first faces are more similar to each other than strangers are; then each one's other faces come."""
    similar = np.array([[1, 0.5, 0.8, 0.3], [0.5, 1, 0.3, 0.8], [0.8, 0.3, 1, 0.1], [0.3, 0.8, 0.1, 1]])
    rows = np.zeros((4, 192), np.float32)
    rows[:, :4] = np.linalg.cholesky(similar)
    library = Library(rows)
    library.add(ClusterMember(0, 1.0))
    library.add(ClusterMember(1, 1.0))
    assert library.grouping.label(0) == library.grouping.label(1)
    library.add(ClusterMember(2, 1.0))
    library.add(ClusterMember(3, 1.0))
    assert same(library.labels(), np.array([0, 1, 0, 1]))
    assert library.told == dict(enumerate(library.labels().tolist()))
