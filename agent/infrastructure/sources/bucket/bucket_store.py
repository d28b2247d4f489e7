"""The connection to a bucket, by `obstore`: lists its objects and reads one. Everything here blocks."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from agent.domain.errors import BucketAnswer, BucketNamesUnreadable, BucketNotReached, ImageMissing, ImageTooLarge, ImageUnreadable
from agent.infrastructure.core.anonymous_files import anonymous_file
from agent.infrastructure.core.outgoing_requests import Peer, outgoing
from agent.infrastructure.sources.bucket.bucket import Bucket, BucketAccess, Keys
from agent.infrastructure.sources.bucket.bucket_problems import meaning

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Store

_PART: Final = 50  # objects; a part that is not whole when a listing breaks off is lost with it
_CHUNK: Final = 1024 * 1024
# Between two pieces of an answer, and for a whole request without the bytes of an object.
_SILENCE: Final = timedelta(seconds=20)
_CONNECT: Final = timedelta(seconds=10)
_RETRIES: Final = 3
_RETRY_S: Final = 30


class BucketStore:
    """One bucket with one set of keys; threads may share it."""

    def __init__(self, bucket: Bucket, keys: Keys | None, *, retries: int = _RETRIES) -> None:
        """Without `retries` a failure is told at once. Raises BucketError if it can't be set up at all."""
        self._store = _opened(bucket, keys, retries)

    def pages(self) -> Iterator[Sequence["ObjectMeta"]]:
        """Yield all objects, in parts, in the endpoint's order. Raises BucketError; BucketNamesUnreadable at a page with such a name."""
        import obstore

        try:
            listing = iter(obstore.list(self._store, chunk_size=_PART))
            while True:
                with outgoing(Peer.BUCKET):
                    page = next(listing, None)
                if page is None:
                    return
                yield page
        except Exception as error:  # `obstore` has errors of its own and of Python
            raise meaning(error) from None

    def folder(self, prefix: str) -> tuple[Sequence["ObjectMeta"], Sequence[str]]:
        """Return what is directly below a prefix: objects, and prefixes. Raises as `pages`."""
        import obstore

        try:
            with outgoing(Peer.BUCKET):
                found = obstore.list_with_delimiter(self._store, prefix or None)
        except Exception as error:
            raise meaning(error) from None
        return found["objects"], found["common_prefixes"]

    def first(self) -> bool:
        """Request one page; return whether it holds any object. Raises BucketError."""
        try:
            return any(len(page) > 0 for page in self.pages())
        except BucketNamesUnreadable:
            return True

    def read(self, key: str, *, most_bytes: int, limit_s: float, clock: Callable[[], float] = time.monotonic) -> int:
        """Return a descriptor of a nameless file with an object's bytes. Raises ImageMissing, ImageTooLarge, BucketError."""
        until = clock() + limit_s
        with outgoing(Peer.BUCKET, answers=(ImageMissing, ImageTooLarge)):
            return self._read(key, most_bytes, lambda: clock() > until)

    def _read(self, key: str, most_bytes: int, is_late: Callable[[], bool]) -> int:
        import obstore

        try:
            answer = obstore.get(self._store, key)
            size = answer.meta["size"]
            if size > most_bytes:
                raise ImageTooLarge(megabytes=-(-size // 1_000_000), limit=most_bytes // 1_000_000)

            def in_time() -> Iterator[memoryview]:
                for chunk in answer.stream(_CHUNK):
                    if is_late():
                        raise BucketNotReached
                    yield memoryview(chunk)

            return filled(in_time(), size)
        except Exception as error:
            if isinstance(error, OSError) and error.errno:  # there is no room for the bytes
                raise ImageUnreadable from error
            raise meaning(error, of_object=True) from None


def _opened(bucket: Bucket, keys: Keys | None, retries: int) -> "S3Store":
    from obstore.store import S3Store

    retry = {
        "max_retries": retries,
        "retry_timeout": timedelta(seconds=_RETRY_S),
        "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5), "base": 2},
    }
    client: dict[str, object] = {
        "allow_http": bucket.endpoint.startswith("http://"),
        "connect_timeout": _CONNECT,
        "read_timeout": _SILENCE,
        "timeout": timedelta(minutes=30),
    }
    if bucket.certificate:
        client["root_certificate"] = bucket.certificate
    try:
        return S3Store(
            bucket.bucket,
            prefix=bucket.prefix or None,
            config={**_place_of(bucket), **_access(bucket, keys)},  # type: ignore[arg-type]  # each value has its own type there
            client_options=client,  # type: ignore[arg-type]  # as above
            retry_config=retry,  # type: ignore[arg-type]  # as above
        )
    except Exception as error:
        raise meaning(error) from None


def _place_of(bucket: Bucket) -> Mapping[str, object]:
    place: dict[str, object] = {"region": bucket.region or "us-east-1", "virtual_hosted_style_request": not bucket.path_style}
    if bucket.endpoint:
        endpoint = bucket.endpoint.rstrip("/")
        if not bucket.path_style:  # then it is expected with the bucket in front
            scheme, _, host = endpoint.partition("://")
            endpoint = f"{scheme}://{bucket.bucket}.{host}"
        place["endpoint"] = endpoint
    return place


def _access(bucket: Bucket, keys: Keys | None) -> Mapping[str, object]:
    if bucket.access is BucketAccess.ANONYMOUS:
        return {"skip_signature": True}
    if bucket.access is BucketAccess.ROLE or keys is None:
        return {}
    return {"access_key_id": keys.key_id, "secret_access_key": keys.secret}


def filled(chunks: Iterable[bytes | memoryview], size: int) -> int:
    """Return a descriptor of a file with these bytes, to be read from its start.

    Raises OSError, BucketAnswer if there are more than `size`, which was checked against the largest allowed, and what `chunks` raises.
    The file has no name: it is gone when its last descriptor is closed, however the program ends.
    """
    with anonymous_file(size) as file:
        left = size
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                raise BucketAnswer(answer="Content-Length")
            file.write(chunk)
        file.flush()
        file.seek(0)
        return _to_read(file.fileno())


def _to_read(descriptor: int) -> int:
    """Return a descriptor of its own that can't be written to, where the system can make one."""
    if sys.platform == "linux":  # on Windows anyone may make a folder of that name
        with contextlib.suppress(OSError):
            return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    return os.dup(descriptor)
