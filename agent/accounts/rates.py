"""Limits how often a member may ask for what would be worth stealing."""

import asyncio
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

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


# Of a limit, what a process takes at once to give it out by itself: exports would write to the database each time otherwise, and each
# writing has all processes read anew what they keep of it.
_SHARE: Final = 30
_MOST: Final = 10_000


class _Taken(NamedTuple):
    left: int
    until: float


class Rates:
    """Counted by all processes of a server together, for a minute that begins with the first request."""

    def __init__(self, storage: Storage, clock: Callable[[], datetime], limits: Mapping[Scope, RateLimitItem] = LIMITS) -> None:
        self._limits = limits
        self._clock = clock
        self._storage = storage
        self._windows = FixedWindowRateLimiter(storage)
        self._taken: dict[tuple[Scope, str], _Taken] = {}

    async def take(self, principal: Principal, scope: Scope) -> None:
        """Count a request. Raises TooManyRequests, StoreError."""
        limit = self._limits.get(scope)
        if limit is None or principal.kind == "local":
            return
        taken = self._taken.get((scope, principal.id))
        if taken is None or not taken.left or taken.until <= self._clock().timestamp():
            taken = await asyncio.to_thread(self._take_more, limit, principal.id)
        self._taken[scope, principal.id] = taken._replace(left=taken.left - 1)
        if len(self._taken) > _MOST:
            del self._taken[next(iter(self._taken))]

    def _take_more(self, limit: RateLimitItem, member_id: str) -> _Taken:
        share = max(1, limit.amount // _SHARE)
        if not self._windows.hit(limit, member_id, cost=share):
            reset = self._windows.get_window_stats(limit, member_id).reset_time
            raise TooManyRequests(seconds=max(1, math.ceil(reset - self._clock().timestamp())))
        return _Taken(share, self._storage.get_expiry(limit.key_for(member_id)) if share > 1 else 0)
