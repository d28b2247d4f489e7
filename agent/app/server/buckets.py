"""Puts the buckets of a team server together: only the server and its workers import this."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.domain.errors import BucketNoKeys
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.sources.bucket.bucket import BucketAccess
from agent.infrastructure.sources.bucket.bucket_reader import BucketReader, ReadLimits
from agent.infrastructure.sources.bucket.bucket_source import BucketSource
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.secret_stores import Home
from agent.server.libraries.bucket_endpoints import endpoint_check
from agent.server.libraries.bucket_keys import BucketKeys
from agent.server.libraries.bucket_queries import BucketQueries
from agent.server.libraries.buckets import Buckets


@dataclass(frozen=True, slots=True)
class BucketWork:
    buckets: Buckets
    source: BucketSource


def bucket_reader(database: Database, home: Home, settings: Callable[[], Settings]) -> BucketReader:
    """What reads objects in this process, with the keys of this computer."""

    def limits() -> ReadLimits:
        engine = settings().engine
        return ReadLimits(engine.max_megabytes * 1_000_000, engine.time_limit_s)

    check = endpoint_check(inside=lambda: settings().server.buckets_inside)
    return BucketReader(BucketQueries(database).bucket, BucketKeys(home).of, limits, check=check)


def try_buckets(database: Database, home: Home, settings: Callable[[], Settings]) -> int:
    """List a page of each bucket with this computer's keys; return how many there are. Blocks.

    Raises BucketError, StoreError, KeyHomeError.
    """
    reader, keys, found = bucket_reader(database, home, settings), BucketKeys(home), BucketQueries(database).buckets()
    for bucket in found:
        own = keys.of(bucket) if bucket.access is BucketAccess.KEYS else None
        if bucket.access is BucketAccess.KEYS and own is None:
            raise BucketNoKeys
        reader.try_out(bucket, own)
    return len(found)


def buckets_of(database: Database, home: Home, settings: Callable[[], Settings], clock: Callable[[], datetime]) -> BucketWork:
    """The buckets in this database. Call it inside the event loop."""
    queries, library, reader = BucketQueries(database), RedactionQueries(database), bucket_reader(database, home, settings)
    source = BucketSource(reader, queries.buckets, library.known_files, queries.note, clock)

    def left(root: str, now: datetime) -> None:
        library.source_left(root, now=now)

    return BucketWork(Buckets(queries, BucketKeys(home), reader, source, left, clock), source)
