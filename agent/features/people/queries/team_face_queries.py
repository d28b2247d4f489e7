"""What is said at a desk of faces on photos that it shares with its team, put into the outbox.

What the server was told is compared with what is so now, so that undo, redo, merges and their undo go up as well. The rule stands here,
where edits are written: it is noted in the same transaction.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from agent.domain.identity_matching import Certainty
from agent.features.people.queries import team_people_queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import face, identity, image, person, rejection, team_face, team_outbox, team_person, team_photo

NAME, UNNAME, REJECT, UNREJECT, MERGE, UNMERGE = "name", "unname", "reject", "unreject", "merge", "unmerge"
SENT, AGAIN = "sent", "again"


def note(tx: Connection, faces: Iterable[int], people: Iterable[int], now: datetime) -> None:
    """Put into the outbox what the server does not know yet of these faces and people."""
    if not team_people_queries.may_name(tx):
        return
    _merges(tx, sorted(people), now)
    for chunk in chunks(sorted(faces)):
        _note(tx, chunk, now)


def note_prints(tx: Connection, people: Collection[str], now: datetime) -> None:
    """Send the face prints of people who agreed by now: of the faces that the server knows as theirs."""
    if not people or not team_people_queries.may_name(tx):
        return
    wanted = select(team_face.c.face_id).where(team_face.c.printed == 0, team_face.c.person_uid.in_(list(people)))
    for chunk in chunks(tx.scalars(wanted).all()):
        for row in tx.execute(_told().where(face.c.id.in_(chunk))).all():
            _send(tx, NAME, row, row.person_uid, now, base=row.person_uid, name=name_of(tx, row.person_uid))


def _note(tx: Connection, faces: Sequence[int], now: datetime) -> None:
    rejected = _rejected(tx, faces)
    who = select(identity.c.face_id, person.c.id, person.c.name, person.c.never_at).join(person, person.c.id == identity.c.person_id)
    who = who.where(identity.c.face_id.in_(faces), identity.c.certainty == Certainty.CONFIRMED)
    named = {row.face_id: row for row in tx.execute(who)}
    for row in tx.execute(_told().where(face.c.id.in_(faces))).all():
        told, known = row.person_uid or "", set(row.rejected or ())
        shown = named.get(row.id)
        # Those who are never to be recognised stay as they are at the team.
        wanted = "" if shown is None else told if shown.never_at is not None else _uid_of(tx, shown.id, shown.name)
        if wanted != told:
            kind, about = (NAME, wanted) if wanted else (UNNAME, told)
            _send(tx, kind, row, about, now, base=told, name="" if shown is None else shown.name)
        wrong = rejected.get(row.id, set())
        for kind, changed in ((UNREJECT, known - wrong), (REJECT, wrong - known)):
            for each in sorted(changed):
                _send(tx, kind, row, each, now, base=told)
        if (wanted, wrong) != (told, known):
            told_of(tx, row.id, wanted, sorted(wrong), printed=(row.printed or 0) if wanted == told else 0)


def told_of(tx: Connection, face_id: int, person_uid: str, rejected: Sequence[str], *, printed: int) -> None:
    """Remember what the server knows of a face."""
    tx.execute(delete(team_face).where(team_face.c.face_id == face_id))
    tx.execute(insert(team_face).values(face_id=face_id, person_uid=person_uid, rejected=list(rejected), printed=printed))


def _told() -> Any:
    """Faces on photos of which the server was told, with what it knows of them."""
    columns = (face.c.id, face.c.x, face.c.y, face.c.w, face.c.h, image.c.sha256)
    rows = select(*columns, team_face.c.person_uid, team_face.c.rejected, team_face.c.printed)
    rows = rows.join(image, image.c.id == face.c.image_id).join(team_photo, team_photo.c.sha256 == image.c.sha256)
    return rows.outerjoin(team_face, team_face.c.face_id == face.c.id).where(team_photo.c.state == SENT).order_by(face.c.id)


def _send(tx: Connection, kind: str, row: Any, person_uid: str, now: datetime, **content: object) -> None:
    at = {"photo": row.sha256, "x": row.x, "y": row.y, "w": row.w, "h": row.h}
    team_people_queries.send(tx, kind, person_uid, content | {"face": at}, now)


def _rejected(tx: Connection, faces: Sequence[int]) -> dict[int, set[str]]:
    """Return the team's people who were rejected for these faces."""
    rows = select(rejection.c.face_id, team_person.c.uid).join(team_person, team_person.c.person_id == rejection.c.person_id)
    found: dict[int, set[str]] = {}
    for face_id, uid in tx.execute(rows.where(rejection.c.face_id.in_(faces), team_person.c.refused == 0)):
        found.setdefault(face_id, set()).add(uid)
    return found


