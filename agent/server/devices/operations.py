"""What was said of faces and people at a desk, done on the server: names, rejections, merges, and what takes them back."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from agent.domain.consent import Purpose
from agent.domain.edits import EditStep, MergePeopleEdit, NameFacesEdit, RejectFaces
from agent.domain.errors import NameEmpty
from agent.domain.identity_matching import Certainty
from agent.features.library.queries import face_queries, identity_queries
from agent.features.library.recipes import EMBEDDER
from agent.features.people.queries import consent_queries, edit_queries
from agent.infrastructure.store import audit_libraries, undo_log
from agent.infrastructure.store.schema import chip, embedding, identity, member, person, undo, undo_person
from agent.infrastructure.store.undo_log import Journal
from agent.interfaces.web.desk_exchange import DeskOperation, DeskResult

NOTHING: Final = EditStep("describe", 0)


@dataclass(frozen=True, slots=True)
class Known:
    """What of an operation is within the caller's reach. `named`: who the face is known as, as far as the caller may know; `token`: of the
    step that is undone.
    """

    person: bool
    into: bool
    face_id: int | None = None
    named: str = ""
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    result: DeskResult
    step: EditStep = NOTHING
    then: str | None = None


def known(tx: Connection, asked: DeskOperation) -> Known:
    """Call it with the caller's reach."""
    face_id = None if asked.face is None else face_queries.at(tx, asked.face.photo, asked.face.box)
    named = select(person.c.name).join(identity, identity.c.person_id == person.c.id).where(identity.c.face_id == face_id)
    return Known(
        _person(tx, asked.person_uid) is not None,
        asked.into is not None and _person(tx, asked.into) is not None,
        face_id,
        (tx.scalar(named) or "") if face_id is not None else "",
    )


def operate(tx: Connection, asked: DeskOperation, there: Known, now: datetime, *, recognises: bool) -> Done:
    """Do it, unless the server knows the face as another one by now. Call it without a limit of reach, after `known`."""
    match asked.kind:
        case "merge":
            return _merge(tx, asked, there, now)
        case "unmerge":
            return _unmerge(tx, asked, there, now)
    if there.face_id is None:
        return Done(DeskResult(uid=asked.uid, state="gone"))
    if asked.kind == "name":
        return _name(tx, asked, there, there.face_id, now, recognises=recognises)
    person_id = _person(tx, asked.person_uid)
    if person_id is None or not there.person:
        return Done(DeskResult(uid=asked.uid, state="gone"))
    current = _current(tx, there.face_id)
    result = DeskResult(uid=asked.uid, state="done")
    match asked.kind:
        case "reject":
            if current == asked.person_uid != asked.base:
                return Done(_conflict(tx, asked, there, there.face_id, current))
            return Done(result, edit_queries.edit(tx, RejectFaces(face_ids=(there.face_id,), person_id=person_id), now))
        case "unreject":
            return Done(result, _set(tx, "not", (there.face_id, person_id), "reject", now))
        case _:
            if current != asked.person_uid:
                return Done(result)
            audit_libraries.add_of_faces(tx, "unnamed", current, [there.face_id], now)
            return Done(result, _set(tx, "who", there.face_id, "unname", now))


def _name(tx: Connection, asked: DeskOperation, there: Known, face_id: int, now: datetime, *, recognises: bool) -> Done:
    current, person_id = _current(tx, face_id), _person(tx, asked.person_uid)
    if person_id is not None and not there.person:
        return Done(DeskResult(uid=asked.uid, state="gone"))
    if person_id is None:
        person_id = tx.scalar(select(person.c.id).where(person.c.name == asked.name))
    if current and current not in (asked.base, _uid(tx, person_id)):
        return Done(_conflict(tx, asked, there, face_id, current))
    try:
        step = edit_queries.edit(tx, NameFacesEdit(face_ids=(face_id,), person_id=person_id, name=asked.name, uid=asked.person_uid), now)
    except NameEmpty:  # before anything was written
        return Done(DeskResult(uid=asked.uid, state="gone"))
    assert step.person_id is not None
    printed = recognises and _print(tx, asked, face_id, step.person_id, now)
    if printed:
        step = EditStep(step.action, step.count, step.faces | {face_id}, step.people | {step.person_id}, step.token, step.person_id)
    result = DeskResult(uid=asked.uid, state="done", person_uid=_uid(tx, step.person_id) or "", printed=printed)
    return Done(result, step)


