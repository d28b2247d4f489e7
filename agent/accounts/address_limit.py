"""Limits how often requests come from one address, counted over all processes of a server."""

import math
from collections.abc import Callable
from datetime import datetime

from limits import RateLimitItem
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from agent.domain.errors import TooManyAttempts
from agent.web.networks import network_of


class AddressLimit:
    """An office shares one address, so a limit is generous. Requests beyond it cost a reading of the database, and no writing."""

    def __init__(self, counted: Storage, limit: RateLimitItem, clock: Callable[[], datetime]) -> None:
        self._limit = limit
        self._clock = clock
        self._windows = FixedWindowRateLimiter(counted)

    def take(self, address: str) -> None:
        """Count one. Blocks. Raises TooManyAttempts."""
        network = network_of(address)
        if not (self._windows.test(self._limit, network) and self._windows.hit(self._limit, network)):
            reset = self._windows.get_window_stats(self._limit, network).reset_time
            raise TooManyAttempts(seconds=max(1, math.ceil(reset - self._clock().timestamp())))
