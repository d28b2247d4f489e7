"""The user's edits of people and faces, stored as undo steps."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

from sqlalchemy import Connection, delete, select

from agent.domain.edits import (
    Basis,
    DescribePersonEdit,
    Edit,
    EditStep,
    IgnoreFacesEdit,
    ImportNamesEdit,
    MergePeopleEdit,
    NameFacesEdit,
    NameManyEdit,
    RejectFaces,
    UnnameFacesEdit,
)
from agent.domain.errors import FaceUnknown, NameTaken, PersonUnknown, SelfMerge
from agent.domain.identity_matching import Certainty
from agent.domain.names import given, tidy
from agent.domain.regions import spelling
from agent.features.people.legal_thresholds import is_child
from agent.features.people.queries import albums_of_people, consent_queries, imported_names, team_people_queries
from agent.infrastructure.core.access_scope import acting_libraries
from agent.infrastructure.store import audit_libraries, audit_log
from agent.infrastructure.store.fact_values import moment
from agent.infrastructure.store.facts import Key, chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import face, grouping, identity, ignored, person, rejection, unseen
from agent.infrastructure.store.undo_log import Journal

CORRECTED: Final = "corrected"
"""the action of a step that another desk of the team caused"""


def edit(tx: Connection, wish: Edit, now: datetime) -> EditStep:
    """Write an edit. Raises FaceUnknown, PersonUnknown, NameEmpty, NameTaken, SelfMerge; the caller must then roll back."""
    match wish:
        case NameFacesEdit():
            return _name(tx, wish, now)
        case NameManyEdit():
            return _name_many(tx, wish, now)
        case ImportNamesEdit():
            return _adopt(tx, wish, now)
        case RejectFaces():
            return _reject(tx, wish, now)
        case UnnameFacesEdit():
            return _unname(tx, wish, now)
        case IgnoreFacesEdit():
            return _ignore(tx, wish, now)
        case MergePeopleEdit():
            return _merge(tx, wish, now)
        case DescribePersonEdit():
            return _describe(tx, wish, now)
        case _:
            assert_never(wish)


def _name(tx: Connection, wish: NameFacesEdit, now: datetime) -> EditStep:
    step, faces = Journal(tx), _faces(tx, wish.face_ids)
    person_id = _known(tx, wish.person_id) if wish.person_id is not None else _of_name(tx, step, given(wish.name or ""), now, wish.uid)
    if wish.basis is not None:
        _say_basis(step, person_id, wish.basis, now)
    if len(faces) > 1:  # by a card: a single face is named where it is seen, and says nothing about a group
        step.set("unseen", [(face_id, person_id) for face_id in _beside(tx, [*faces, *wish.left_out])], moment(now))
    changed = _confirm(tx, step, person_id, faces, now)
    if left_out := sorted({*wish.left_out} - {*faces}):
        _rule_out(tx, step, person_id, _faces(tx, left_out), now)
    return step.close("name", len(changed), now, person_id=person_id)


def correct(tx: Connection, face_ids: Sequence[int], person_id: int | None, name: str, now: datetime) -> EditStep:
    """Give faces the name that the team gave them at another desk, or with an empty `name` none: a step of its own, to be undone.

    Without `person_id`, the person of that name, who is made if there is none.
    """
    step, faces = Journal(tx), _faces(tx, face_ids)
    if not name:
        return step.close(CORRECTED, len(step.set("who", faces, None)), now)
    person_id = _known(tx, person_id) if person_id is not None else _of_name(tx, step, given(name), now, None)
    return step.close(CORRECTED, len(_confirm(tx, step, person_id, faces, now)), now, person_id=person_id)


def _beside(tx: Connection, faces: Sequence[int]) -> list[int]:
    """Return the other unnamed faces of these faces' clusters: their card was named without showing them."""
    groups = {each for chunk in chunks(faces) for each in tx.scalars(select(grouping.c.group_id).where(grouping.c.face_id.in_(chunk)))} - {
        0
    }
    others = (
        select(grouping.c.face_id)
        .outerjoin(identity, identity.c.face_id == grouping.c.face_id)
        .where(grouping.c.group_id.in_(groups), identity.c.face_id.is_(None))
    )
    return sorted(set(tx.scalars(others)) - set(faces)) if groups else []