def _uid_of(tx: Connection, person_id: int, name: str) -> str:
    """Return a person's random id at the team; a new one if the team does not know the person."""
    if (found := _first(tx, person_id, name)) is not None:
        return found
    uid = uuid.uuid4().hex
    values = {"person_id": person_id, "name": name, "shown": name, "made": 0, "own": name, "refused": 0, "agreed": 0}
    tx.execute(insert(team_person).values(uid=uid, **values))
    return uid


def _first(tx: Connection, person_id: int, name: str) -> str | None:
    """Return the one of a person's random ids that stays: after merges here there are several."""
    rows = tx.execute(select(team_person).where(team_person.c.person_id == person_id, team_person.c.refused == 0)).all()
    found = min(rows, key=lambda row: (row.merged is not None, row.shown != name, row.uid), default=None)
    return None if found is None else found.uid


def name_of(tx: Connection, uid: str) -> str:
    """Return the local name of a person of the team."""
    name = select(person.c.name).join(team_person, team_person.c.person_id == person.c.id).where(team_person.c.uid == uid)
    return tx.scalar(name) or ""


def _merges(tx: Connection, people: Sequence[int], now: datetime) -> None:
    for person_id in people:
        rows = tx.execute(select(team_person).where(team_person.c.person_id == person_id, team_person.c.refused == 0)).all()
        name = tx.scalar(select(person.c.name).where(person.c.id == person_id)) or ""
        stays = _first(tx, person_id, name)
        for row in rows:
            if row.uid != stays and row.merged is None:
                sent = team_people_queries.send(tx, MERGE, row.uid, {"into": stays}, now)
                tx.execute(update(team_person).where(team_person.c.uid == row.uid).values(merged=sent))
            elif row.uid == stays and row.merged is not None:
                _unmerge(tx, row, now)


def _unmerge(tx: Connection, row: Any, now: datetime) -> None:
    tx.execute(update(team_person).where(team_person.c.uid == row.uid).values(merged=None))
    # Not even deleted if it is unsent: it may be on its way.
    team_people_queries.send(tx, UNMERGE, row.uid, {"of": row.merged}, now)


def send_again(tx: Connection, kind: str, person_uid: str, content: dict[str, object], now: datetime) -> None:
    """Send what was said of a face once more, in spite of what the server has."""
    team_people_queries.send(tx, kind, person_uid, content, now)


def corrected(tx: Connection, face_id: int, person_uid: str) -> None:
    """Remember that a face is here by now as the team has it, so that nothing of it is sent back."""
    known = tx.execute(select(team_face).where(team_face.c.face_id == face_id)).one_or_none()
    rejected = {*(known.rejected if known else ())} | _rejected(tx, [face_id]).get(face_id, set())
    same = known is not None and known.person_uid == person_uid
    told_of(tx, face_id, person_uid, sorted(rejected - {person_uid}), printed=known.printed if known and same else 0)


def tell_again(tx: Connection) -> None:
    """The server may be of an earlier moment: it is told of all photos again, and of who is on them."""
    tx.execute(update(team_photo).where(team_photo.c.state == SENT).values(state=AGAIN))
    again = select(image.c.sha256).join(team_photo, team_photo.c.sha256 == image.c.sha256).where(team_photo.c.state == AGAIN)
    theirs = select(face.c.id).join(image, image.c.id == face.c.image_id).where(image.c.sha256.in_(again))
    tx.execute(delete(team_face).where(team_face.c.face_id.in_(theirs)))


def forget_photos(tx: Connection, contents: Sequence[str]) -> None:
    """The server no longer knows these photos, nor what was said of their faces."""
    for chunk in chunks(contents):
        tx.execute(delete(team_photo).where(team_photo.c.sha256.in_(chunk)))
        theirs = select(face.c.id).join(image, image.c.id == face.c.image_id).where(image.c.sha256.in_(chunk))
        tx.execute(delete(team_face).where(team_face.c.face_id.in_(theirs)))
    gone = set(contents)
    for each in tx.execute(select(team_outbox.c.id, team_outbox.c.content)).all():
        if each.content.get("face", {}).get("photo") in gone:
            tx.execute(delete(team_outbox).where(team_outbox.c.id == each.id))
