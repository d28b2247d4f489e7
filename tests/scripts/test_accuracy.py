"""The arithmetic of the accuracy benchmark, on cases whose answers are known."""

import json
from pathlib import Path

import numpy as np
import pytest

from agent.domain.face import Box, Quality
from scripts.benchmarks.accuracy_detect import labelled, unmatched
from scripts.benchmarks.accuracy_draw import candidates, drawn
from scripts.benchmarks.accuracy_faces import Faces
from scripts.benchmarks.accuracy_figures import true_accepts, upper_bound
from scripts.benchmarks.accuracy_names import ROUNDS, certain_pairs, half, joined, open_set
from scripts.benchmarks.run import measures


def faces(*people: int) -> Faces:
    """Each on an axis of its own, turned a little from photo to photo."""
    rows = np.eye(8, dtype=np.float32)[list(people)] + 0.01 * np.random.default_rng(3).standard_normal((len(people), 8)).astype(np.float32)
    vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return Faces(np.array(people), (Quality(60, 500, 0, 0),) * len(people), {"product": np.asarray(vectors, np.float32)})


def test_of_a_thousand_wrong_ones_one_is_let_in() -> None:
    different = np.linspace(1.0, 1.4, 1000, dtype=np.float32)
    share, bound = true_accepts(np.array([0.5, 0.9, 1.0, 1.3], np.float32), different, 1e-3)
    assert share == 0.75
    assert bound == pytest.approx(different[1])


@pytest.mark.parametrize(("events", "trials", "bound"), [(0, 100, 0.02951), (1, 100, 0.04656), (10, 100, 0.16372), (5, 5, 1.0)])
def test_the_upper_bound_is_clopper_and_pearsons(events: int, trials: int, bound: float) -> None:
    assert upper_bound(events, trials) == pytest.approx(bound, abs=1e-5)


def test_each_person_keeps_a_face_to_be_recognised_and_strangers_have_no_reference() -> None:
    told = faces(0, 0, 0, 1, 1, 2, 2, 2, 2)
    gallery, probes = drawn(told, np.array([0, 1]), 3, seed=1)
    assert sorted(told.people[gallery].tolist()) == [0, 0, 1]
    assert sorted(told.people[probes].tolist()) == [0, 1, 2, 2, 2, 2]


def test_candidates_are_one_per_known_person_nearest_first() -> None:
    told = faces(0, 0, 0, 1, 1, 2)
    near = dict(candidates(told, np.array([0, 1, 3]), np.array([2, 4]), probable=1.0))
    assert [(each.person_id, each.agree, each.references) for each in near[2]] == [(0, 2, 2), (1, 0, 1)]
    assert [each.person_id for each in near[4]] == [1, 0]


def test_halves_share_nobody_and_joined_people_stay_apart() -> None:
    told = faces(0, 0, 1, 2, 3)
    one, other = half(told, 0), half(told, 1)
    assert (one.people.tolist(), other.people.tolist()) == ([0, 0, 2], [1, 3])
    assert len(set(joined([one, other]).people.tolist())) == 4


def test_a_face_is_matched_once() -> None:
    box, near, far = Box(0, 0, 10, 10), Box(1, 0, 10, 10), Box(50, 0, 10, 10)
    assert unmatched([box, near, far], [box]) == [near, far]


def test_boxes_are_read_from_dlibs_labels(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        "<dataset><images><image file='1.jpg'><box top='2' left='1' width='3' height='4'/></image></images></dataset>"
    )
    assert labelled(tmp_path / "a.xml") == {tmp_path / "1.jpg": [Box(1, 2, 3, 4)]}


def test_what_needs_data_is_measured_only_if_it_is_named_with_its_folder(tmp_path: Path) -> None:
    assert len(measures(["accuracy", str(tmp_path), "engine"], long=False)) == 2
    for words in (["accuracy"], ["accuracy", str(tmp_path / "none")], ["nothing"]):
        with pytest.raises(ValueError, match=words[0]):
            measures(words, long=False)


def test_names_are_counted_in_plain_numbers_and_strangers_are_given_none() -> None:
    told = faces(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3)
    wrong, probes, first, known = counts = open_set(told, references=2)
    assert json.loads(json.dumps(counts)) == list(counts)
    # Two of four people are known, by two of their three faces, in each of the rounds.
    assert (wrong, probes, first, known) == (0, 8 * ROUNDS, 2 * ROUNDS, 2 * ROUNDS)


def test_every_pair_of_faces_is_judged_once() -> None:
    assert certain_pairs(faces(0, 0, 1, 1)) == (0, 4, 2, 2)