def _name_many(tx: Connection, wish: NameManyEdit, now: datetime) -> EditStep:
    """Name the faces; missing ones are skipped."""
    step, changed = Journal(tx), 0
    for name, face_ids in wish.people:
        if there := _there(tx, face_ids):
            changed += len(_confirm(tx, step, _of_name(tx, step, given(name), now), there, now))
    return step.close("name", changed, now)


def _confirm(tx: Connection, step: Journal, person_id: int, faces: Sequence[int], now: datetime) -> list[Key]:
    """Return the faces that were not known to be that person."""
    confirmed = {face_id: other for face_id, other, certainty in _identities(tx, faces) if certainty == Certainty.CONFIRMED}
    # They are not any other person they were taken for.
    others = [(face_id, other) for face_id, other, _ in _identities(tx, faces) if other != person_id]
    step.set("not", others, moment(now))
    step.set("not", [(face_id, person_id) for face_id in faces], None)
    step.set("ignored", faces, None)
    changed = step.set("who", [each for each in faces if confirmed.get(each) != person_id], [person_id, moment(now)])
    audit_libraries.add_of_faces(tx, "named", _uid(tx, person_id), changed, now)
    return changed


def _adopt(tx: Connection, wish: ImportNamesEdit, now: datetime) -> EditStep:
    fresh = imported_names.news(tx, wish)
    step, faces = Journal(tx), _faces(tx, list(fresh)) if fresh else []
    settled = set(tx.scalars(select(ignored.c.face_id).where(ignored.c.face_id.in_(faces))))
    settled |= {face_id for face_id, _, certainty in _identities(tx, faces) if certainty == Certainty.CONFIRMED}
    ruled_out = {tuple(row) for row in tx.execute(select(rejection.c.face_id, rejection.c.person_id).where(rejection.c.face_id.in_(faces)))}
    people = tx.execute(select(person.c.id, person.c.name, person.c.never_at)).all()
    known = {spelling(row.name): row.id for row in people} | {row.name: row.id for row in people}
    never = {row.id for row in people if row.never_at is not None}
    changed = 0
    for face_id in faces:
        if face_id in settled:
            continue
        name = tidy(fresh[face_id])
        if not name:
            continue
        person_id = known.get(name) or known.get(spelling(name))
        if person_id in never or (face_id, person_id) in ruled_out:
            continue
        if person_id is None:
            person_id = known[spelling(name)] = _of_name(tx, step, name, now)
        changed += len(_confirm(tx, step, person_id, [face_id], now))
        imported_names.remember(tx, face_id, name)
    return step.close("name", changed, now)


def _reject(tx: Connection, wish: RejectFaces, now: datetime) -> EditStep:
    step, faces, person_id = Journal(tx), _faces(tx, wish.face_ids), _known(tx, wish.person_id)
    changed = _rule_out(tx, step, person_id, faces, now)
    return step.close("reject", len(changed), now, person_id=person_id)


def _rule_out(tx: Connection, step: Journal, person_id: int, faces: Sequence[int], now: datetime) -> list[Key]:
    """Return what was not ruled out before: faces, each with the person."""
    mine = [face_id for face_id, other, _ in _identities(tx, faces) if other == person_id]
    step.set("who", mine, None)
    changed = step.set("not", [(face_id, person_id) for face_id in faces], moment(now))
    _drop_opinions(tx, mine)
    audit_libraries.add_of_faces(tx, "rejected", _uid(tx, person_id), [each[0] for each in changed if isinstance(each, tuple)], now)
    return changed


