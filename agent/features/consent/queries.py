"""What the consent room asks of the encrypted library: each query is one transaction."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select, update

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import Basis, EditStep
from agent.domain.errors import ConsentGuardianNeeded, ConsentOtherBirthDate, NoConsent, PersonUnknown
from agent.domain.events import PeopleChanged, StoredEvent
from agent.domain.identity_matching import Certainty
from agent.domain.names import given
from agent.features.library.queries import identity_queries
from agent.features.people.legal_thresholds import is_child
from agent.features.people.queries import consent_queries, excluded_people, reference_queries
from agent.features.people.queries.consent_queries import ConsentEntry
from agent.features.people.queries.people_queries import PeopleQueries, follow_never
from agent.infrastructure.core.access_scope import acting_libraries
from agent.infrastructure.store import audit_libraries, audit_log, event_rows
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED, add, set_flag
from agent.infrastructure.store.schema import chip, embedding, identity, person
from agent.infrastructure.store.schema import consent as table


class ConsentPrints(NamedTuple):
    """What of people can be recognised."""

    embeddings: int = 0
    chips: int = 0
    """pictures of faces"""


NO_PRINTS: Final = ConsentPrints()


class PersonConsents(NamedTuple):
    """A person's consents, newest first."""

    person_id: int
    name: str
    recognised: bool
    """whether they may be recognised at present"""
    entries: tuple[ConsentEntry, ...]


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """What a change of consent did."""

    step: EditStep
    events: list[StoredEvent] = field(default_factory=list)
    entered: int = 0  # rows
    made: bool = False  # the person is new
    person_id: int = 0
    lapsed: frozenset[int] = frozenset()  # people who are no longer recognised
    restored: frozenset[int] = frozenset()  # people who are recognised again
    deleted: ConsentPrints = NO_PRINTS


class ConsentQueries(PeopleQueries):
    def consents(self, person_id: int) -> PersonConsents:
        """Raises PersonUnknown."""
        with self.database.read() as tx:
            return _consents(tx, person_id)

    def consents_ending(self, first: date, last: date) -> list[tuple[int, str, ConsentEntry]]:
        """Return valid consents whose last day is among these, the first to end first, each with its person's id and name."""
        newest = select(func.max(table.c.id)).group_by(table.c.person_uid, table.c.purpose)
        ending = select(person.c.id, person.c.name, table.c.person_uid).join_from(table, person, person.c.uid == table.c.person_uid)
        ending = ending.where(table.c.id.in_(newest), table.c.valid_until.between(first, last)).distinct()
        with self.database.read() as tx:
            found = [
                (row.id, row.name, entry)
                for row in tx.execute(ending)
                for entry in consent_queries.latest(consent_queries.history(tx, [row.person_uid])).values()
            ]
        ends = [(said[2].consent.valid_until, said) for said in found if said[2].consent.is_valid(first)]
        return [said for until, said in sorted(ends, key=lambda each: (each[0] or last, each[1][1])) if until is not None and until <= last]

    def consents_missing(self) -> list[tuple[int, str, datetime, int]]:
        """Return the people who are not recognised for want of consent, by name: id, name, since when, and their confirmed faces."""
        faces = select(func.count()).where(identity.c.person_id == person.c.id, identity.c.certainty == Certainty.CONFIRMED)
        missing = select(person.c.id, person.c.name, person.c.lapsed_at, faces.scalar_subquery()).where(person.c.lapsed_at.is_not(None))
        with self.database.read() as tx:
            return sorted(((who, name, since, count) for who, name, since, count in tx.execute(missing)), key=lambda each: each[1])

    def consenting(self, purpose: Purpose, *, now: datetime) -> frozenset[int]:
        """Return the people whose consent to this is valid."""
        with self.database.read() as tx:
            return consent_queries.agreed(tx, purpose, now)

    def give_consents(
        self, who: int | str, said: Sequence[Consent], *, now: datetime, note: str, birth_date: date | None = None
    ) -> ConsentChange:
        """Enter what a person (by id or name, created if missing) agreed to or refused; what is as it was is not entered again.

        Raises PersonUnknown, NameEmpty, ConsentGuardianNeeded, ConsentOtherBirthDate; then nothing has changed.
        """
        with self.database.write(durable=True) as tx:
            before = _Before.of(tx)
            person_id, uid, made = _person(tx, who, now)
            _check_birth_date(tx, person_id, birth_date)
            _check_guardian(tx, person_id, birth_date, said, now)
            known = consent_queries.latest(consent_queries.history(tx, [uid]))
            entered = [each for each in said if not _is_said(each, known)]
            _enter(tx, person_id, uid, entered, now)
            changed = bool(entered) or made
            if birth_date is not None:
                changed |= _set_birth_date(tx, person_id, uid, birth_date, now)
            change = _followed(tx, frozenset({person_id} if changed else ()), before, now, note)
            return replace(change, entered=len(entered), made=made, person_id=person_id)

    def withdraw_consent(self, person_id: int, said: Consent, *, now: datetime, note: str) -> ConsentChange:
        """Enter a withdrawal. Raises PersonUnknown; NoConsent if there is none to withdraw."""
        with self.database.write(durable=True) as tx:
            before = _Before.of(tx)
            person_id, uid, _ = _person(tx, person_id, now)
            known = consent_queries.latest(consent_queries.history(tx, [uid])).get(said.purpose)
            # Recognition can be refused without having been agreed to.
            if (known is not None and known.consent.state is ConsentState.WITHDRAWN) or (
                known is None and said.purpose is not Purpose.RECOGNISE
            ):
                raise NoConsent
            _enter(tx, person_id, uid, [said], now)
            return replace(_followed(tx, frozenset({person_id}), before, now, note), entered=1, person_id=person_id)

    def consents_followed(self, required: bool, *, now: datetime) -> bool:
        """Return whether `follow_consents` would change nothing."""
        with self.database.read() as tx:
            return required == consent_queries.is_required(tx) and consent_queries.is_followed(tx, now)

    def follow_consents(self, required: bool, *, now: datetime, note: str) -> ConsentChange:
        """Apply what time or the setting changed: consents that ended, or are needed from now on."""
        with self.database.write(durable=True) as tx:
            before = _Before.of(tx)
            if required != consent_queries.is_required(tx):
                consent_queries.require(tx, required)
                audit_log.add(tx, "consent_required" if required else "consent_not_required", None, 1, now)
            return _followed(tx, frozenset(), before, now, note)