def _print(tx: Connection, asked: DeskOperation, face_id: int, person_id: int, now: datetime) -> bool:
    """Keep the face print, if its person agreed. The server decides: a desk may not know yet."""
    if not asked.vector or asked.embedder != EMBEDDER or identity_queries.without_embedding(tx, [face_id]):
        return False
    if person_id not in consent_queries.agreed(tx, Purpose.RECOGNISE, now) - identity_queries.never_recognised(tx):
        return False
    if tx.scalar(select(embedding.c.face_id).where(embedding.c.face_id == face_id)) is None:
        tx.execute(insert(embedding).values(face_id=face_id, embedder=EMBEDDER, vector=base64.b64decode(asked.vector)))
        tx.execute(delete(chip).where(chip.c.face_id == face_id))
        if asked.chip:
            tx.execute(insert(chip).values(face_id=face_id, jpeg=base64.b64decode(asked.chip)))
    return True


def _merge(tx: Connection, asked: DeskOperation, there: Known, now: datetime) -> Done:
    assert asked.into is not None
    other, into = _person(tx, asked.person_uid), _person(tx, asked.into)
    if other is None or into is None or other == into or not (there.person and there.into):
        return Done(DeskResult(uid=asked.uid, state="gone"))
    step = edit_queries.edit(tx, MergePeopleEdit(person_ids=(other,), into=into), now)
    return Done(DeskResult(uid=asked.uid, state="done", person_uid=asked.into), step)


def _unmerge(tx: Connection, asked: DeskOperation, there: Known, now: datetime) -> Done:
    step = None if there.token is None else undo_log.undo(tx, there.token, now)
    if step is None:
        return Done(DeskResult(uid=asked.uid, state="gone"))
    return Done(DeskResult(uid=asked.uid, state="done"), step, "taken_back")


def _set(tx: Connection, fact: str, key: Any, action: str, now: datetime) -> EditStep:
    """Take a fact back."""
    step = Journal(tx)
    return step.close(action, len(step.set(fact, [key], None)), now)


def _conflict(tx: Connection, asked: DeskOperation, there: Known, face_id: int, current: str) -> DeskResult:
    """With who named the face so, as far as the steps that can be undone tell."""
    by, at = said_by(tx, current, lambda change: change["fact"] == "who" and face_id in change["keys"])
    return DeskResult(uid=asked.uid, state="conflict", name=there.named, person_uid=current, by=by, at=at)


def said_by(tx: Connection, person_uid: str, is_it: Any) -> tuple[str, datetime | None]:
    """Return who made the newest step with such a change that concerns a person, and when; empty if no step tells."""
    steps = select(undo.c.at, undo.c.actor, undo.c.changes).join(undo_person, undo_person.c.undo_id == undo.c.id)
    steps = steps.join(person, person.c.id == undo_person.c.person_id).where(person.c.uid == person_uid, undo.c.undone_at.is_(None))
    changes: list[Mapping[str, Any]]
    for at, who, changes in tx.execute(steps.order_by(undo.c.id.desc()).limit(100)):
        if any(is_it(change) for change in changes):
            return tx.scalar(select(member.c.display_name).where(member.c.id == who)) or "", at
    return "", None


def _current(tx: Connection, face_id: int) -> str:
    """Return the random id of the face's confirmed person; empty if there is none."""
    confirmed = identity.c.face_id == face_id, identity.c.certainty == Certainty.CONFIRMED
    return tx.scalar(select(person.c.uid).join(identity, identity.c.person_id == person.c.id).where(*confirmed)) or ""


def _person(tx: Connection, uid: str) -> int | None:
    return tx.scalar(select(person.c.id).where(person.c.uid == uid))


def _uid(tx: Connection, person_id: int | None) -> str | None:
    return None if person_id is None else tx.scalar(select(person.c.uid).where(person.c.id == person_id))
