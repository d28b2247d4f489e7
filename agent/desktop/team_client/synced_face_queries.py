"""What the team's server answers on faces that were named at this desk, and what it tells of faces."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete, insert, select, update

from agent.domain.edits import EditStep, NameFacesEdit
from agent.domain.face import Box
from agent.domain.identity_matching import Certainty
from agent.features.library.queries import face_queries
from agent.features.library.recipes import EMBEDDER
from agent.features.people.queries import edit_queries, team_face_queries, team_people_queries
from agent.features.people.queries.team_face_queries import NAME, REJECT, UNREJECT
from agent.infrastructure.store.schema import chip, embedding, identity, rejection, team_face, team_outbox, team_person
from agent.infrastructure.store.undo_log import Journal
from agent.interfaces.web.desk_exchange import FACE_KINDS, MOST_REJECTIONS, DeskOperation, DeskResult, FaceAt, SharedPerson

MOST_CHARACTERS: Final = 2_000_000
"""of prints and pictures that are sent at a time"""
Keep = Literal["mine", "theirs"]


def operations(tx: Connection, rows: list[Any]) -> list[DeskOperation]:
    """Return what is sent, with the face prints of those who agree now."""
    found, characters = list[DeskOperation](), 0
    for row in rows:
        prints = _print_of(tx, row) if row.kind == NAME else {}
        characters += sum(map(len, prints.values()))
        if found and characters > MOST_CHARACTERS:
            break
        content = {name: value for name, value in row.content.items() if name != team_people_queries.TOLD}
        found.append(DeskOperation(uid=row.uid, kind=row.kind, person_uid=row.person_uid, **content, **prints))
    return found


def answered(tx: Connection, sent: Any, answer: DeskResult) -> None:
    """Write an answer that settles what was sent of a face."""
    face_id = local(tx, sent.content["face"])
    if answer.state == "done":
        # Rejections, which go up with each new name, say nothing of who the face is.
        _drop_conflicts(tx, sent, only=sent.person_uid if sent.kind in (REJECT, UNREJECT) else None)
    if sent.kind == NAME and answer.state == "done":
        if answer.person_uid and answer.person_uid != sent.person_uid:
            _rekey(tx, sent.person_uid, answer.person_uid)
        known = team_face.c.face_id == face_id, team_face.c.person_uid == (answer.person_uid or sent.person_uid)
        tx.execute(update(team_face).where(*known).values(printed=int(answer.printed)))
    elif sent.kind in (REJECT, UNREJECT) and answer.state != "done" and face_id is not None:
        _told_rejected(tx, face_id, sent.person_uid, sent.kind == UNREJECT)  # as it was before


def conflicted(tx: Connection, sent: Any, answer: DeskResult) -> None:
    """One conflict for each face: of several decisions made here, the last counts. But a name that waits for the user stays asked about."""
    said = {"name": answer.name, "by": answer.by, "at": answer.at and answer.at.isoformat(), "person_uid": answer.person_uid}
    named = next((row for row in _conflicts_beside(tx, sent) if row.kind == NAME), None) if sent.kind == REJECT else None
    if named is not None:  # either answer to that settles the rejection: a name that is sent again takes it along
        tx.execute(delete(team_outbox).where(team_outbox.c.id == sent.id))
        tx.execute(update(team_outbox).where(team_outbox.c.id == named.id).values(conflict=named.conflict | said))
        if (face_id := local(tx, sent.content["face"])) is not None:
            _told_rejected(tx, face_id, sent.person_uid, False)
        return
    _drop_conflicts(tx, sent)
    said["reason"] = "rejection" if sent.kind == REJECT else "face"
    tx.execute(update(team_outbox).where(team_outbox.c.id == sent.id).values(conflict=said))


def settled(tx: Connection, row: Any, keep: Keep, now: datetime) -> EditStep | None:
    """Settle a conflict on a face, whose row is deleted already: send once more what was said here, or take what the team has."""
    theirs, face_id = row.conflict["person_uid"], local(tx, row.content["face"])
    if keep == "mine":
        team_face_queries.send_again(tx, row.kind, row.person_uid, row.content | {"base": theirs}, now)
        return None
    if face_id is None:
        return None
    if not row.conflict["name"]:  # a person that this member may not know
        step = Journal(tx)
        done = step.close("unname", len(step.set("who", [face_id], None)), now)
    else:
        person_id = tx.scalar(select(team_person.c.person_id).where(team_person.c.uid == theirs))
        done = edit_queries.edit(tx, NameFacesEdit(face_ids=(face_id,), person_id=person_id, name=row.conflict["name"]), now)
        if person_id is None:
            link(tx, theirs, done.person_id, row.conflict["name"])
    told = tx.scalar(select(team_face.c.rejected).where(team_face.c.face_id == face_id)) or []
    team_face_queries.told_of(tx, face_id, theirs, [each for each in told if each != theirs], printed=0)
    return done


def take_rejections(tx: Connection, told: SharedPerson, person_id: int, now: datetime) -> set[int]:
    """Take which faces are not that person. Returns the faces that changed."""
    wrong = {face_id for each in told.rejected if (face_id := face_queries.at(tx, each.photo, each.box)) is not None}
    confirmed = identity.c.person_id == person_id, identity.c.certainty == Certainty.CONFIRMED
    wrong -= set(tx.scalars(select(identity.c.face_id).where(*confirmed)))  # to be settled where it was named
    here = set(tx.scalars(select(rejection.c.face_id).where(rejection.c.person_id == person_id)))
    changed = wrong - here
    for face_id in changed:
        tx.execute(insert(rejection).values(face_id=face_id, person_id=person_id, at=now))
        tx.execute(delete(identity).where(identity.c.face_id == face_id, identity.c.person_id == person_id))
        _told_rejected(tx, face_id, told.uid, True)
    unsent = select(team_outbox.c.id).where(team_outbox.c.person_uid == told.uid, team_outbox.c.kind.in_((REJECT, UNREJECT)))
    if len(told.rejected) < MOST_REJECTIONS and tx.scalar(unsent.limit(1)) is None:
        known = tx.execute(select(team_face.c.face_id, team_face.c.rejected).where(team_face.c.face_id.in_(here - wrong))).all()
        for face_id in {row.face_id for row in known if told.uid in row.rejected}:
            tx.execute(delete(rejection).where(rejection.c.face_id == face_id, rejection.c.person_id == person_id))
            _told_rejected(tx, face_id, told.uid, False)
            changed.add(face_id)
    return changed


def local(tx: Connection, at: Mapping[str, Any]) -> int | None:
    """Return the face here."""
    return face_queries.at(tx, at["photo"], Box(at["x"], at["y"], at["w"], at["h"]))


def _print_of(tx: Connection, row: Any) -> dict[str, str]:
    if not tx.scalar(select(team_person.c.agreed).where(team_person.c.uid == row.person_uid)):
        return {}
    face_id = local(tx, row.content["face"])
    columns = select(embedding.c.vector, chip.c.jpeg).outerjoin(chip, chip.c.face_id == embedding.c.face_id)
    found = tx.execute(columns.where(embedding.c.face_id == face_id, embedding.c.embedder == EMBEDDER)).one_or_none()
    if found is None:
        return {}
    jpeg = b"" if found.jpeg is None else found.jpeg
    return {"embedder": EMBEDDER, "vector": base64.b64encode(found.vector).decode(), "chip": base64.b64encode(jpeg).decode()}


def _drop_conflicts(tx: Connection, sent: Any, *, only: str | None = None) -> None:
    """What is said of a face now takes the place of what waited for the user, or of what did of one person."""
    for row in _conflicts_beside(tx, sent):
        if only in (None, row.person_uid):
            tx.execute(delete(team_outbox).where(team_outbox.c.id == row.id))


def _conflicts_beside(tx: Connection, sent: Any) -> list[Any]:
    """Return what else of the same face waits for the user."""
    waiting = select(team_outbox).where(
        team_outbox.c.kind.in_(FACE_KINDS), team_outbox.c.conflict.is_not(None), team_outbox.c.id != sent.id
    )
    here = FaceAt(**sent.content["face"])
    return [row for row in tx.execute(waiting).all() if FaceAt(**row.content["face"]) == here]


def _told_rejected(tx: Connection, face_id: int, uid: str, is_so: bool) -> None:
    known = tx.execute(select(team_face).where(team_face.c.face_id == face_id)).one_or_none()
    rejected = {*(known.rejected if known else ())} | {uid} if is_so else {*(known.rejected if known else ())} - {uid}
    team_face_queries.told_of(tx, face_id, known.person_uid if known else "", sorted(rejected), printed=known.printed if known else 0)


def link(tx: Connection, uid: str, person_id: int | None, name: str) -> None:
    """Remember that a person here is that one of the team."""
    tx.execute(delete(team_person).where(team_person.c.uid == uid))
    values = {"person_id": person_id, "name": name, "shown": name, "made": 0, "own": name, "refused": 0, "agreed": 0}
    tx.execute(insert(team_person).values(uid=uid, **values))


def _rekey(tx: Connection, sent: str, there: str) -> None:
    """The team had someone of that name: the person here is the one there."""
    known = tx.execute(select(team_person).where(team_person.c.uid == there)).one_or_none()
    person_id = tx.scalar(select(team_person.c.person_id).where(team_person.c.uid == sent))
    if known is None:
        tx.execute(update(team_person).where(team_person.c.uid == sent).values(uid=there))
    else:
        if known.person_id is None and not known.refused:
            tx.execute(update(team_person).where(team_person.c.uid == there).values(person_id=person_id))
        tx.execute(delete(team_person).where(team_person.c.uid == sent))
    tx.execute(update(team_face).where(team_face.c.person_uid == sent).values(person_uid=there))
    for row in tx.execute(select(team_face.c.face_id, team_face.c.rejected)).all():
        if sent in row.rejected:
            rejected = sorted({there if each == sent else each for each in row.rejected})
            tx.execute(update(team_face).where(team_face.c.face_id == row.face_id).values(rejected=rejected))
    tx.execute(update(team_outbox).where(team_outbox.c.person_uid == sent).values(person_uid=there))
    for row in tx.execute(select(team_outbox.c.id, team_outbox.c.content)).all():
        changed = {name: there if each == sent else each for name, each in row.content.items()}
        if changed != row.content:
            tx.execute(update(team_outbox).where(team_outbox.c.id == row.id).values(content=changed))
