"""What a kind of facts is, and how values are written in a form that JSON can hold."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, select

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.encrypted_types import SealedDate

Value: TypeAlias = Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FactKind(NamedTuple):
    """`write` leaves out keys whose face, image, person or album no longer exists."""

    read: Callable[[Connection, Sequence[Any]], Mapping[Any, Value]]  # only the keys that are set
    write: Callable[[Connection, Sequence[Any], Value], None]


def moment(at: datetime) -> int:
    """The moment as kept in values: microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def packed(value: object) -> Value:
    return moment(value) if isinstance(value, datetime) else value.isoformat() if isinstance(value, date) else value


def unpacked(kind: object, value: Value) -> Any:
    if value is None:
        return None
    return instant(value) if isinstance(kind, Instant) else date.fromisoformat(value) if isinstance(kind, SealedDate) else value


def existing(tx: Connection, table: Any, ids: Sequence[int]) -> list[int]:
    """The existing ones, in the given order."""
    found = set(tx.scalars(select(table.c.id).where(table.c.id.in_(ids))))
    return [each for each in ids if each in found]
