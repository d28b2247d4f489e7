"""How long this process's requests to other servers took, and how many failed, since the program started."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

# Seconds. Messages and sign-ins give up after 10 to 20; uploads and downloads take longer.
BOUNDS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Peer(StrEnum):
    """Who is asked."""

    PROVIDER = "provider"
    MAIL = "mail"
    WEBHOOK = "webhook"
    NTFY = "ntfy"
    HEARTBEAT = "heartbeat"
    BUCKET = "bucket"
    MODELS = "models"
    TEAM = "team"
    TEAM_NEWS = "team-news"  # the team server's answer waits until there is news


OF_SERVER: Final = (Peer.PROVIDER, Peer.MAIL, Peer.WEBHOOK, Peer.NTFY, Peer.HEARTBEAT, Peer.BUCKET, Peer.MODELS)
OF_DESKTOP: Final = (Peer.MODELS, Peer.TEAM, Peer.TEAM_NEWS)


@dataclass(slots=True)
class OutgoingRequests:
    """All to one peer. `buckets` are by `BOUNDS`, the last one without a bound."""

    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    failures: int = 0


@dataclass(slots=True)
class RequestOutcome:
    failed: bool = False


made: Final[dict[Peer, OutgoingRequests]] = {peer: OutgoingRequests() for peer in Peer}
team_refusals: Final[Counter[str]] = Counter()
"""how often the team server did not know who asks (401), by error code"""


@contextmanager
def outgoing(
    peer: Peer, *, answers: tuple[type[Exception], ...] = (), clock: Callable[[], float] = time.perf_counter
) -> Iterator[RequestOutcome]:
    """Count a request. It failed if it raises anything but `answers`, or says so; one that is cancelled doesn't count."""
    outcome, began = RequestOutcome(), clock()
    try:
        yield outcome
    except Exception as error:
        _count(peer, clock() - began, failed=outcome.failed or not isinstance(error, answers))
        raise
    _count(peer, clock() - began, failed=outcome.failed)


def _count(peer: Peer, seconds: float, *, failed: bool) -> None:
    requests = made[peer]
    requests.seconds += seconds
    requests.buckets[bisect_left(BOUNDS, seconds)] += 1
    requests.failures += failed
