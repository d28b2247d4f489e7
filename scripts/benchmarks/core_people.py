"""The row `wrong_certain`: names that are certain and wrong, in a library of 40 people, half of them unknown.

The folder is that of the group `accuracy`. Its labelled people are drawn as known or unknown; the faces of its group photos are
unknown people of one face each.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from agent.domain.identity_matching import Certainty, identify
from scripts.benchmarks.accuracy_draw import candidates, drawn
from scripts.benchmarks.accuracy_faces import Faces, labelled, strangers
from scripts.benchmarks.accuracy_names import BOUNDS, REPORTED, half, joined
from scripts.benchmarks.rows import Row, at_least, at_most

PEOPLE, KNOWN, REFERENCES, NAMES = 40, 20, (1, 3, 5), 10_000


def rows(folder: Path) -> Iterator[Row]:
    """Yield the row, and the same for the people on whom no bound was chosen, with the share of right names that are certain."""
    groups = [labelled(folder / "faces" / part) for part in ("chinese", "aligned")]
    unknown = strangers(folder / "faces" / "groups")
    for suffix, known in (("", joined([*groups, unknown])), ("_unseen", joined([*(half(faces, REPORTED) for faces in groups), unknown]))):
        wrong, names, right, faces = np.sum([_library(known, references) for references in REFERENCES], axis=0).tolist()
        yield at_most(f"wrong_certain{suffix}", wrong, 0, [wrong, names])
        yield at_least(f"right_certain{suffix}", right / faces, 0, [right, faces])


def _library(faces: Faces, references: int) -> tuple[int, int, int, int]:
    """Draw libraries until as many faces were judged. Return certain wrong names, faces; certain right ones, faces of known people."""
    people, counts = np.unique(faces.people, return_counts=True)
    several, single = people[counts > 1], people[counts == 1]
    wrong = judged = right = known_faces = seed = 0
    while judged < NAMES:
        chance = np.random.default_rng(seed)
        mixed = chance.permutation(several)
        known = mixed[: min(KNOWN, 3 * len(several) // 4)]
        others = np.concatenate([mixed[len(known) :], chance.permutation(single)])[: PEOPLE - len(known)]
        library = faces.of(np.concatenate([known, others]))
        gallery, probes = drawn(library, known, references, seed)
        for row, near in candidates(library, gallery, probes, BOUNDS.probable):
            identity = identify(near, library.qualities[row], BOUNDS)
            certain = identity is not None and identity.certainty is Certainty.CERTAIN
            theirs = identity is not None and identity.person_id == int(library.people[row])
            wrong, right = wrong + (certain and not theirs), right + (certain and theirs)
            known_faces += bool(np.isin(library.people[row], known))
        judged += len(probes)
        seed += 1
    return wrong, judged, right, known_faces
