"""Names at the program's own fixed thresholds: how often a wrong one is certain, and how often the right one comes first.

The thresholds were chosen on every other person (`TUNED`); the figures are those of the held-out people.
"""

from collections.abc import Iterator

import numpy as np

from agent.domain.identity_matching import Bounds, Candidate, Certainty, identify
from agent.infrastructure.core.settings import RecognitionSettings
from scripts.benchmarks.accuracy_draw import Ints, candidates, drawn
from scripts.benchmarks.accuracy_faces import Faces
from scripts.benchmarks.accuracy_figures import distances, upper_bound
from scripts.benchmarks.rows import Row, at_least, at_most

TUNED, REPORTED = 0, 1
REFERENCES, ROUNDS = (1, 3, 5), 20
BOUNDS = Bounds(RecognitionSettings().certain, RecognitionSettings().probable)


def half(faces: Faces, part: int) -> Faces:
    """Return every other person."""
    people = np.unique(faces.people)
    return faces.of(people[people % 2 == part])


def rows(groups: dict[str, Faces]) -> Iterator[Row]:
    kept = {name: half(faces, REPORTED) for name, faces in groups.items()}
    counts = {name: certain_pairs(faces) for name, faces in kept.items()}
    for name, (wrong, wrongs, right, rights) in (counts | {"": np.sum(list(counts.values()), axis=0).tolist()}).items():
        suffix = name and f"_{name}"
        yield at_most(f"certain_far{suffix}", wrong / wrongs, 0.001, [wrong, wrongs])
        yield at_most(f"certain_far_upper{suffix}", upper_bound(wrong, wrongs), 1, [])
        yield at_least(f"certain_tar{suffix}", right / rights, 0, [right, rights])
    for references in REFERENCES[1:]:
        wrong, wrongs, right, rights = np.sum([certain(faces, references) for faces in kept.values()], axis=0).tolist()
        yield at_most(f"certain_far_{references}", wrong / wrongs, 0.001, [wrong, wrongs])
        yield at_least(f"certain_tar_{references}", right / rights, 0, [right, rights])
    together = joined(list(kept.values()))
    for references in REFERENCES:
        wrong, probes, first, known = open_set(together, references)
        yield at_most(f"open_set_wrong_{references}", wrong / probes, 0.001, [wrong, probes])
        yield at_least(f"open_set_right_{references}", first / known, 0.95 if references == 3 else 0, [first, known])


def certain_pairs(faces: Faces) -> tuple[int, int, int, int]:
    """Return certain wrong, all wrong, certain right and all right pairs of faces; one of each is a reference, each pair counts once.

    A pair is certain if it is certain in either direction. Pairs share faces, while Clopper and Pearson's bound assumes independence: it
    is slightly too low.
    """
    apart = distances(faces.vectors["product"], faces.vectors["product"])
    counts = np.zeros((2, 2), np.int64)
    for one, other in zip(*np.triu_indices(len(faces), 1), strict=True):
        distance = float(apart[one, other])
        near = Candidate(int(faces.people[other]), distance, int(distance <= BOUNDS.probable), 1)
        said = [identify([near], faces.qualities[row], BOUNDS) for row in (one, other)]
        sure = any(identity is not None and identity.certainty is Certainty.CERTAIN for identity in said)
        counts[int(faces.people[one] == faces.people[other])] += (sure, 1)
    (wrong, wrongs), (right, rights) = counts.tolist()
    return wrong, wrongs, right, rights


def certain(faces: Faces, references: int) -> tuple[int, int, int, int]:
    """Return the same for people with several references, drawn several times: each person alone, as if no other were known."""
    counts = np.zeros((2, 2), np.int64)
    for round_ in range(ROUNDS):
        gallery, probes = drawn(faces, np.unique(faces.people), references, round_)
        for row, near in candidates(faces, gallery, probes, BOUNDS.probable):
            for candidate in near:
                identity = identify([candidate], faces.qualities[row], BOUNDS)
                right = int(candidate.person_id == faces.people[row])
                counts[right] += (identity is not None and identity.certainty is Certainty.CERTAIN, 1)
    (wrong, wrongs), (right, rights) = counts.tolist()
    return wrong, wrongs, right, rights


def open_set(faces: Faces, references: int) -> tuple[int, int, int, int]:
    """Treat half of the people as unknown. Return certain wrong names, faces; right names suggested first, faces of known people."""
    people = np.unique(faces.people)
    wrong = probed = first = known_faces = 0
    for round_ in range(ROUNDS):
        known: Ints = np.random.default_rng(round_).permutation(people)[: len(people) // 2]
        gallery, probes = drawn(faces, known, references, round_)
        for row, near in candidates(faces, gallery, probes, BOUNDS.probable):
            identity = identify(near, faces.qualities[row], BOUNDS)
            right = identity is not None and identity.person_id == int(faces.people[row])
            wrong += identity is not None and identity.certainty is Certainty.CERTAIN and not right
            first += right
            known_faces += bool(np.isin(faces.people[row], known))
        probed += len(probes)
    return wrong, probed, first, known_faces


def joined(groups: list[Faces]) -> Faces:
    """Join the groups, with unique numbers for their people."""
    starts = np.cumsum([0, *(int(faces.people.max()) + 1 for faces in groups)])
    people = np.concatenate([faces.people + start for faces, start in zip(groups, starts, strict=False)])
    names = groups[0].vectors
    vectors = {name: np.concatenate([faces.vectors[name] for faces in groups]) for name in names}
    return Faces(people, tuple(quality for faces in groups for quality in faces.qualities), vectors)
