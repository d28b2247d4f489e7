"""The user's statements as facts that can be read and written by the thousand: each kind has keys and a value, None for "not set".

Values are limited to JSON, because steps that can be undone keep them (`agent.infrastructure.store.undo_log`).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    delete,
    exists,
    insert,
    select,
    tuple_,
    type_coerce,
    update,
)

from agent.domain.identity_matching import Certainty
from agent.domain.reference import fit_of
from agent.infrastructure.store.album_facts import ALBUM_KINDS
from agent.infrastructure.store.fact_values import FactKind, Value, existing, instant, packed, unpacked
from agent.infrastructure.store.reference_facts import REFERENCE_KINDS
from agent.infrastructure.store.schema import face, identity, ignored, image, person, rejection, team_person, unseen

# An image, a face, a person, an album, or a face and a person; of a photo in an album: both and its position; of a person who came from a
# team, their random id there; of a reference without a photo, what stands for the photo.
Key: TypeAlias = int | str | tuple[int, int] | tuple[int, int, int]

CHUNK = 500  # keys in one statement


# -- hidden, favourite: image -> when ------------------------------------------------------------------------------------------------


def _read_mark(column: str, tx: Connection, keys: Sequence[int]) -> dict[int, Value]:
    at = image.c[column]
    return _pairs(tx.execute(select(image.c.id, type_coerce(at, BigInteger)).where(image.c.id.in_(keys), at.is_not(None))).all())


def _write_mark(column: str, tx: Connection, keys: Sequence[int], value: Value) -> None:
    tx.execute(update(image).where(image.c.id.in_(keys)).values({column: None if value is None else instant(value)}))


# -- who: face -> [person, when] -----------------------------------------------------------------------------------------------------


def _read_who(tx: Connection, keys: Sequence[int]) -> dict[int, Value]:
    at = type_coerce(identity.c.confirmed_at, BigInteger)
    confirmed = identity.c.certainty == Certainty.CONFIRMED
    rows = tx.execute(select(identity.c.face_id, identity.c.person_id, at).where(identity.c.face_id.in_(keys), confirmed))
    return {face_id: [person_id, when] for face_id, person_id, when in rows}


def _write_who(tx: Connection, keys: Sequence[int], value: Value) -> None:
    if value is None:
        tx.execute(delete(identity).where(identity.c.face_id.in_(keys), identity.c.certainty == Certainty.CONFIRMED))
        return
    person_id, when = value
    tx.execute(delete(identity).where(identity.c.face_id.in_(keys)))
    if tx.scalar(select(person.c.id).where(person.c.id == person_id)) is None:
        return
    facts = {
        "person_id": person_id,
        "certainty": Certainty.CONFIRMED,
        "distance": 0.0,
        "agree": 0,
        "refs": 0,
        "confirmed_at": None if when is None else instant(when),
    }
    if there := tx.execute(select(face.c.id, face.c.image_id, face.c.size, face.c.sharpness).where(face.c.id.in_(keys))).all():
        rows = [{"face_id": row.id, "image_id": row.image_id, "fit": fit_of(row.size, row.sharpness)} for row in there]
        tx.execute(insert(identity), [facts | row for row in rows])


# -- not, unseen: (face, person) -> when ---------------------------------------------------------------------------------------------


def _read_pairs(table: Table, tx: Connection, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Value]:
    at = type_coerce(table.c.at, BigInteger)
    rows = tx.execute(select(table.c.face_id, table.c.person_id, at).where(_pair(table, keys)))
    return {(face_id, person_id): when for face_id, person_id, when in rows}


def _write_pairs(table: Table, tx: Connection, keys: Sequence[tuple[int, int]], value: Value) -> None:
    tx.execute(delete(table).where(_pair(table, keys)))
    if value is None:
        return
    faces = set(existing(tx, face, [face_id for face_id, _ in keys]))
    people = set(existing(tx, person, [person_id for _, person_id in keys]))
    rows = [{"face_id": f, "person_id": p, "at": instant(value)} for f, p in keys if f in faces and p in people]
    if rows:
        tx.execute(insert(table), rows)


def _pair(table: Table, keys: Sequence[tuple[int, int]]) -> ColumnElement[bool]:
    return tuple_(table.c.face_id, table.c.person_id).in_(keys)


# -- ignored: face -> when -----------------------------------------------------------------------------------------------------------

BY_USER = "user"


def _read_ignored(tx: Connection, keys: Sequence[int]) -> dict[int, Value]:
    at = type_coerce(ignored.c.at, BigInteger)
    return _pairs(tx.execute(select(ignored.c.face_id, at).where(ignored.c.face_id.in_(keys), ignored.c.reason == BY_USER)).all())


def _write_ignored(tx: Connection, keys: Sequence[int], value: Value) -> None:
    tx.execute(delete(ignored).where(ignored.c.face_id.in_(keys), ignored.c.reason == BY_USER))
    if value is None:
        return
    others = set(tx.scalars(select(ignored.c.face_id).where(ignored.c.face_id.in_(keys))))
    rows = [{"face_id": each, "reason": BY_USER, "at": instant(value)} for each in existing(tx, face, keys) if each not in others]
    if rows:
        tx.execute(insert(ignored), rows)


# -- person: person -> all their data -------------------------------------------------------------------------------------------------


def _read_person(tx: Connection, keys: Sequence[int]) -> dict[int, Value]:
    rows = tx.execute(select(person).where(person.c.id.in_(keys))).mappings()
    return {row["id"]: {name: packed(value) for name, value in row.items() if name != "id"} for row in rows}


def _write_person(tx: Connection, keys: Sequence[int], value: Value) -> None:
    if value is None:
        # A person with faces stays: undoing a step out of order must not take other steps' names along.
        has_faces = exists().where(identity.c.person_id == person.c.id, identity.c.certainty == Certainty.CONFIRMED)
        tx.execute(delete(person).where(person.c.id.in_(keys), ~has_faces))
        return
    for person_id in keys:
        row = {name: unpacked(person.c[name].type, each) for name, each in value.items()}
        row["name"] = free_name(tx, row["name"], person_id)
        if row["cover_face_id"] is not None and not existing(tx, face, [row["cover_face_id"]]):
            row["cover_face_id"] = None
        if not tx.execute(update(person).where(person.c.id == person_id).values(row)).rowcount:
            tx.execute(insert(person).values(row | {"id": person_id}))


# -- a person's data: person -> the value of a column ---------------------------------------------------------------------------------

LOST, TEAM = "lost", "team"
FIELDS = ("name", "birth_date", "notes", "cover_face_id", "hidden_at", "never_at", "basis", "basis_at", "retention_days", "watch_at")


def _read_field(name: str, tx: Connection, keys: Sequence[int]) -> dict[int, Value]:
    rows = tx.execute(select(person.c.id, person.c[name]).where(person.c.id.in_(keys), person.c[name].is_not(None))).all()
    return {person_id: packed(value) for person_id, value in rows}


def _write_field(name: str, tx: Connection, keys: Sequence[int], value: Value) -> None:
    for person_id in keys:
        found = unpacked(person.c[name].type, value)
        if name == "name":
            found = free_name(tx, value, person_id)
        elif name == "cover_face_id" and value is not None and not existing(tx, face, [value]):
            found = None
        tx.execute(update(person).where(person.c.id == person_id).values({name: found}))


def free_name(tx: Connection, name: str, person_id: int | None) -> str:
    """The name itself or, if another person has it, the name with a number appended."""
    found, number = name, 1
    while tx.scalar(select(person.c.id).where(and_(person.c.name == found, person.c.id != (person_id or 0)))) is not None:
        number += 1
        found = f"{name} ({number})"
    return found


# -- team: random id at the team -> person -------------------------------------------------------------------------------------------


def _read_team(tx: Connection, keys: Sequence[str]) -> dict[str, Value]:
    rows = tx.execute(select(team_person.c.uid, team_person.c.person_id).where(team_person.c.uid.in_(keys)))
    return {uid: person_id for uid, person_id in rows if person_id is not None}


def _write_team(tx: Connection, keys: Sequence[str], value: Value) -> None:
    there = None if value is None else tx.scalar(select(person.c.id).where(person.c.id == value))
    tx.execute(update(team_person).where(team_person.c.uid.in_(keys)).values(person_id=there))


KINDS: dict[str, FactKind] = {
    "hidden": FactKind(partial(_read_mark, "hidden_at"), partial(_write_mark, "hidden_at")),
    "favourite": FactKind(partial(_read_mark, "favourite_at"), partial(_write_mark, "favourite_at")),
    "who": FactKind(_read_who, _write_who),
    "not": FactKind(partial(_read_pairs, rejection), partial(_write_pairs, rejection)),
    "unseen": FactKind(partial(_read_pairs, unseen), partial(_write_pairs, unseen)),
    "ignored": FactKind(_read_ignored, _write_ignored),
    # Faces whose embeddings were deleted with the step, not a settable fact; undoing the step has their photos analysed again.
    LOST: FactKind(lambda _, __: {}, lambda _, __, ___: None),
    "person": FactKind(_read_person, _write_person),
    TEAM: FactKind(_read_team, _write_team),
    **ALBUM_KINDS,
    **REFERENCE_KINDS,
    **{name: FactKind(partial(_read_field, name), partial(_write_field, name)) for name in FIELDS},
}


def chunks(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def _pairs(rows: Sequence[Row[Any, Any]]) -> dict[int, Value]:
    return {key: value for key, value in rows}
