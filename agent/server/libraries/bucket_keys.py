"""The access keys of buckets: in this computer's keyring or a file for its owner alone, or else in the environment."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress

from agent.domain.errors import AgentError, BucketKeysAgain
from agent.infrastructure.sources.bucket.bucket import Bucket, Keys
from agent.infrastructure.store.secret_stores import Home

_KEY_ID, _SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"


class BucketKeys:
    """Each computer has its own: the server's, and each worker's. Every call blocks, and raises KeyHomeError, StoreError.

    Keys are kept with the place they were entered for, and are used for no other: who changes a source's endpoint would get requests
    that are signed with them. Those that were entered without (on a worker's computer, or by an earlier version) belong to the place for
    which they are first used.
    """

    def __init__(self, home: Home, environment: Mapping[str, str] = os.environ) -> None:
        self._home = home
        self._environment = environment

    def of(self, bucket: Bucket, *, is_source: bool = True) -> Keys | None:
        """Return the keys for a bucket; None if this computer has none. Raises BucketKeysAgain if it has them for another place.

        `is_source`: the bucket is described as it is in the database.
        """
        kept = self._home.read(_account(bucket.name))
        if kept is not None:
            try:
                key_id, secret, *place = json.loads(kept)
            except ValueError:
                return None
            keys = Keys(str(key_id), str(secret))
            if place != [bucket.place]:
                if place or not is_source:
                    raise BucketKeysAgain
                with suppress(AgentError):  # such as a folder that can't be written to
                    self.keep(bucket, keys)
            return keys
        key_id, secret = self._environment.get(_KEY_ID, ""), self._environment.get(_SECRET, "")
        return Keys(key_id, secret) if key_id and secret else None

    def keep(self, bucket: Bucket, keys: Keys) -> None:
        """For that bucket where it is now."""
        self._home.write(_account(bucket.name), json.dumps([keys.key_id, keys.secret, bucket.place]).encode())

    def keep_for(self, name: str, keys: Keys) -> None:
        """For the source with that name, wherever it is when they are first used."""
        self._home.write(_account(name), json.dumps([keys.key_id, keys.secret]).encode())

    def forget(self, name: str) -> None:
        self._home.forget(_account(name))


def _account(name: str) -> str:
    return f"bucket-{name}"
