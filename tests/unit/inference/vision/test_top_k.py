import numpy as np
import pytest

from agent.inference.vision.top_k import Nearest


@pytest.mark.parametrize("turned", [False, True])
def test_blocks_that_come_by_leave_the_highest_scores_of_all(turned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.inference.vision.top_k._AT_LEAST", 10)
    scores = np.random.default_rng(1).uniform(-1, 1, (5, 400)).astype(np.float32)
    nearest = Nearest(5, 7, -2.0)
    for start in range(0, 400, 40):
        block = scores[:, start : start + 40]
        if turned:
            nearest.add_turned(np.ascontiguousarray(block.T), start)
        else:
            nearest.add(np.ascontiguousarray(block), start)
    queries, places, columns, best = nearest.result()
    assert queries.tolist() == np.repeat(np.arange(5), 7).tolist() and places.tolist() == list(range(7)) * 5
    assert columns.reshape(5, 7).tolist() == np.argsort(-scores, axis=1)[:, :7].tolist()
    assert best.reshape(5, 7).tolist() == (-np.sort(-scores, axis=1)[:, :7]).tolist()


def test_what_is_below_the_floor_does_not_count() -> None:
    nearest = Nearest(2, 3, 0.5)
    nearest.add(np.array([[0.4, 0.5, 0.9], [0.1, 0.2, 0.3]], np.float32), 10)
    queries, _, columns, scores = nearest.result()
    assert (queries.tolist(), columns.tolist()) == ([0, 0], [12, 11]) and scores.tolist() == pytest.approx([0.9, 0.5])


def test_without_any_score_there_is_nothing() -> None:
    assert [len(part) for part in Nearest(3, 2, 0.0).result()] == [0, 0, 0, 0]
