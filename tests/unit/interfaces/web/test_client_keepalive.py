"""A long answer is waited for, but only while the agent answers other questions."""

import threading
from collections.abc import Iterator

import pytest

from agent.domain.errors import AgentUnreachable
from agent.interfaces.web.client_keepalive import iterate_with_liveness_check


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.interfaces.web.client_keepalive.SILENCE_S", 0.01)


def test_all_is_told_in_order_however_many() -> None:
    assert list(iterate_with_liveness_check(lambda: range(1_000), lambda: None)) == list(range(1_000))


def test_a_silent_source_is_waited_for_while_the_agent_answers() -> None:
    asked = threading.Semaphore(0)

    def source() -> Iterator[int]:
        yield 1
        for _ in range(3):
            assert asked.acquire(timeout=60)
        yield 2

    assert list(iterate_with_liveness_check(source, asked.release)) == [1, 2]


def test_a_silent_source_is_left_when_the_agent_answers_no_more() -> None:
    end = threading.Event()

    def source() -> Iterator[int]:
        yield 1
        end.wait(60)

    def ask() -> None:
        raise AgentUnreachable

    told = iterate_with_liveness_check(source, ask)
    assert next(told) == 1
    with pytest.raises(AgentUnreachable):
        next(told)
    end.set()


def test_what_the_source_raises_is_raised() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise AgentUnreachable

    told = iterate_with_liveness_check(source, lambda: None)
    assert next(told) == 1
    with pytest.raises(AgentUnreachable):
        next(told)


def test_who_stops_listening_ends_the_source() -> None:
    closed = threading.Event()

    def source() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    told = iterate_with_liveness_check(source, lambda: None)
    assert next(told) == 1
    told.close()  # type: ignore[attr-defined]
    assert closed.wait(60)
