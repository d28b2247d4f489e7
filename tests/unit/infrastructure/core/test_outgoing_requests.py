"""Requests to other servers are counted with their time and their failures."""

import asyncio
from collections.abc import Iterator

import pytest

from agent.infrastructure.core import outgoing_requests
from agent.infrastructure.core.outgoing_requests import BOUNDS, OutgoingRequests, Peer, outgoing


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[OutgoingRequests]:
    monkeypatch.setitem(outgoing_requests.made, Peer.NTFY, found := OutgoingRequests())
    yield found


def request(seconds: float, error: BaseException | None = None, answers: tuple[type[Exception], ...] = ()) -> None:
    with outgoing(Peer.NTFY, answers=answers, clock=iter((10.0, 10.0 + seconds)).__next__):
        if error is not None:
            raise error


def test_times_fall_into_buckets(made: OutgoingRequests) -> None:
    for seconds in (0.01, 0.3, 90.0):
        request(seconds)
    assert made.failures == 0 and made.seconds == pytest.approx(90.31)
    assert [made.buckets[0], made.buckets[BOUNDS.index(0.5)], made.buckets[-1], sum(made.buckets)] == [1, 1, 1, 3]


def test_what_raises_has_failed_unless_that_is_an_answer(made: OutgoingRequests) -> None:
    with pytest.raises(OSError, match="x"):
        request(1.0, OSError("x"))
    with pytest.raises(KeyError):
        request(1.0, KeyError("x"), (KeyError,))
    with outgoing(Peer.NTFY) as outcome:
        outcome.failed = True
    assert (made.failures, sum(made.buckets)) == (2, 3)


def test_what_is_cancelled_does_not_count(made: OutgoingRequests) -> None:
    with pytest.raises(asyncio.CancelledError):
        request(1.0, asyncio.CancelledError())
    assert sum(made.buckets) == 0
