import numpy as np
import pytest

from agent.inference.vision import face_index as module
from agent.inference.vision import vectors as blocks
from agent.inference.vision.embedder import DIMENSIONS
from agent.inference.vision.face_index import FaceIndex, FaceQueries
from tests.support.synthetic_embeddings import face


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 8)
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    monkeypatch.setattr(module, "_SCORES", 50)


def filled(*rows: tuple[int, int, int]) -> FaceIndex:
    """Of (face id, seed, person)."""
    index = FaceIndex()
    ids, seeds, people = np.array(rows, np.int64).T
    index.put(ids, np.array([face(seed) for seed in seeds]), people, np.ones(len(ids), np.float32))
    return index


def test_a_distance_is_right_to_the_bound_it_states() -> None:
    chance = np.random.default_rng(2)
    rows = chance.standard_normal((500, DIMENSIONS)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    index = FaceIndex()
    index.put(np.arange(1, 501), rows, np.zeros(500, np.int64), np.ones(500, np.float32))
    for face_id, distance in index.near(FaceQueries.of(rows[:1]), 2.0, 500)[0]:
        exact = float(np.linalg.norm(rows[face_id - 1].astype(np.float64) - rows[0]))
        assert abs(distance**2 - exact**2) <= 2 * 0.00022


def test_a_face_is_not_near_itself_and_no_reference_of_its_own() -> None:
    index = filled((1, 10, 5), (2, 20, 0), (3, 30, 6))
    assert sorted(face_id for face_id, _ in index.near(index.faces(np.array([1])), 2.0, 9)[0]) == [2, 3]
    assert [each.person_id for each in index.identify(index.faces(np.array([1])), 1.05)[0]] == [6]
    assert [each.person_id for each in index.identify(FaceQueries.of(face(10)[None]), 1.05)[0]] == [5, 6]


def test_nothing_is_near_a_face_that_is_not_there_or_a_vector_that_is_none() -> None:
    index = filled((1, 10, 5), (2, 20, 0))
    for queries in (
        index.faces(np.array([77])),
        FaceQueries.of(np.full((1, DIMENSIONS), np.nan, np.float32)),
        FaceQueries.of(np.zeros((1, 192), np.float32)),
    ):
        assert index.near(queries, 2.0, 5) == [[]] and index.identify(queries, 1.05) == [[]]
    query = FaceQueries.of(face(1)[None])
    assert FaceIndex().near(query, 2.0, 5) == [[]] and FaceIndex().identify(query, 1.05) == [[]]


def test_what_is_no_face_print_is_left_out() -> None:
    index, rows = FaceIndex(), np.zeros((3, DIMENSIONS), np.float32)
    rows[0, 0], rows[1, 3] = np.inf, 5
    index.put(np.array([1, 2, 3]), rows, np.zeros(3, np.int64), np.ones(3, np.float32))
    assert index.ids.tolist() == [2] and np.linalg.norm(index.vectors()[0]) == pytest.approx(1, abs=1e-3)
    for wrong in (0, -4, 10**12):
        with pytest.raises(ValueError):
            index.put(np.array([wrong]), rows[1:2], np.zeros(1, np.int64), np.ones(1, np.float32))


def test_it_hands_out_what_it_holds() -> None:
    index = filled((4, 14, 0), (9, 19, 3))
    held = dict(zip(index.ids.tolist(), index.vectors(), strict=True))
    assert held[4] == pytest.approx(face(14), abs=2e-5) and held[9] == pytest.approx(face(19), abs=2e-5)
    assert len(index) == 2 and index.trust.tolist() == [1, 1]


def test_unclear_references_are_told_apart_and_the_mean_is_of_all_but_the_face_itself() -> None:
    index = FaceIndex()
    ids, rows = np.array([1, 2, 3]), np.array([face(10), face(20), face(30)])
    index.put(ids, rows, np.full(3, 5), np.ones(3, np.float32), np.array([False, True, True]))
    [[stranger]], [[itself]] = index.identify(FaceQueries.of(rows[:1]), 1.05), index.identify(index.faces(ids[:1]), 1.05)
    middle = rows[1:].sum(axis=0) / np.linalg.norm(rows[1:].sum(axis=0))
    others = [float(np.linalg.norm(rows[0] - row)) for row in rows[1:]]
    assert (stranger.nearest, stranger.clear) == pytest.approx((0, min(others)), abs=2e-2)
    assert (itself.nearest, itself.typical, itself.clear) == pytest.approx(
        (min(others), float(np.linalg.norm(rows[0] - middle)), min(others)), abs=2e-3
    )
    index.put(ids[1:], rows[1:], np.full(2, 5), np.ones(2, np.float32), np.array([False, False]))
    [[blind]] = index.identify(FaceQueries.of(rows[:1]), 1.05)
    assert blind.clear == pytest.approx(2)
    index.put(ids[:1], rows[:1], np.full(1, 5), np.ones(1, np.float32))
    [[again]] = index.identify(FaceQueries.of(rows[:1]), 1.05)
    assert again.clear == pytest.approx(0, abs=2e-2)
