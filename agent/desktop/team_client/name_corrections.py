"""Faces that were named here and that the team knows as others by now: the names come down, as steps that can be undone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from agent.desktop.team_client.records import TeamCorrection
from agent.desktop.team_client.synced_face_queries import link, local
from agent.domain.edits import EditStep
from agent.domain.identity_matching import Certainty
from agent.features.library.queries import face_queries
from agent.features.people.queries import edit_queries, team_face_queries
from agent.features.people.queries.team_face_queries import REJECT
from agent.infrastructure.store.schema import face, identity, person, team_outbox, team_person, undo
from agent.interfaces.web.desk_exchange import FACE_KINDS, FaceNamed

SHOWN: Final = timedelta(days=7)
MOST_SHOWN: Final = 20


def ready(tx: Connection, told: Sequence[FaceNamed]) -> tuple[FaceNamed, ...]:
    """Return those of which nothing is being sent: what the team told of others may be older than the answer to that."""
    waiting = _waiting(tx, told)
    return tuple(each for each in told if all(row.conflict is not None for row in waiting.get(_here(tx, each), ())))


def correct(tx: Connection, told: Sequence[FaceNamed], now: datetime) -> list[EditStep]:
    """Take the team's names, one step for each person. What was said here and is not sent or settled yet stays."""
    found: dict[tuple[str, str], list[int]] = {}
    waiting = _waiting(tx, told)
    for each in told:
        face_id = _here(tx, each)
        free = [row.conflict is not None and _is_settled(tx, row, each, now) for row in waiting.get(face_id, ())]
        if face_id is not None and all(free):
            found.setdefault((each.person_uid, each.name), []).append(face_id)
    steps = [_take(tx, faces, uid, name, now) for (uid, name), faces in sorted(found.items())]
    return [step for step in steps if step is not None]


def shown(tx: Connection, now: datetime) -> list[TeamCorrection]:
    """Return the newest changes that came down in the last week and were not undone."""
    rows = select(undo.c.token, undo.c.at, undo.c.number, undo.c.changes).where(undo.c.action == edit_queries.CORRECTED)
    rows = rows.where(undo.c.undone_at.is_(None), undo.c.at > now - SHOWN).order_by(undo.c.id.desc()).limit(MOST_SHOWN)
    found = list[TeamCorrection]()
    for token, at, count, changes in tx.execute(rows):
        who = next((each for each in changes if each["fact"] == "who"), None)
        if who is not None:
            image_id = tx.scalar(select(face.c.image_id).where(face.c.id == who["keys"][0]))
            found.append(TeamCorrection(token, _name(tx, who["before"]), _name(tx, who["after"]), at, count, image_id))
    return found


def _name(tx: Connection, named: list[Any] | None) -> str:
    return (tx.scalar(select(person.c.name).where(person.c.id == named[0])) or "") if named else ""


def _here(tx: Connection, told: FaceNamed) -> int | None:
    return face_queries.at(tx, told.photo, told.box)


def _waiting(tx: Connection, told: Sequence[FaceNamed]) -> dict[int | None, list[Any]]:
    """Return what is not sent or settled of faces on these photos, by face."""
    photos, found = {each.photo for each in told}, dict[int | None, list[Any]]()
    rows = tx.execute(select(team_outbox).where(team_outbox.c.kind.in_(FACE_KINDS))).all() if told else []
    for row in rows:
        if row.content["face"]["photo"] in photos:
            found.setdefault(local(tx, row.content["face"]), []).append(row)
    return found


def _take(tx: Connection, faces: Sequence[int], uid: str, name: str, now: datetime) -> EditStep | None:
    known = tx.execute(select(team_person).where(team_person.c.uid == uid)).one_or_none()
    if known is not None and known.refused:
        return None
    person_id = None if known is None else known.person_id
    confirmed = select(identity.c.face_id, identity.c.person_id).where(identity.c.certainty == Certainty.CONFIRMED)
    here = {row.face_id: row.person_id for row in tx.execute(confirmed.where(identity.c.face_id.in_(faces)))}
    others = [each for each in faces if (here.get(each) != person_id if person_id is not None else bool(uid) or each in here)]
    step = edit_queries.correct(tx, others, person_id, name, now) if others else None
    if step is not None and uid and person_id is None:
        link(tx, uid, step.person_id, name)
    for face_id in faces:
        team_face_queries.corrected(tx, face_id, uid)
    return step


def _is_settled(tx: Connection, row: Any, told: FaceNamed, now: datetime) -> bool:
    """A conflict that waits for the user is about what the team has by now. Return whether the team's name can be taken without asking."""
    is_them = told.person_uid == row.person_uid
    if told.person_uid and is_them is (row.kind == REJECT):
        said = row.conflict | {"name": told.name, "person_uid": told.person_uid, "by": "", "at": None}
        tx.execute(update(team_outbox).where(team_outbox.c.id == row.id).values(conflict=said))
        return False
    tx.execute(delete(team_outbox).where(team_outbox.c.id == row.id))
    team_face_queries.send_again(tx, row.kind, row.person_uid, row.content | {"base": told.person_uid}, now)
    return bool(row.kind == REJECT)