class _Before(NamedTuple):
    never: frozenset[int]  # people who are not recognised
    lapsed: frozenset[int]  # those of them for want of consent

    @classmethod
    def of(cls, tx: Connection) -> "_Before":
        return cls(identity_queries.never_recognised(tx), consent_queries.lapsed(tx))


def _enter(tx: Connection, person_id: int, uid: str, said: Sequence[Consent], now: datetime) -> None:
    for each in said:
        consent_queries.enter(tx, uid, each, now)
        if each.purpose is Purpose.RECOGNISE and each.state is ConsentState.GIVEN:
            # "Never recognise" was an earlier word.
            tx.execute(update(person).where(person.c.id == person_id).values(basis=each.basis, basis_at=now, never_at=None))


def _set_birth_date(tx: Connection, person_id: int, uid: str, born: date, now: datetime) -> bool:
    """Return whether anything changed. A child is not recognised unless a guardian consented."""
    row = tx.execute(select(person).where(person.c.id == person_id)).one()
    values: dict[str, object] = {} if row.birth_date == born else {"birth_date": born}
    if is_child(born, consent_queries.day_of(now)) and row.basis != Basis.GUARDIAN and row.never_at is None:
        values["never_at"] = now
        audit_log.add(tx, "never_on", uid, 1, now, libraries=audit_libraries.of_people(tx, [person_id]))
    if values:
        tx.execute(update(person).where(person.c.id == person_id).values(values))
    return bool(values)


