"""Limits attempts to sign in: by account and address together, by account, and by address. An empty account stands for all unknown ones.

They live in memory: a server has one process that answers requests, and its restart forgets failures.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from agent.domain.errors import TooManyAttempts
from agent.web.networks import network_of

T = TypeVar("T")

FREE: Final = 5
LONGEST_WAIT_S: Final = 900
MOST_PAIRS: Final = 10_000
# Failures. Members of an office share its address; an account's own limit stops guesses from many addresses.
_PER_ADDRESS: Final = RateLimitItemPerMinute(30, 10, "address")
_PER_ACCOUNT: Final = RateLimitItemPerHour(100, 1, "account")


class Attempts:
    """`monotonic` returns seconds. An attempt counts as failed until it succeeds, so that many at once gain nothing."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._pairs: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()  # failures, and when the next attempt may be
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()  # that succeeded
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def begin(self, account: str, address: str) -> None:
        """Count an attempt. Raises TooManyAttempts, which counts none."""
        network = network_of(address)
        for limit, who in self._limits(account, network):
            if not self._windows.test(limit, who):
                reset = self._windows.get_window_stats(limit, who).reset_time
                raise TooManyAttempts(seconds=max(1, math.ceil(reset - time.time())))
        failures, until = self._pairs.get((account, network), (0, 0.0))
        if until > self._now():
            raise TooManyAttempts(seconds=math.ceil(until - self._now()))
        failures += 1
        wait = min(LONGEST_WAIT_S, 2 ** min(failures - FREE, 20)) if failures >= FREE else 0
        _put(self._pairs, (account, network), (failures, self._now() + wait))

    def failed(self, account: str, address: str) -> None:
        """Count the failure of a begun attempt for the account and the address, too."""
        for limit, who in self._limits(account, network_of(address)):
            self._windows.hit(limit, who)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of the account from this address, which others can't shut out from now on."""
        pair = account, network_of(address)
        self._pairs.pop(pair, None)
        _put(self._known, pair, None)

    def _limits(self, account: str, network: str) -> Iterator[tuple[RateLimitItem, str]]:
        yield _PER_ADDRESS, network
        if account and (account, network) not in self._known:
            yield _PER_ACCOUNT, account


def _put(entries: OrderedDict[tuple[str, str], T], pair: tuple[str, str], value: T) -> None:
    """Put it last; the first ones make room."""
    entries[pair] = value
    entries.move_to_end(pair)
    while len(entries) > MOST_PAIRS:
        entries.popitem(last=False)
