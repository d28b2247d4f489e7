"""Limits how often a member may ask for what would be worth stealing."""

import math
import time
from collections.abc import Mapping
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from agent.domain.errors import TooManyRequests
from agent.web.access import Principal, Scope

# For each member with all their sessions and tokens. People and well-behaved programs stay far below.
LIMITS: Final[Mapping[Scope, RateLimitItem]] = {
    Scope.PHOTOS_EXPORT: RateLimitItemPerMinute(300, 1, "photos.export"),
    Scope.PEOPLE_SEARCH: RateLimitItemPerMinute(30, 1, "people.search"),
    Scope.PEOPLE_ERASE: RateLimitItemPerMinute(60, 1, "people.erase"),
    Scope.INCIDENTS_MANAGE: RateLimitItemPerMinute(60, 1, "incidents.manage"),
    Scope.ALERTS_MANAGE: RateLimitItemPerMinute(60, 1, "alerts.manage"),
}


class Rates:
    """They live in memory: a server has one process that answers requests, and its restart forgets them."""

    def __init__(self, limits: Mapping[Scope, RateLimitItem] = LIMITS) -> None:
        self._limits = limits
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def take(self, principal: Principal, scope: Scope) -> None:
        """Count a request. Raises TooManyRequests."""
        limit = self._limits.get(scope)
        if limit is None or principal.kind == "local" or self._windows.hit(limit, principal.id):
            return
        reset = self._windows.get_window_stats(limit, principal.id).reset_time
        raise TooManyRequests(seconds=max(1, math.ceil(reset - time.time())))
