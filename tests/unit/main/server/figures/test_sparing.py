"""A costly question is asked seldom."""

from agent.domain.errors import StoreBusy
from agent.main.server.figures.sparing import Sparing


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

    sparing = Sparing(ask, clock)
    assert sparing.get() == 1 and sparing.took_s == 2.0
    clock.now += 199.0
    assert sparing.get() == 1
    clock.now += 2.0
    assert sparing.get() == 2


def test_an_answer_that_took_no_time_is_kept_for_seconds() -> None:
    clock, asked = Clock(), list[int]()
    sparing = Sparing(lambda: asked.append(1), clock)
    for _ in range(3):
        sparing.get()
        clock.now += 6.0
    assert len(asked) == 2


def test_a_failure_ends_the_answer_and_is_tried_again_at_once() -> None:
    clock, fails = Clock(), [False]

    def ask() -> int:
        if fails[0]:
            raise StoreBusy
        return 1

    sparing = Sparing(ask, clock)
    assert sparing.get() == 1
    clock.now, fails[0] = 100.0, True
    assert sparing.get() is None and sparing.failed
    fails[0] = False
    assert sparing.get() == 1 and not sparing.failed
