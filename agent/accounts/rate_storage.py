"""Where `limits` counts: in the server's database, so that all processes of a server and their restarts count together."""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from limits.storage import Storage

from agent.accounts.attempt_queries import AttemptQueries
from agent.domain.errors import StoreError

_KEY: Final = b"rates"


class RateStorage(Storage):
    """Windows that begin with the first request. The database gets no address, only digests with a key. All of it blocks."""

    STORAGE_SCHEME = None

    def __init__(self, queries: AttemptQueries, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._queries = queries
        self._clock = clock
        self._key = queries.database.key_for(_KEY)

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
