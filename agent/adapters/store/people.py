"""People: what the user confirmed, and the opinions formed from it."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, insert, not_, or_, select, true, update
from sqlalchemy.sql import exists

from agent.adapters.store import events, faces, gallery, jobs
from agent.adapters.store.paths import within
from agent.adapters.store.rows import add
from agent.adapters.store.schema import chip, embedding, face, identity, image, meta, person, place
from agent.app.ports import Area, Person, Portrait
from agent.domain.errors import FaceUnknown
from agent.domain.events import PersonNamed, RecognitionPurged, Recorded
from agent.domain.face import Box, Face
from agent.domain.people import Certainty, Identity


def everybody(tx: Connection) -> list[Person]:
    count = func.count(identity.c.face_id)
    rows = tx.execute(
        select(person.c.id, person.c.name, count.label("faces")).outerjoin(identity).group_by(person.c.id).order_by(person.c.name)
    ).all()
    portraits = _portraits(tx)
    return [Person(row.id, row.name, row.faces, portraits.get(row.id)) for row in rows]


def _portraits(tx: Connection) -> dict[int, Portrait]:
    """By person. Only of confirmed faces: those are few, whatever the library holds."""
    newest = (
        select(func.max(identity.c.face_id).label("face_id"), identity.c.person_id)
        .where(identity.c.certainty == Certainty.CONFIRMED)
        .group_by(identity.c.person_id)
    )
    there = exists().where(place.c.image_id == image.c.id, place.c.missing_since.is_(None))
    shown = and_(image.c.hidden_at.is_(None), there)

    def read(chosen: Select[int, int]) -> dict[int, Portrait]:
        of = chosen.subquery()
        rows = tx.execute(
            select(of.c.person_id, face.c.image_id, image.c.width, image.c.height, face.c.x, face.c.y, face.c.w, face.c.h)
            .join_from(of, face, face.c.id == of.c.face_id)
            .join(image)
            .where(shown)
        )
        return {row.person_id: Portrait(row.image_id, row.width, row.height, Box(row.x, row.y, row.w, row.h)) for row in rows}

    # To look at the images of all that are confirmed takes ten times as long as at one of each person: only where that one is not shown.
    found = read(newest)
    rest = [row.person_id for row in tx.execute(newest) if row.person_id not in found]
    if rest:
        others = newest.join(face, face.c.id == identity.c.face_id).join(image).where(shown, identity.c.person_id.in_(rest))
        found |= read(others)
    return found


def name_face(tx: Connection, face_id: int, name: str, now: datetime) -> tuple[int, list[Recorded]]:
    if tx.scalar(select(face.c.id).where(face.c.id == face_id)) is None:
        raise FaceUnknown
    # One spelling of the same letters, or two people who look the same in the list would be two.
    name = unicodedata.normalize("NFC", name).strip()
    person_id = tx.scalar(select(person.c.id).where(person.c.name == name))
    if person_id is None:
        person_id = add(tx, person, {"name": name, "created_at": now})
    _put(tx, face_id, Identity(person_id, Certainty.CONFIRMED, distance=0.0, agree=0, references=0))
    gallery.changed(tx)
    return person_id, [events.record(tx, PersonNamed(person_id=person_id, face_id=face_id), now)]


def unconfirmed(tx: Connection, embedder: str, *, after: int, limit: int) -> list[tuple[int, bytes, Face]]:
    confirmed = exists().where(identity.c.face_id == embedding.c.face_id, identity.c.certainty == Certainty.CONFIRMED)
    rows = tx.execute(
        select(face, embedding.c.vector)
        .join(embedding)
        .where(embedding.c.embedder == embedder, embedding.c.face_id > after, not_(confirmed))
        .order_by(embedding.c.face_id)
        .limit(limit)
    ).mappings()
    return [(row["id"], row["vector"], faces.read(row)) for row in rows]


def of_image(tx: Connection, image_id: int, embedder: str) -> list[tuple[int, bytes, Face]]:
    rows = tx.execute(
        select(face, embedding.c.vector)
        .join(embedding)
        .where(face.c.image_id == image_id, embedding.c.embedder == embedder)
        .order_by(face.c.ordinal)
    ).mappings()
    return [(row["id"], row["vector"], faces.read(row)) for row in rows]


def set_identities(tx: Connection, identities: Mapping[int, Identity | None]) -> None:
    for face_id, opinion in identities.items():
        known = tx.scalar(select(identity.c.certainty).where(identity.c.face_id == face_id))
        if known == Certainty.CONFIRMED:
            continue
        if opinion is None:
            if known is not None:
                tx.execute(delete(identity).where(identity.c.face_id == face_id))
        elif tx.scalar(select(face.c.id).where(face.c.id == face_id)) is not None:  # it may be gone since it was compared
            _put(tx, face_id, opinion)


def purge_recognition(
    tx: Connection, now: datetime, keep: Sequence[Area] = (), note: str | None = None, *, tell_none: bool = False
) -> list[Recorded]:
    # An analysis under way carries embeddings: it starts again, without.
    jobs.restart_leased(tx, now)
    recognised: ColumnElement[bool] = image.c.embedder.is_not(None)
    its_faces: ColumnElement[bool] = true()
    its_prints: tuple[ColumnElement[bool], ColumnElement[bool]] = (true(), true())
    if keep:
        recognised = and_(recognised, not_(exists().where(place.c.image_id == image.c.id, or_(*map(within, keep)))))
        found = select(face.c.id).join(image).where(recognised)
        its_faces = identity.c.face_id.in_(found)
        its_prints = embedding.c.face_id.in_(found), chip.c.face_id.in_(found)
    tx.execute(delete(identity).where(its_faces, identity.c.certainty != Certainty.CONFIRMED))
    embeddings, chips = (tx.execute(delete(table).where(mine)).rowcount for table, mine in zip((embedding, chip), its_prints, strict=True))
    tx.execute(update(image).where(recognised).values(embedder=None))
    if not embeddings and not chips and not tell_none:
        return []
    gallery.changed(tx)
    if note is not None and (embeddings or chips):
        tx.execute(delete(meta).where(meta.c.name == note))
        tx.execute(insert(meta).values(name=note, value=1))
    return [events.record(tx, RecognitionPurged(embeddings=embeddings, chips=chips), now)]


def _put(tx: Connection, face_id: int, who: Identity) -> None:
    facts = {
        "person_id": who.person_id,
        "certainty": who.certainty,
        "distance": who.distance,
        "agree": who.agree,
        "refs": who.references,
    }
    if not tx.execute(update(identity).where(identity.c.face_id == face_id).values(facts)).rowcount:
        tx.execute(insert(identity).values(facts | {"face_id": face_id}))