def _unname(tx: Connection, wish: UnnameFacesEdit, now: datetime) -> EditStep:
    step, faces = Journal(tx), _faces(tx, wish.face_ids)
    named = [(face_id, other) for face_id, other, certainty in _identities(tx, faces) if certainty == Certainty.CONFIRMED]
    step.set("not", named, moment(now))  # otherwise they would be suggested as the same people again at once
    changed = step.set("who", [face_id for face_id, _ in named], None)
    for uid in {_uid(tx, other) for _, other in named}:
        audit_libraries.add_of_faces(tx, "unnamed", uid, changed, now)
    return step.close("unname", len(changed), now)


def _ignore(tx: Connection, wish: IgnoreFacesEdit, now: datetime) -> EditStep:
    step, faces = Journal(tx), _faces(tx, wish.face_ids)
    changed = step.set("ignored", faces, moment(now) if wish.ignored else None)
    if wish.ignored:
        _drop_opinions(tx, faces)
    return step.close("ignore" if wish.ignored else "unignore", len(changed), now)


def _merge(tx: Connection, wish: MergePeopleEdit, now: datetime) -> EditStep:
    step, into = Journal(tx), _known(tx, wish.into)
    if into in wish.person_ids:
        raise SelfMerge
    moved = list[Key]()
    refused = False
    for other in dict.fromkeys(wish.person_ids):
        _known(tx, other)
        theirs = select(identity.c.face_id).where(identity.c.person_id == other, identity.c.certainty == Certainty.CONFIRMED)
        faces = list(tx.scalars(theirs))  # what is only suggested is looked for anew
        # A face rejected for one is rejected for the other; a face confirmed as either stays.
        confirmed = {each for each, _, certainty in _identities(tx, _rejected(tx, other)) if certainty == Certainty.CONFIRMED}
        rejected = [each for each in _rejected(tx, other) if each not in confirmed]
        step.set("not", [(each, other) for each in _rejected(tx, other)], None)
        step.set("not", [(each, into) for each in rejected], moment(now))
        step.set("not", [(each, into) for each in faces], None)
        beside = tx.scalars(select(unseen.c.face_id).where(unseen.c.person_id == other)).all()
        step.set("unseen", [(each, other) for each in beside], None)
        step.set("unseen", [(each, into) for each in beside], moment(now))
        moved += step.set("who", faces, [into, moment(now)])
        audit_libraries.add_of_faces(tx, "merged", _uid(tx, other), faces, now, otherwise=audit_libraries.of_people(tx, [other]))
        refused = refused or tx.scalar(select(person.c.never_at).where(person.c.id == other)) is not None
        refused = refused or consent_queries.has_withdrawn(tx, filter(None, (_uid(tx, other), _uid(tx, into))))
        step.set("team", team_people_queries.of_person(tx, other), into)
        albums_of_people.merge(tx, step, other, into)
        step.set("person", [other], None)
    if refused:  # the "never recognise" setting stays theirs, whatever their name
        _switch(tx, step, into, "never_at", True, now)
    audit_libraries.add_of_faces(tx, "merged_into", _uid(tx, into), moved, now, otherwise=audit_libraries.of_people(tx, [into]))
    return step.close("merge", len(moved), now, person_id=into)


def _describe(tx: Connection, wish: DescribePersonEdit, now: datetime) -> EditStep:
    step, person_id = Journal(tx), _known(tx, wish.person_id)
    if wish.name is not None:
        _rename(tx, step, person_id, given(wish.name))
    if wish.cover_face_id is not None:
        step.set("cover_face_id", [person_id], _faces(tx, [wish.cover_face_id])[0])
    if wish.basis is not None:
        _say_basis(step, person_id, wish.basis, now)
    birth_date = wish.birth_date and wish.birth_date.isoformat()
    for field, said in (("birth_date", birth_date), ("notes", wish.notes), ("retention_days", wish.retention_days)):
        if said is not None:
            step.set(field, [person_id], said)
    for field, is_so in (("hidden_at", wish.hidden), ("never_at", _never(wish, now)), ("watch_at", wish.watch)):
        if is_so is not None:
            _switch(tx, step, person_id, field, is_so, now)
    for field in sorted(wish.clear | ({"basis_at"} if "basis" in wish.clear else set())):
        step.set(field, [person_id], None)
    return step.close("describe", 1, now, person_id=person_id)


