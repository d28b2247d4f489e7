"""What people agreed to, and which of them may not be recognised for want of consent.

The rule stands here, where edits are written: what creates, merges or restores a person calls `follow` in the same transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, insert, literal, or_, select, update
from sqlalchemy.sql import exists

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import Basis
from agent.infrastructure.core.actor import actor
from agent.infrastructure.store import audit_libraries, audit_log
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import consent as table
from agent.infrastructure.store.schema import meta, person, team_person, team_reference

REQUIRED: Final = "consent_required"
"""a note: people without consent to it are not recognised"""
_FIELDS: Final = tuple(field.name for field in fields(Consent))


class ConsentEntry(NamedTuple):
    """A row of the history."""

    id: int
    consent: Consent
    entered_by: str  # a member's random id; empty: the user of this computer
    entered_at: datetime


def day_of(now: datetime) -> date:
    """Return the day on this computer's clock."""
    return now.astimezone().date()


def require(tx: Connection, required: bool) -> None:
    """Set whether recognition needs consent."""
    tx.execute(delete(meta).where(meta.c.name == REQUIRED))
    if required:
        tx.execute(insert(meta).values(name=REQUIRED, value=1))


def is_required(tx: Connection) -> bool:
    return tx.scalar(select(meta.c.value).where(meta.c.name == REQUIRED)) is not None


def follow(tx: Connection, now: datetime) -> None:
    """Set which people are not recognised for want of consent: `identity_rows.never_recognised` includes them."""
    for value, people in _due(tx, now):
        tx.execute(update(person).where(people).values(lapsed_at=value))
    tx.execute(
        delete(team_reference).where(team_reference.c.uid.in_(select(team_person.c.uid).where(team_person.c.person_id.in_(_lapsed()))))
    )


def is_followed(tx: Connection, now: datetime) -> bool:
    """Return whether `follow` would change nothing."""
    return all(tx.scalar(select(person.c.id).where(people).limit(1)) is None for _, people in _due(tx, now))


def _due(tx: Connection, now: datetime) -> list[tuple[datetime | None, ColumnElement[bool]]]:
    """Return which people lapse and which no longer do, each with the new value."""
    required = is_required(tx)
    if not required and tx.scalar(select(table.c.id).limit(1)) is None:
        return [(None, person.c.lapsed_at.is_not(None))]
    asked = exists().where(table.c.person_uid == person.c.uid, table.c.purpose == Purpose.RECOGNISE)
    lapses = and_(or_(literal(required), asked), ~_agreed(Purpose.RECOGNISE, day_of(now)))
    return [(now, and_(person.c.lapsed_at.is_(None), lapses)), (None, and_(person.c.lapsed_at.is_not(None), ~lapses))]


def lapsed(tx: Connection) -> frozenset[int]:
    """Return the people who are not recognised for want of consent."""
    return frozenset(tx.scalars(_lapsed()))


def agreed(tx: Connection, purpose: Purpose, now: datetime) -> frozenset[int]:
    """Return the people whose consent to this is valid."""
    return frozenset(tx.scalars(select(person.c.id).where(_agreed(purpose, day_of(now)))))


def history(tx: Connection, uids: Iterable[str]) -> list[ConsentEntry]:
    """Return all rows of these people, newest first."""
    rows = tx.execute(select(table).where(table.c.person_uid.in_(list(uids))).order_by(table.c.id.desc())).mappings()
    return [
        ConsentEntry(
            row["id"],
            Consent(
                **{name: row[name] for name in _FIELDS}
                | {
                    "purpose": Purpose(row["purpose"]),
                    "state": ConsentState(row["state"]),
                    "basis": None if row["basis"] is None else Basis(row["basis"]),
                }
            ),
            row["entered_by"],
            row["entered_at"],
        )
        for row in rows
    ]


def latest(entries: Sequence[ConsentEntry]) -> dict[Purpose, ConsentEntry]:
    """Return the one that counts for each purpose, of one person's history."""
    return {entry.consent.purpose: entry for entry in sorted(entries)}


def enter(tx: Connection, uid: str, said: Consent, now: datetime) -> None:
    """Add what a person said, and record it."""
    add(tx, table, {"person_uid": uid, **{name: getattr(said, name) for name in _FIELDS}, "entered_by": actor.get(), "entered_at": now})
    audit_log.add(tx, f"consent_{said.state}", uid, 1, now, detail=said.purpose, libraries=audit_libraries.of_person(tx, uid))


def has_withdrawn(tx: Connection, uids: Iterable[str]) -> bool:
    """Return whether the last word on recognition among these people, who are one, is a withdrawal."""
    said = select(table.c.state).where(table.c.person_uid.in_(list(uids)), table.c.purpose == Purpose.RECOGNISE)
    return tx.scalar(said.order_by(table.c.id.desc()).limit(1)) == ConsentState.WITHDRAWN


def withdrew() -> ColumnElement[bool]:
    """The condition that the last word of a `person` on recognition is a withdrawal."""
    said = select(table.c.state).where(table.c.person_uid == person.c.uid, table.c.purpose == Purpose.RECOGNISE)
    newest = said.order_by(table.c.id.desc()).limit(1).correlate(person).scalar_subquery()
    return func.coalesce(newest, "") == ConsentState.WITHDRAWN


def _lapsed() -> Select[int]:
    return select(person.c.id).where(person.c.lapsed_at.is_not(None))


def _agreed(purpose: Purpose, today: date) -> ColumnElement[bool]:
    newest = (
        select(func.max(table.c.id))
        .where(table.c.person_uid == person.c.uid, table.c.purpose == purpose)
        .correlate(person)
        .scalar_subquery()
    )
    in_time = and_(table.c.given_on <= today, or_(table.c.valid_until.is_(None), table.c.valid_until >= today))
    return exists().where(table.c.id == newest, table.c.state == ConsentState.GIVEN, in_time)
