"""Reads objects of the buckets that are known, in a server's or a worker's process, with the keys that this computer has."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.domain.errors import BucketKeysWrong, BucketNoKeys, BucketUnknown
from agent.infrastructure.sources.bucket.bucket import Bucket, BucketAccess, Keys, parted
from agent.infrastructure.sources.bucket.bucket_store import BucketStore

# A worker asks the database and its keyring again after this time.
_KNOWN_S = 30.0


@dataclass(frozen=True, slots=True)
class ReadLimits:
    most_bytes: int
    limit_s: float


@dataclass(frozen=True, slots=True)
class _Known:
    bucket: Bucket
    keys: Keys | None
    store: BucketStore
    asked_at: float


class BucketReader:
    """Threads may share it; every call blocks."""

    def __init__(
        self,
        find: Callable[[str], Bucket | None],
        keys_of: Callable[[Bucket], Keys | None],
        limits: Callable[[], ReadLimits],
        connect: Callable[[Bucket, Keys | None], BucketStore] = BucketStore,
        monotonic: Callable[[], float] = time.monotonic,
        check: Callable[[Bucket], None] = lambda _: None,
    ) -> None:
        """`find` looks up a source by its name, `keys_of` returns this computer's keys for it; both may block and raise.

        `check` raises if a bucket's endpoint may not be connected to, before each new connection and every half a minute.
        """
        self._find = find
        self._keys_of = keys_of
        self._limits = limits
        self._connect = connect
        self._monotonic = monotonic
        self._check = check
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def open(self, item: str) -> int:
        """Return a descriptor of a nameless file with the object's bytes. Raises ImageMissing, ImageTooLarge, BucketError, StoreError."""
        name, key = parted(item)
        limits = self._limits()
        try:
            return self.store(name).read(key, most_bytes=limits.most_bytes, limit_s=limits.limit_s)
        except (BucketKeysWrong, BucketNoKeys):
            self.forget(name)  # there may be others by now
            raise

    def store(self, name: str) -> BucketStore:
        """Return the connection to a bucket. Raises BucketUnknown, BucketNoKeys, BucketKeysAgain, BucketInside, StoreError."""
        known = self._known.get(name)
        if known is None or self._monotonic() - known.asked_at > _KNOWN_S:
            known = self._asked(name, known)
            with self._lock:
                self._known[name] = known
        return known.store

    def forget(self, name: str) -> None:
        """Ask again next time: the source or its keys have changed."""
        with self._lock:
            self._known.pop(name, None)

    def try_out(self, bucket: Bucket, keys: Keys | None) -> bool:
        """Request one page; return whether it holds any object. Raises AgentError: what is wrong."""
        self._check(bucket)
        return self._connect(bucket, keys).first()

    def _asked(self, name: str, before: _Known | None) -> _Known:
        bucket = self._find(name)
        if bucket is None:
            raise BucketUnknown
        self._check(bucket)
        keys = self._keys_of(bucket) if bucket.access is BucketAccess.KEYS else None
        if bucket.access is BucketAccess.KEYS and keys is None:
            raise BucketNoKeys
        if before is not None and (before.bucket, before.keys) == (bucket, keys):
            return _Known(bucket, keys, before.store, self._monotonic())
        return _Known(bucket, keys, self._connect(bucket, keys), self._monotonic())