def _followed(tx: Connection, people: frozenset[int], before: _Before, now: datetime, note: str) -> ConsentChange:
    """Delete or restore prints as consent now demands; `people` are those whose data changed."""
    consent_queries.follow(tx, now)
    after = _Before.of(tx)
    ended, restored = after.lapsed - before.lapsed, before.never - after.never
    affected = people | ended | restored
    if not affected:
        return ConsentChange(EditStep("consent", 0))
    silenced = ended | (after.never - before.never)
    suggested = select(identity.c.face_id).where(identity.c.person_id.in_(silenced), identity.c.certainty != Certainty.CONFIRMED)
    # "describe", because such a step has all faces of its people compared again.
    step = EditStep("describe", len(affected), frozenset(tx.scalars(suggested)), affected)
    held = _prints(tx)
    follow_never(tx, step, before.never, now)
    for person_id in sorted(ended & before.never):  # the one print that excluded them
        excluded_people.begin(tx, person_id)
    if ended & before.never and reference_queries.drop_undo(tx):
        set_flag(tx, BACKUPS_HOLD_PURGED)
    gone = ConsentPrints(*(was - left for was, left in zip(held, _prints(tx), strict=True)))
    uids = {row.id: row.uid for row in tx.execute(select(person.c.id, person.c.uid).where(person.c.id.in_(ended)))}
    for person_id in sorted(ended):
        audit_log.add(tx, "recognition_lapsed", uids[person_id], 1, now, libraries=audit_libraries.of_people(tx, [person_id]))
    if any(gone):
        subject = next(iter(uids.values())) if len(uids) == 1 else None
        libraries = audit_libraries.of_people(tx, uids)
        # The number is that of all these prints: of several libraries it is told to none.
        only = libraries if len(libraries) == 1 else audit_libraries.THE_SERVERS
        audit_log.add(tx, "prints_deleted", subject, gone.embeddings, now, detail="consent", libraries=only)
        set_flag(tx, BACKUPS_HOLD_PURGED)
    reference_queries.sweep(tx)  # after the record: it asks in which libraries the person is
    set_flag(tx, note)
    event = event_rows.record(tx, PeopleChanged(action="consent"), now)
    return ConsentChange(step, [event], lapsed=ended, restored=restored, deleted=gone)


def _prints(tx: Connection) -> ConsentPrints:
    return ConsentPrints(*(tx.scalar(select(func.count()).select_from(each)) or 0 for each in (embedding, chip)))


def _consents(tx: Connection, person_id: int) -> PersonConsents:
    row = tx.execute(select(person).where(person.c.id == person_id)).one_or_none()
    if row is None:
        raise PersonUnknown
    entries = consent_queries.history(tx, filter(None, [row.uid]))
    return PersonConsents(row.id, row.name, row.never_at is None and row.lapsed_at is None, tuple(entries))


def _person(tx: Connection, who: int | str, now: datetime) -> tuple[int, str, bool]:
    """Return a person's id and random id, and whether they were created. Raises PersonUnknown, NameEmpty."""
    named = person.c.id == who if isinstance(who, int) else person.c.name == given(who)
    row = tx.execute(select(person.c.id, person.c.uid).where(named)).one_or_none()
    uid: str = uuid.uuid4().hex
    if row is not None:
        if row.uid is None:
            tx.execute(update(person).where(person.c.id == row.id).values(uid=uid))
        return row.id, row.uid or uid, False
    if isinstance(who, int):
        raise PersonUnknown
    person_id = add(tx, person, {"name": given(who), "created_at": now, "uid": uid})
    audit_log.add(tx, "person_made", uid, 1, now, libraries=acting_libraries())
    return person_id, uid, True


def _check_birth_date(tx: Connection, person_id: int, birth_date: date | None) -> None:
    """Two children of one name are not one person: what one of them agreed to must not become the other's."""
    known = tx.scalar(select(person.c.birth_date).where(person.c.id == person_id))
    if known is not None and birth_date is not None and known != birth_date:
        raise ConsentOtherBirthDate


def _check_guardian(tx: Connection, person_id: int, birth_date: date | None, said: Iterable[Consent], now: datetime) -> None:
    born = birth_date or tx.scalar(select(person.c.birth_date).where(person.c.id == person_id))
    if born is None or not is_child(born, consent_queries.day_of(now)):
        return
    for each in said:
        if each.state is ConsentState.GIVEN and (not each.guardian or each.basis is not Basis.GUARDIAN):
            raise ConsentGuardianNeeded


def _is_said(said: Consent, known: Mapping[Purpose, ConsentEntry]) -> bool:
    """Return whether this was the last word already. Its date alone makes no difference: a list is imported again and again."""
    last = known.get(said.purpose)
    if last is None:
        return False
    return last.consent == replace(said, given_on=last.consent.given_on)
