"""The order of backups by their dates, of which a wrong clock may have made some."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

SLACK: Final = timedelta(days=1)  # clocks are corrected a little, and two computers disagree


class Dated(Protocol):
    @property
    def at(self) -> datetime: ...


T = TypeVar("T", bound=Dated)


def is_future(at: datetime, now: datetime) -> bool:
    """Return whether a clock was, or is, too wrong for this moment to count."""
    return at > now + SLACK


def newest_first(backups: Iterable[T], now: datetime) -> list[T]:
    """Return them by date. What is dated ahead comes last, as the oldest: it was made before, at an unknown time."""
    return sorted(backups, key=lambda each: (not is_future(each.at, now), each.at), reverse=True)
