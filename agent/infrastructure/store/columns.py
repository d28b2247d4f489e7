"""Column types with the same meaning in every database: paths, moments, times of day, large numbers, names, JSON."""

import json
from datetime import UTC, datetime, timedelta

from pydantic_core import from_json
from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, String, TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# SQLite's integers always have 64 bits; a column of an old library is called INTEGER.
LargeInteger = Integer().with_variant(BigInteger(), "postgresql")
# Ordered by code points, as in SQLite: a server's locale would order it differently.
Name = String().with_variant(String(collation="C"), "postgresql")


class PathBytes(TypeDecorator[str]):
    """A path as bytes: file names need not be valid Unicode, and byte order makes "all below a folder" a range of the index."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        # `surrogatepass` keeps all strings distinct: the surrogates of undecodable bytes (POSIX) and the lone ones that Windows allows.
        return None if value is None else value.encode("utf-8", "surrogatepass")

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else value.decode("utf-8", "surrogatepass")


class Instant(TypeDecorator[datetime]):
    """A moment as whole microseconds since 1970, UTC: the same everywhere, exact and sortable."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class LocalTime(TypeDecorator[datetime]):
    """A time of day as shown by a local clock, without a zone: whole microseconds since 1970 by that clock."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH.replace(tzinfo=None)) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH.replace(tzinfo=None) + timedelta(microseconds=value)


def json_value(text: str | bytes) -> object:
    """Parse a JSON column: three times as fast as `json`, because each face has landmarks. Only `json` takes invalid Unicode."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)
