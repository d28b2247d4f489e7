"""Who faces are: opinions written with an analysis or formed later, and the rule whose face prints may be stored.

The rule stands here, where prints are written: no query of any room can store a print of a person who is never to be recognised.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, delete, insert, or_, select
from sqlalchemy.sql import exists

from agent.domain.identity_matching import Certainty, Identity
from agent.infrastructure.store.facts import BY_USER, chunks
from agent.infrastructure.store.schema import chip, embedding, face, grouping, identity, ignored, person, unseen

NEVER = "never"
_IS_NEVER = or_(person.c.never_at.is_not(None), person.c.lapsed_at.is_not(None))


def set_identities(tx: Connection, identities: Mapping[int, Identity | None], now: datetime) -> None:
    unspoken = never_recognised(tx)
    for chunk in chunks(list(identities)):
        # Face or person may have been deleted since they were compared.
        there = set(tx.scalars(select(face.c.id).where(face.c.id.in_(chunk))))
        named = {who.person_id for each in chunk if (who := identities[each]) is not None}
        people = set(tx.scalars(select(person.c.id).where(person.c.id.in_(named)))) if named else set()
        silent = set(tx.scalars(select(ignored.c.face_id).where(ignored.c.face_id.in_(chunk))))
        rows = tx.execute(select(identity).where(identity.c.face_id.in_(chunk))).mappings()
        known = {row["face_id"]: identity_of(row) for row in rows}
        fixed = {face_id for face_id, who in known.items() if who.certainty is Certainty.CONFIRMED}
        beside = suggested_names(tx, chunk)
        wanted = {
            each: None if each in silent or (who := identities[each]) is None or who.person_id not in people else limited(who, beside, each)
            for each in chunk
            if each in there and each not in fixed
        }
        silenced = [each for each, who in wanted.items() if who is not None and who.person_id in unspoken]
        _silence(tx, silenced, now)
        wanted |= dict.fromkeys(silenced)
        changed = [each for each, who in wanted.items() if who != known.get(each)]
        tx.execute(delete(identity).where(identity.c.face_id.in_(changed)))
        if new := [_values(each, who) for each in changed if (who := wanted[each]) is not None]:
            tx.execute(insert(identity), new)


def suggested_names(tx: Connection, faces: Sequence[int]) -> dict[int, frozenset[int]]:
    """Return for each of the faces the people as which others of its cluster were named, while it was not looked at."""
    found: dict[int, set[int]] = {}
    for face_id, person_id in tx.execute(select(unseen.c.face_id, unseen.c.person_id).where(unseen.c.face_id.in_(faces))):
        found.setdefault(face_id, set()).add(person_id)
    return {face_id: frozenset(people) for face_id, people in found.items()}


def limited(who: Identity, suggested_names: Mapping[int, frozenset[int]], face_id: int) -> Identity:
    """Return the identity, at most probable if the face was not looked at when others of its cluster were named so."""
    return replace(who, certainty=Certainty.PROBABLE) if who.person_id in suggested_names.get(face_id, ()) else who


def identity_of(row: RowMapping) -> Identity:
    """Return an identity, or the user's confirmation, from its row."""
    return Identity(row["person_id"], Certainty(row["certainty"]), row["distance"], row["agree"], row["refs"])


def _values(face_id: int, who: Identity) -> dict[str, object]:
    """Return the row of an identity."""
    return {
        "face_id": face_id,
        "person_id": who.person_id,
        "certainty": who.certainty,
        "distance": who.distance,
        "agree": who.agree,
        "refs": who.references,
    }


def never_recognised(tx: Connection) -> frozenset[int]:
    """Return the people who are not to be recognised: by the user's decision, or for want of consent."""
    return frozenset(  # in two steps, each by its small index
        each for since in (person.c.never_at, person.c.lapsed_at) for each in tx.scalars(select(person.c.id).where(since.is_not(None)))
    )


def _silence(tx: Connection, faces: Sequence[int], now: datetime) -> None:
    """Delete the prints and identities of faces that were found to be a person who is never recognised."""
    for chunk in chunks(faces):
        for table in (embedding, chip, grouping, ignored, unseen):
            tx.execute(delete(table).where(table.c.face_id.in_(chunk)))
        tx.execute(insert(ignored), [{"face_id": each, "reason": NEVER, "at": now} for each in chunk])


def without_embedding(tx: Connection, faces: Collection[int]) -> frozenset[int]:
    """Return the faces whose print must not be stored: forgotten, or of people who are never recognised, except their one print."""
    if not faces:
        return frozenset()
    silenced = select(ignored.c.face_id).where(ignored.c.face_id.in_(faces), ignored.c.reason != BY_USER)
    known_by = exists().where(embedding.c.face_id == identity.c.face_id)
    theirs = (
        select(identity.c.face_id)
        .join(person, person.c.id == identity.c.person_id)
        .where(and_(identity.c.face_id.in_(faces), _IS_NEVER), ~known_by)
    )
    return frozenset(tx.scalars(silenced)) | frozenset(tx.scalars(theirs))
