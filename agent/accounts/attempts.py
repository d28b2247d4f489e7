"""Limits attempts to sign in: by account and address together, by account, and by address.

They live in memory: a server has one process that answers requests, and its restart forgets failures.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from agent.domain.errors import TooManyAttempts

FREE: Final = 5
LONGEST_WAIT_S: Final = 900
MOST_PAIRS: Final = 10_000
# Failures. Members of an office share its address; an account's own limit stops guesses from many addresses.
PER_ADDRESS: Final = "30 per 10 minutes"
PER_ACCOUNT: Final = "100 per 1 hour"


class Attempts:
    """`monotonic` returns seconds. An attempt counts as failed until it succeeds, so that many at once gain nothing."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._pairs: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()  # failures, and when the next attempt may be
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._limits: tuple[tuple[str, RateLimitItem], ...] = (("address", parse(PER_ADDRESS)), ("account", parse(PER_ACCOUNT)))

    def begin(self, account: str, address: str) -> None:
        """Count an attempt. Raises TooManyAttempts, which counts none."""
        network = network_of(address)
        for (kind, limit), who in zip(self._limits, (network, account), strict=True):
            if not self._windows.test(limit, kind, who):
                reset = self._windows.get_window_stats(limit, kind, who).reset_time
                raise TooManyAttempts(seconds=max(1, math.ceil(reset - time.time())))
        failures, until = self._pairs.get((account, network), (0, 0.0))
        if until > self._now():
            raise TooManyAttempts(seconds=math.ceil(until - self._now()))
        wait = min(LONGEST_WAIT_S, 2 ** min(failures + 1 - FREE, 20)) if failures + 1 >= FREE else 0
        self._pairs[account, network] = (failures + 1, self._now() + wait)
        self._pairs.move_to_end((account, network))
        while len(self._pairs) > MOST_PAIRS:
            self._pairs.popitem(last=False)

    def failed(self, account: str, address: str) -> None:
        """Count the failure of a begun attempt for the account and the address, too."""
        for (kind, limit), who in zip(self._limits, (network_of(address), account), strict=True):
            self._windows.hit(limit, kind, who)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of the account from this address."""
        self._pairs.pop((account, network_of(address)), None)


def network_of(address: str) -> str:
    """The address that attempts are counted by: of IPv6 a customer has at least a /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
