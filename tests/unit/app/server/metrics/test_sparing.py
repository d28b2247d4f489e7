"""A costly question is asked seldom."""

import threading

import pytest

from agent.app.server.metrics import sparing
from agent.app.server.metrics.sparing import CostLimitedCache
from agent.domain.errors import StoreBusy


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_that_took_long_is_kept_long() -> None:
    clock, asked = Clock(), list[int]()

    def ask() -> int:
        asked.append(1)
        clock.now += 2.0
        return len(asked)

    kept = CostLimitedCache(ask, clock)
    assert kept.get() == 1 and kept.took_s == 2.0
    clock.now += 199.0
    assert kept.get() == 1
    clock.now += 2.0
    assert kept.get() == 2


def test_an_answer_that_took_no_time_is_kept_for_seconds() -> None:
    clock, asked = Clock(), list[int]()
    kept = CostLimitedCache(lambda: asked.append(1), clock)
    for _ in range(3):
        kept.get()
        clock.now += 6.0
    assert len(asked) == 2


def test_a_failure_ends_the_answer_and_is_tried_again_soon() -> None:
    clock, fails = Clock(), [False]

    def ask() -> int:
        if fails[0]:
            raise StoreBusy
        return 1

    kept = CostLimitedCache(ask, clock)
    assert kept.get() == 1
    clock.now, fails[0] = 100.0, True
    assert kept.get() is None and kept.failed
    fails[0] = False
    assert kept.get() is None
    clock.now += 1.1
    assert kept.get() == 1 and not kept.failed


def test_a_question_that_hangs_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparing, "LIMIT_S", 0.01)
    may = threading.Event()
    hangs = sparing.CostLimitedCache(lambda: may.wait(60))
    assert hangs.get() is None and hangs.failed
    may.set()
