"""Rows of the group `accuracy`: the outcome of naming clusters by the faces on their cards, including clusters with two people.

A simulated user goes through the cards, the largest first. If a card says that it may be two people, or shows two, they open it and name
each face; otherwise they name what the card shows. `all of it` is the former way: the card showed its best faces, and the name applied
to the whole cluster.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.clustering import ClusterThresholds
from agent.domain.identity_matching import Bounds, Candidate, certain_up_to
from agent.features.people.cluster_cards import SHOWN
from agent.inference.vision.dispersion import halves, least_alike
from agent.infrastructure.core.settings import RecognitionSettings
from scripts.benchmarks.accuracy_draw import mean
from scripts.benchmarks.rows import Row, at_least, at_most

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]

BOUNDS = Bounds(RecognitionSettings().certain, RecognitionSettings().probable)


@dataclass(slots=True)
class Outcome:
    cards: int = 0
    mixed: int = 0  # of two people
    unseen: int = 0  # of these, without any sign on the card
    asked: int = 0  # checked before they were named
    wrong: int = 0  # faces confirmed as another person
    wrong_certain: int = 0  # faces identified as another person with certainty, in the end


class Naming:
    """One set of faces, as a user names it card by card."""

    def __init__(self, vectors: Floats, people: Ints, trust: Floats, distances: NDArray[np.float64]) -> None:
        self._vectors, self._people, self._trust, self._distances = vectors, people, trust, distances
        self._confirmed: dict[int, int] = {}

    def through(self, labels: Ints, *, all_of_it: bool) -> Outcome:
        found = Outcome()
        groups = sorted((np.flatnonzero(labels == label) for label in np.unique(labels[labels >= 0])), key=len, reverse=True)
        for group in groups:
            identification = self._identification()
            waiting = np.array([face for face in group.tolist() if face not in self._confirmed and face not in identification], np.int64)
            if len(waiting) > 1:
                self._name(waiting, found, all_of_it)
        found.wrong = sum(self._people[face] != person for face, person in self._confirmed.items())
        found.wrong_certain = sum(self._people[face] != person for face, (person, certain) in self._identification().items() if certain)
        return found

    def _name(self, group: Ints, found: Outcome, all_of_it: bool) -> None:
        vectors = self._vectors[group]
        best = np.argsort(-self._trust[group], kind="stable")[:SHOWN]
        shown = group[best if all_of_it else least_alike(vectors, SHOWN)]
        mixed, seen = len(np.unique(self._people[group])) > 1, len(np.unique(self._people[shown])) > 1
        asked = seen or (not all_of_it and halves(vectors)[1] > ClusterThresholds().halves)
        found.cards += 1
        found.mixed += mixed
        found.unseen += mixed and not asked
        found.asked += asked
        for face in (group if asked or all_of_it else shown).tolist():
            self._confirmed[face] = int(self._people[face if asked else shown[0]])

    def _identification(self) -> dict[int, tuple[int, bool]]:
        """Return for each unconfirmed face the suggested person, and whether the suggestion is certain."""
        known = np.array(sorted(self._confirmed), np.int64)
        people = np.array([self._confirmed[face] for face in known.tolist()], np.int64)
        found = {}
        for face in range(len(self._people) if len(known) else 0):
            near = self._distances[face, known]
            if face in self._confirmed or near.min() > BOUNDS.probable:
                continue
            candidates = [self._candidate(face, who, known[people == who], near[people == who]) for who in np.unique(people).tolist()]
            nearest = sorted(candidates, key=lambda candidate: candidate.distance)[:2]
            alone = len(nearest) < 2 or nearest[1].distance - nearest[0].distance >= 0.10
            if nearest[0].distance > BOUNDS.probable:
                continue
            certain = alone and nearest[0].distance <= certain_up_to(float(self._trust[face]), nearest[0], BOUNDS)
            found[face] = (nearest[0].person_id, certain)
        return found

    def _candidate(self, face: int, who: int, references: Ints, near: NDArray[np.float64]) -> Candidate:
        typical = float(np.linalg.norm(self._vectors[face] - mean(self._vectors[references])))
        return Candidate(who, float(near.min()), int((near <= BOUNDS.probable).sum()), len(near), typical)


def rows(name: str, outcomes: Sequence[tuple[Outcome, Outcome]]) -> Iterator[Row]:
    """Yield rows for each set: the current way and the former one. Only undesired outcomes are judged."""
    for how, which in (("", 0), ("_all_of_it", 1)):
        for part in ("cards", "mixed", "unseen", "asked", "wrong", "wrong_certain"):
            counts = [getattr(each[which], part) for each in outcomes]
            judged = part in ("unseen", "wrong_certain") and not how
            yield (at_most if judged else at_least)(f"cards_{name}_{part}{how}", sum(counts), 0, counts)
