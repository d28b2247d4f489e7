"""People: the user's confirmations, and the identifications derived from them."""

import functools
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    column,
    delete,
    func,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.sql import exists

from agent.domain.events import RecognitionPurged, StoredEvent
from agent.domain.identity_matching import Certainty
from agent.features.library.queries import identity_queries, job_queries
from agent.features.library.records import Person
from agent.features.people.queries import portrait_queries, reference_queries, team_people_queries
from agent.infrastructure.store import audit_log, event_rows
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import set_flag
from agent.infrastructure.store.library_triggers import TALLY, tallied
from agent.infrastructure.store.path_index import FolderArea, within
from agent.infrastructure.store.schema import chip, embedding, face, grouping, identity, image, person, place, rejection, unseen

_CONFIRMED = identity.c.fit.is_not(None)  # by the index of confirmed faces, which holds all that the list of people asks of them
_ALL: ColumnElement[bool] = true()
_ASKED = bindparam("asked_person", type_=Integer)
_LISTED = (person.c.id, person.c.name, person.c.hidden_at, person.c.never_at, person.c.cover_face_id)
_tally = sqlalchemy.table(TALLY, column("person_id", Integer), column("faces", Integer))


class PersonQueries(Queries):
    def person_names(self) -> dict[int, str]:
        """Return names by id; fast, because no faces are counted."""
        with self.database.read() as tx:
            return {row.id: row.name for row in tx.execute(select(person.c.id, person.c.name))}

    def people_watched(self) -> dict[int, str]:
        """Return people who agreed to be named in alerts, by id, without those who are never recognised."""
        with self.database.read() as tx:
            agreed = select(person.c.id, person.c.name).where(person.c.watch_at.is_not(None), person.c.never_at.is_(None))
            agreed = agreed.where(person.c.lapsed_at.is_(None))
            return {row.id: row.name for row in tx.execute(agreed)}

    def images_of_faces(self, faces: Collection[int]) -> list[int]:
        """Return the images of these faces, each once."""
        with self.database.read() as tx:
            wanted = list(faces)
            found = {
                each for chunk in chunks(wanted) for each in tx.scalars(select(face.c.image_id).where(face.c.id.in_(chunk)).distinct())
            }
            return sorted(found)

    def rejections(self, face_ids: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return the people that the user rejected for each of these faces."""
        with self.database.read() as tx:
            found: dict[int, set[int]] = {}
            for chunk in chunks(face_ids):
                for face_id, person_id in tx.execute(
                    select(rejection.c.face_id, rejection.c.person_id).where(rejection.c.face_id.in_(chunk))
                ):
                    found.setdefault(face_id, set()).add(person_id)
            return {face_id: frozenset(people) for face_id, people in found.items()}

    def unseen(self, face_ids: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return for each of these faces the people it is at most probable as."""
        with self.database.read() as tx:
            return {
                face_id: people for chunk in chunks(face_ids) for face_id, people in identity_queries.suggested_names(tx, chunk).items()
            }

    def overdue(self, *, now: datetime, usual_days: int) -> dict[int, datetime]:
        """Return people without a confirmation within their retention time (their own, or the usual), and since when."""
        with self.database.read() as tx:
            # One pass over all confirmed faces: looking them up person by person reads several times as much of a large library.
            last = func.max(identity.c.confirmed_at).label("confirmed_at")
            of = select(identity.c.person_id, last).where(_CONFIRMED).group_by(identity.c.person_id).subquery()
            columns = person.c.id, person.c.created_at, person.c.retention_days, of.c.confirmed_at
            rows = tx.execute(select(*columns).outerjoin(of, of.c.person_id == person.c.id))
            ends = {row.id: (row.confirmed_at or row.created_at) + timedelta(days=row.retention_days or usual_days) for row in rows}
            return {person_id: end for person_id, end in ends.items() if end <= now}

    def people(self) -> list[Person]:
        with self.database.read() as tx:
            return everybody(tx)


def everybody(tx: Connection) -> list[Person]:
    """Return all people."""
    rows = tx.execute(_with_counts(one=False, by_tally=tallied(tx))).all()
    return _told(tx, sorted(rows, key=lambda row: str(row.name)))  # a server's database can't read the names


def one(tx: Connection, person_id: int) -> tuple[Row[*tuple[Any, ...]], Person] | None:
    """Return a person's row, with `confirmed_at`, when a face was last confirmed, and what the list of people says of them."""
    row = tx.execute(_with_counts(one=True, by_tally=tallied(tx)), {_ASKED.key: person_id}).one_or_none()
    return None if row is None else (row, _told(tx, [row], asked=person_id)[0])


def _told(tx: Connection, rows: Sequence[Row[*tuple[Any, ...]]], *, asked: int | None = None) -> list[Person]:
    with_faces, with_covers = [row.id for row in rows if row.confirmed], [row.id for row in rows if row.cover_face_id is not None]
    portraits = portrait_queries.portraits(tx, with_faces, with_covers, asked=asked)

    def told(row: Row[*tuple[Any, ...]]) -> Person:
        held, count = row.held or 0, (row.faces or 0) - (row.held or 0)
        suggested, marks = (row.faces or 0) - (row.confirmed or 0), {"hidden": row.hidden_at is not None, "never": row.never_at is not None}
        return Person(row.id, row.name, count, count - (row.twice or 0), suggested, held, **marks, portrait=portraits.get(row.id))

    return [told(row) for row in rows]


@functools.cache
def _with_counts(*, one: bool, by_tally: bool) -> Select[*tuple[Any, ...]]:
    """Select people with the number of their `faces`, of confirmed ones, of those on a photo with another one of theirs, and of references.

    Only confirmed faces can share a photo: identification assigns a person once per photo. Counting all photos takes far longer.
    """

    def of(column: ColumnElement[int]) -> ColumnElement[bool]:
        return column == _ASKED if one else _ALL

    who, faces = (_tally.c.person_id, func.sum(_tally.c.faces)) if by_tally else (identity.c.person_id, func.count())
    each, twice = func.count(), func.count() - func.count(identity.c.image_id.distinct())
    sure = select(identity.c.person_id, each.label("confirmed"), twice.label("twice")).where(_CONFIRMED, of(identity.c.person_id))
    if one:  # for all people the index of confirmed faces suffices, which doesn't hold when
        sure = sure.add_columns(func.max(identity.c.confirmed_at).label("confirmed_at"))
    numbers = [
        select(who, faces.label("faces")).where(of(who)).group_by(who).subquery(),
        sure.group_by(identity.c.person_id).subquery(),
        reference_queries.counted(of(identity.c.person_id)).subquery(),
    ]
    columns = tuple(person.c) if one else _LISTED
    found = select(*columns, *(each for number in numbers for each in number.c if each.name != "person_id")).where(of(person.c.id))
    for number in numbers:
        found = found.outerjoin(number, number.c.person_id == person.c.id)
    return found


def purge_recognition(
    tx: Connection, now: datetime, keep: Sequence[FolderArea] = (), note: str | None = None, *, tell_none: bool = False
) -> list[StoredEvent]:
    # A running analysis contains embeddings: it starts again, without.
    job_queries.restart_leased(tx, now)
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
    printed = select(embedding.c.face_id)
    tx.execute(delete(unseen).where(unseen.c.face_id.not_in(printed)))
    if not keep:
        embeddings += team_people_queries.drop_references(tx)
    tx.execute(update(face).where(face.c.covered != 0, face.c.id.not_in(printed)).values(covered=0))
    tx.execute(update(image).where(recognised).values(embedder=None))
    tx.execute(delete(grouping).where(grouping.c.face_id.not_in(select(embedding.c.face_id))))
    reference_queries.sweep(tx)
    reference_queries.drop_undo(tx)
    if not embeddings and not chips and not tell_none:
        return []
    if note is not None and (embeddings or chips):
        set_flag(tx, note)
    audit_log.add(tx, "prints_deleted", None, embeddings, now)
    return [event_rows.record(tx, RecognitionPurged(embeddings=embeddings, chips=chips), now)]


def expire_unnamed(tx: Connection, before: datetime, note: str) -> int:
    """Delete the prints and pictures of unidentified faces, of images analysed before then. Return the number of faces."""
    named = exists().where(identity.c.face_id == embedding.c.face_id)
    old = select(embedding.c.face_id).join_from(embedding, face).join(image).where(image.c.indexed_at < before, not_(named))
    found = tx.scalars(old).all()
    for chunk in chunks(found):
        for table in (embedding, chip, grouping, unseen):
            tx.execute(delete(table).where(table.c.face_id.in_(chunk)))
    if found:
        set_flag(tx, note)
    return len(found)
