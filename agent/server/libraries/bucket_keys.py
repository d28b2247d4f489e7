"""The access keys of buckets: in this computer's keyring or a file for its owner alone, or else in the environment."""

import json
import os
from collections.abc import Mapping

from agent.infrastructure.sources.bucket.bucket import Keys
from agent.infrastructure.store.secret_stores import Home

_KEY_ID, _SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"


class BucketKeys:
    """Each computer has its own: the server's, and each worker's. Every call blocks, and raises KeyHomeError, StoreError."""

    def __init__(self, home: Home, environment: Mapping[str, str] = os.environ) -> None:
        self._home = home
        self._environment = environment

    def of(self, name: str) -> Keys | None:
        """Return the keys for the bucket with that name; None if this computer has none."""
        kept = self._home.read(_account(name))
        if kept is not None:
            try:
                key_id, secret = json.loads(kept)
                return Keys(str(key_id), str(secret))
            except ValueError:
                return None
        key_id, secret = self._environment.get(_KEY_ID, ""), self._environment.get(_SECRET, "")
        return Keys(key_id, secret) if key_id and secret else None

    def keep(self, name: str, keys: Keys) -> None:
        self._home.write(_account(name), json.dumps([keys.key_id, keys.secret]).encode())

    def forget(self, name: str) -> None:
        self._home.forget(_account(name))


def _account(name: str) -> str:
    return f"bucket-{name}"
