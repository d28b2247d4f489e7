"""Desktops that ask to join, in the database: whichever process of a server answers knows them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import join_request
from agent.interfaces.web.client_address import crowd_of

LASTS: Final = timedelta(minutes=10)
MOST, MOST_OF_A_NETWORK = 1_000, 10
_FACTS: Final = join_request.c.sha256, join_request.c.user_code, join_request.c.network, join_request.c.at, join_request.c.allowed


@dataclass(frozen=True, slots=True)
class DeskGrant:
    """What the desktop gets."""

    token: str
    member: str
    may_name: bool


@dataclass(frozen=True, slots=True)
class PendingJoin:
    """A request. `decided` is False when it was refused, and True when it was allowed; the grant follows a moment later."""

    computer: str
    system: str
    address: str
    at: datetime
    decided: bool | None = None
    grant: DeskGrant | None = None


class JoinQueries(Queries):
    def ask_to_join(self, sha256: str, codes: Iterable[str], network: str, asked: PendingJoin) -> str | datetime:
        """Keep a request under the first of the codes that is free, and return that; or until when its network has too many.

        If there are too many of all networks, one of the largest crowd makes room.
        """
        with self.database.write(durable=True) as tx:
            tx.execute(delete(join_request).where(join_request.c.at <= asked.at - LASTS))
            rows = tx.execute(select(*_FACTS).order_by(join_request.c.at)).all()
            near = [row for row in rows if row.network == network]
            if len(near) >= MOST_OF_A_NETWORK:
                oldest: datetime = near[0].at
                return oldest + LASTS
            open_ = [row for row in rows if row.allowed is None]
            if len(rows) >= MOST and open_:
                tx.execute(delete(join_request).where(join_request.c.sha256 == _of_largest_crowd(open_).sha256))
            taken = {row.user_code for row in rows}
            user_code = next(code for code in codes if code not in taken)
            facts = {"computer": asked.computer, "system": asked.system, "address": asked.address}
            tx.execute(insert(join_request).values(sha256=sha256, user_code=user_code, network=network, asked=facts, at=asked.at))
        return user_code

    def asked_by(self, user_code: str, now: datetime) -> PendingJoin | None:
        """Return the undecided request with that code."""
        with self.database.read() as tx:
            row = tx.execute(select(join_request).where(*_open(user_code, now))).first()
        return _asked(row) if row is not None else None

    def decide_join(self, user_code: str, now: datetime, *, allowed: bool) -> PendingJoin | None:
        """Decide the undecided request with that code, once over all processes. Return it as it was."""
        decided = update(join_request).where(*_open(user_code, now)).values(allowed=allowed).returning(join_request)
        with self.database.write(durable=True) as tx:
            row = tx.execute(decided).first()
        return _asked(row) if row is not None else None

    def grant_join(self, user_code: str, grant: DeskGrant | None) -> None:
        """Keep what an allowed request gets; None refuses it after all."""
        values = {"allowed": False} if grant is None else {"granted": asdict(grant)}
        with self.database.write(durable=True) as tx:
            tx.execute(update(join_request).where(join_request.c.user_code == user_code).values(**values))

    def take_join(self, sha256: str, now: datetime) -> PendingJoin | None:
        """Return a request, and forget it if it is answered; None if there is none, or it has expired."""
        chosen = join_request.c.sha256 == sha256, join_request.c.at > now - LASTS
        with self.database.read() as tx:
            row = tx.execute(select(join_request).where(*chosen)).first()
        if row is None or not _is_answered(_asked(row)):
            return _asked(row) if row is not None else None
        with self.database.write(durable=True) as tx:  # of two who ask at once, one takes it
            row = tx.execute(delete(join_request).where(*chosen).returning(join_request)).first()
        return _asked(row) if row is not None else None


def _of_largest_crowd(rows: Sequence[Row[*tuple[Any, ...]]]) -> Row[*tuple[Any, ...]]:
    """Return the oldest request of the wider network that has most. `rows` are ordered by time."""
    crowds = [crowd_of(row.network) for row in rows]
    sizes = Counter(crowds)
    return rows[max(range(len(rows)), key=lambda index: (sizes[crowds[index]], -index))]


def _open(user_code: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return join_request.c.user_code == user_code, join_request.c.allowed.is_(None), join_request.c.at > now - LASTS


def _is_answered(asked: PendingJoin) -> bool:
    return asked.decided is False or asked.grant is not None


def _asked(row: Row[Any]) -> PendingJoin:
    return PendingJoin(**row.asked, at=row.at, decided=row.allowed, grant=DeskGrant(**row.granted) if row.granted is not None else None)
