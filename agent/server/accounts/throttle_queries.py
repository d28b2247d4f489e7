"""Attempts to sign in, and other limited requests, counted in the database, so that all processes of a server count them together."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, text, update

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import sign_in_attempt

FORGET: Final = timedelta(days=1)
"""after the last failure"""
REMEMBER: Final = timedelta(days=90)
"""after the last success"""
Rows = dict[str, Row[Any, Any, Any]]
_GOES_ON: Final = "CASE WHEN sign_in_attempt.until > :now AND sign_in_attempt.until <= :until"  # a later end is of a clock that was ahead
_COUNT: Final = text(
    "INSERT INTO sign_in_attempt (who, failures, until, expires_at) VALUES (:who, :amount, :until, :until) ON CONFLICT (who) DO UPDATE SET"
    f" failures = {_GOES_ON} THEN sign_in_attempt.failures ELSE 0 END + excluded.failures,"
    f" until = {_GOES_ON} THEN sign_in_attempt.until ELSE excluded.until END,"
    f" expires_at = {_GOES_ON} THEN sign_in_attempt.until ELSE excluded.until END RETURNING failures"
).bindparams(bindparam("now", type_=Instant), bindparam("until", type_=Instant))
_COLUMNS = (sign_in_attempt.c.who, sign_in_attempt.c.failures, sign_in_attempt.c.until)


@dataclass(frozen=True, slots=True)
class AttemptWindow:
    """At most so many failures of one in a time, which begins with the first."""

    who: str
    most: int
    lasts: timedelta
    spares_known: bool = False
    """it doesn't hold for a pair that was right before"""


class Refusal(NamedTuple):
    """An attempt that came too early."""

    until: datetime
    is_own: bool
    """because of failures of the same pair, not of others who share its address"""


class AttemptQueries(Queries):
    """Each of those who are counted is a digest; see `agent.server.accounts.sign_in_throttle` and `agent.server.accounts.rate_limits`."""

    def count(self, who: str, amount: int, lasts: timedelta, now: datetime) -> int:
        """Count more in the present window, or in a new one, and return how many it has now."""
        with self.database.write() as tx:
            return int(tx.execute(_COUNT, {"who": who, "amount": amount, "now": now, "until": now + lasts}).scalar_one())

    def counted(self, who: str, now: datetime) -> tuple[int, datetime]:
        """Return how many the present window has, and when it ends."""
        with self.database.read() as tx:
            row = _rows(tx, [who]).get(who)
            return (0, now) if row is None or not _lasts(row.until, now) else (row.failures, row.until)

    def begin_attempt(
        self, pair: str, windows: Sequence[AttemptWindow], known: str, wait: Callable[[int], timedelta], now: datetime
    ) -> Refusal | None:
        """Count an attempt. If it comes too early, count nothing and return when the next one may be.

        `wait` returns how long the next attempt waits after so many in a row.
        """
        with self.database.write(durable=True) as tx:
            tx.execute(delete(sign_in_attempt).where(sign_in_attempt.c.expires_at <= now))
            rows = _rows(tx, [pair, known, *(each.who for each in windows)])
            if (full := _full_until(rows, windows, known, now)) is not None:
                return Refusal(full, is_own=False)
            earlier = rows.get(pair)
            if earlier is not None and _lasts(earlier.until, now):
                return Refusal(earlier.until, is_own=True)
            failures = (earlier.failures if earlier is not None else 0) + 1
            _put(tx, rows, pair, failures, now + wait(failures), now + FORGET)
        return None

    def full_until(self, windows: Sequence[AttemptWindow], now: datetime) -> datetime | None:
        """Return when a window that is full ends; None if none is."""
        with self.database.read() as tx:
            return _full_until(_rows(tx, [each.who for each in windows]), windows, "", now)

    def attempt_failed(self, windows: Sequence[AttemptWindow], now: datetime, known: str = "") -> None:
        """Count a failure in each window."""
        with self.database.write(durable=True) as tx:
            rows = _rows(tx, [known, *(each.who for each in windows)])
            for each in windows:
                if each.spares_known and known in rows:
                    continue
                row = rows.get(each.who)
                if row is not None and _lasts(row.until, now):
                    _put(tx, rows, each.who, row.failures + 1, row.until, row.until)
                else:
                    _put(tx, rows, each.who, 1, now + each.lasts, now + each.lasts)

    def attempt_succeeded(self, pair: str, known: str, now: datetime) -> None:
        """Forget the pair's failures, and remember that it is known."""
        with self.database.write() as tx:
            tx.execute(delete(sign_in_attempt).where(sign_in_attempt.c.who == pair))
            _put(tx, _rows(tx, [known]), known, 0, now, now + REMEMBER)


def _lasts(until: datetime, now: datetime) -> bool:
    """Return whether that moment is still to come. No time lasts longer than a day: the clock was ahead then, and has gone back."""
    return now < until <= now + FORGET


def _full_until(rows: Rows, windows: Sequence[AttemptWindow], known: str, now: datetime) -> datetime | None:
    for each in windows:
        row = rows.get(each.who)
        if row is not None and row.failures >= each.most and _lasts(row.until, now) and not (each.spares_known and known in rows):
            until: datetime = row.until
            return until
    return None


def _rows(tx: Connection, whos: Sequence[str]) -> Rows:
    return {row.who: row for row in tx.execute(select(*_COLUMNS).where(sign_in_attempt.c.who.in_(whos)))}


def _put(tx: Connection, rows: Collection[str], who: str, failures: int, until: datetime, expires_at: datetime) -> None:
    values = {"failures": failures, "until": until, "expires_at": expires_at}
    if who in rows:
        tx.execute(update(sign_in_attempt).where(sign_in_attempt.c.who == who).values(**values))
    else:
        tx.execute(insert(sign_in_attempt).values(who=who, **values))