def _never(wish: DescribePersonEdit, now: datetime) -> bool | None:
    """Return the setting as given; a child is not recognised unless a guardian consented."""
    if wish.never is not None or wish.birth_date is None:
        return wish.never
    return True if is_child(wish.birth_date, consent_queries.day_of(now)) and wish.basis is not Basis.GUARDIAN else None


def _rename(tx: Connection, step: Journal, person_id: int, name: str) -> None:
    taken = tx.scalar(select(person.c.id).where(person.c.name == name, person.c.id != person_id))
    if taken is not None:
        raise NameTaken(person_id=taken)
    step.set("name", [person_id], name)


def _switch(tx: Connection, step: Journal, person_id: int, field: str, is_so: bool, now: datetime) -> None:
    if is_so != (tx.scalar(select(person.c[field]).where(person.c.id == person_id)) is not None):
        step.set(field, [person_id], moment(now) if is_so else None)
        if field == "never_at" and is_so:  # see `never.begin`
            thought = select(identity.c.face_id).where(identity.c.person_id == person_id, identity.c.certainty != Certainty.CONFIRMED)
            step.lost(tx.scalars(thought).all())
        action, libraries = f"{field.removesuffix('_at')}_{'on' if is_so else 'off'}", audit_libraries.of_people(tx, [person_id])
        audit_log.add(tx, action, _uid(tx, person_id), 1, now, libraries=libraries)


def _of_name(tx: Connection, step: Journal, name: str, now: datetime, uid: str | None = None) -> int:
    """Return the person of that name, created if missing."""
    person_id = tx.scalar(select(person.c.id).where(person.c.name == name))
    if person_id is None:
        person_id = make_person(tx, name, now, uid)
        step.made("person", person_id)
    return person_id


def make_person(tx: Connection, name: str, now: datetime, uid: str | None = None) -> int:
    """Add a person with a name that is free. Returns the id."""
    uid = uid or uuid.uuid4().hex
    person_id = add(tx, person, {"name": name, "created_at": now, "uid": uid})
    audit_log.add(tx, "person_made", uid, 1, now, libraries=acting_libraries())
    return person_id


def _say_basis(step: Journal, person_id: int, basis: Basis, now: datetime) -> None:
    if step.set("basis", [person_id], basis.value):
        step.set("basis_at", [person_id], moment(now))


def _faces(tx: Connection, face_ids: Sequence[int]) -> list[int]:
    """Return the existing ones, each once. Raises FaceUnknown if none exists."""
    there = _there(tx, face_ids)
    if not there:
        raise FaceUnknown
    return there


def _there(tx: Connection, face_ids: Sequence[int]) -> list[int]:
    """Return the existing ones, each once."""
    wanted = list(dict.fromkeys(face_ids))
    there = {each for chunk in chunks(wanted) for each in tx.scalars(select(face.c.id).where(face.c.id.in_(chunk)))}
    return [each for each in wanted if each in there]


def _known(tx: Connection, person_id: int) -> int:
    if tx.scalar(select(person.c.id).where(person.c.id == person_id)) is None:
        raise PersonUnknown
    return person_id


def _uid(tx: Connection, person_id: int) -> str | None:
    return tx.scalar(select(person.c.uid).where(person.c.id == person_id))


def _identities(tx: Connection, faces: Sequence[int]) -> list[tuple[int, int, str]]:
    """Return (face, person, certainty) of identified faces."""
    columns = select(identity.c.face_id, identity.c.person_id, identity.c.certainty)
    return [tuple(row) for chunk in chunks(faces) for row in tx.execute(columns.where(identity.c.face_id.in_(chunk)))]


def _rejected(tx: Connection, person_id: int) -> Sequence[int]:
    return tx.scalars(select(rejection.c.face_id).where(rejection.c.person_id == person_id)).all()


def _drop_opinions(tx: Connection, faces: Sequence[int]) -> None:
    for chunk in chunks(faces):
        tx.execute(delete(identity).where(identity.c.face_id.in_(chunk), identity.c.certainty != Certainty.CONFIRMED))
