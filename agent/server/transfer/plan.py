"""What a move would do, before anything is written."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from agent.domain.consent import ConsentState, Purpose
from agent.infrastructure.store import schema
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import embedding, identity, image, person
from agent.server.transfer.numbers import Numbers
from agent.server.transfer.people_moves import people_there
from agent.server.transfer.reader import Page, Reader
from agent.server.transfer.tables import CONSENT, PERSON, STAYS, Row

PHOTOS_PER_S, FACES_PER_S = 350, 500
"""measured: docs/decisions/0058; both are written and proved"""


@dataclass(frozen=True, slots=True)
class Plan:
    """`rows` by table; `stays` counts rows by the reason for which they do not move."""

    rows: dict[str, int]
    stays: dict[str, int]
    folders: list[tuple[str, str, int]]  # here, there, files
    singles: int  # files in no watched folder
    known_photos: int  # of them, on the other side already
    without_consent: int
    withheld_prints: int
    forgotten: int

    @property
    def seconds(self) -> float:
        return self.rows["image"] / PHOTOS_PER_S + self.rows["face"] / FACES_PER_S


def plan(
    source: Database,
    reader: Reader,
    folders: list[tuple[str, str, int]],
    target: Database,
    forgotten: frozenset[str],
    required: date | None,
) -> Plan:
    """Raises StoreError. `required` is today if people without consent are not recognised there."""
    people, numbers = reader.people(), Numbers()
    with target.read() as tx:
        people_there(tx, people, numbers, forgotten)
        there = {each.id: each.lapsed_at is not None for each in tx.execute(select(person.c.id, person.c.lapsed_at))}
    agreed = _agreed(people, required) if required is not None else frozenset()
    lapsed = {
        each["id"]
        for each in people.rows[PERSON.name]
        if required is not None
        and each["id"] not in numbers.forgotten
        and (there[numbers.people[each["id"]]] if each["id"] in numbers.people else each["uid"] not in agreed)
    }
    rows = reader.counts()
    return Plan(
        rows,
        _stays(source),
        folders,
        reader.singles(),
        _known(source, target),
        len(lapsed),
        _prints(source, lapsed),
        len(numbers.forgotten),
    )


def _agreed(people: Page, today: date) -> frozenset[str]:
    newest: dict[str, Row] = {each["person_uid"]: each for each in people.rows[CONSENT.name] if each["purpose"] == Purpose.RECOGNISE}
    return frozenset(
        uid
        for uid, said in newest.items()
        if said["state"] == ConsentState.GIVEN
        and said["given_on"] <= today
        and (said["valid_until"] is None or said["valid_until"] >= today)
    )


def _stays(source: Database) -> dict[str, int]:
    found = Counter[str]()
    with source.read() as tx:
        for name, reason in STAYS.items():
            if name == "audit_head":
                continue
            found[reason] += tx.scalar(select(func.count()).select_from(schema.metadata.tables[name])) or 0
    return {reason: count for reason, count in found.items() if count}


def _known(source: Database, target: Database) -> int:
    """Return how many contents both sides have."""
    after, known = 0, 0
    while True:
        with source.read() as tx:
            part = tx.execute(select(image.c.id, image.c.sha256).where(image.c.id > after).order_by(image.c.id).limit(5_000)).all()
        if not part:
            return known
        after = part[-1].id
        with target.read() as tx:
            for some in chunks([each.sha256 for each in part]):
                known += tx.scalar(select(func.count()).select_from(image).where(image.c.sha256.in_(some))) or 0


def _prints(source: Database, people: set[int]) -> int:
    with source.read() as tx:
        joined = select(func.count()).select_from(embedding).join(identity, identity.c.face_id == embedding.c.face_id)
        return sum(tx.scalar(joined.where(identity.c.person_id.in_(part))) or 0 for part in chunks(sorted(people)))
