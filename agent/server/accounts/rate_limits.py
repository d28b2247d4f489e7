"""Limits how often requests come from a member or an address: counted in the database, by all processes of a server together."""

import asyncio
import hmac
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from agent.domain.errors import StoreError, TooManyAttempts, TooManyRequests
from agent.interfaces.web.access import Principal, Scope
from agent.interfaces.web.client_address import network_of
from agent.server.accounts.throttle_queries import AttemptQueries

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
_DIGEST_KEY: Final = b"rates"


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


class RateStorage(Storage):
    """Where `limits` counts: windows that begin with the first request. All of it blocks.

    The database gets no address, only digests with a key.
    """

    STORAGE_SCHEME = None

    def __init__(self, queries: AttemptQueries, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._queries = queries
        self._clock = clock
        self._key = queries.database.key_for(_DIGEST_KEY)

    @property
    def base_exceptions(self) -> type[Exception]:
        return StoreError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._queries.count(self._digest(key), amount, timedelta(seconds=expiry), self._clock())

    def get(self, key: str) -> int:
        return self._queries.counted(self._digest(key), self._clock())[0]

    def get_expiry(self, key: str) -> float:
        return self._queries.counted(self._digest(key), self._clock())[1].timestamp()

    def check(self) -> bool:
        return True

    # `limits` asks for both only if its `reset` and `clear` are called, which the program doesn't do.
    def reset(self) -> int | None:
        raise NotImplementedError

    def clear(self, key: str) -> None:
        raise NotImplementedError

    def _digest(self, key: str) -> str:
        return hmac.digest(self._key, key.encode("utf-8", "surrogatepass"), "sha256").hex()


class _Taken(NamedTuple):
    left: int
    until: float


class RateLimits:
    """Limits how often a member may ask for what would be worth stealing.

    Counted by all processes of a server together, for a minute that begins with the first request.
    """

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
