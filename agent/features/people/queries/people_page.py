"""People and clusters with their faces for the People page: faces of images on the library page, or all stored ones."""

import functools
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, and_, bindparam, func, not_, or_, select, union
from sqlalchemy.sql import exists

from agent.domain.edits import Basis
from agent.domain.errors import PersonUnknown
from agent.domain.face import Box
from agent.domain.identity_matching import Certainty
from agent.domain.reference import LEAST_SHARPNESS
from agent.features.library.queries.shown_image_queries import is_there
from agent.features.library.records import FaceGroup, FaceReference, PersonFacts, ReferenceFace, UncertainFace
from agent.features.people.queries import person_queries, reference_queries
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.dialects.functions import one_of
from agent.infrastructure.store.dialects.joins import without_nested_loops
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import face, grouping, identity, ignored, image, person, place

_SHOWN_OF_PERSON = 3
_REF = (face.c.id, face.c.image_id, image.c.width, image.c.height, face.c.x, face.c.y, face.c.w, face.c.h, image.c.taken_at)
_TOTAL = func.count().over().label("total")
# A large blurred face is less recognisable than a small sharp one.
_BEST_FIRST = ((face.c.sharpness >= LEAST_SHARPNESS).desc(), face.c.size.desc(), face.c.id)


class AlbumQueries(Queries):
    def person(self, person_id: int) -> PersonFacts | None:
        with self.database.read() as tx:
            found = person_queries.one(tx, person_id)
            if found is None:
                return None
            row, known = found
            photos, confirmed = tx.execute(_on_photos(), {"person": person_id}).one() if known.faces else (0, 0)
            return PersonFacts(
                person=known,
                photos=photos,
                suggested=photos - confirmed,
                birth_date=row.birth_date,
                notes=row.notes,
                basis=Basis(row.basis) if row.basis else None,
                basis_at=row.basis_at,
                named_at=row.created_at,
                confirmed_at=row.confirmed_at,
                retention_days=row.retention_days,
                watch_at=row.watch_at,
            )

    def person_faces(self, person_id: int, *, limit: int, offset: int = 0) -> tuple[list[ReferenceFace], int]:
        """Return faces on photos of the library page that are or may be this person, newest first, and the total."""
        with self.database.read() as tx:
            whole = select(*_REF, identity.c.certainty).join(image).join(identity).where(identity.c.person_id == person_id, _is_photo())
            rows = tx.execute(whole.order_by(image.c.taken_at.desc(), face.c.id.desc()).limit(limit).offset(offset)).all()
            return [ReferenceFace(_ref(row), Certainty(row.certainty)) for row in rows], _count(tx, whole)

    def person_references(self, person_id: int) -> list[FaceReference]:
        """Return the references of a person that are no photos of the library, newest first. Raises PersonUnknown."""
        with self.database.read() as tx:
            if tx.scalar(select(person.c.id).where(person.c.id == person_id)) is None:
                raise PersonUnknown
            held = select(*_REF).select_from(place).join(image, image.c.id == place.c.image_id).join(face).join(identity)
            held = held.where(reference_queries.of_references(), identity.c.person_id == person_id)
            return [_ref(row) for row in tx.execute(held.order_by(face.c.id.desc()))]

    def faces_held(self, person_id: int, *, after: int, limit: int) -> list[ReferenceFace]:
        """Return faces that are or may be this person, also on hidden or missing images: by ascending id, starting after `after`."""
        with self.database.read() as tx:
            theirs = (
                select(*_REF, identity.c.certainty).join(image).join(identity).where(identity.c.person_id == person_id, face.c.id > after)
            )
            return [ReferenceFace(_ref(row), Certainty(row.certainty)) for row in tx.execute(theirs.order_by(face.c.id).limit(limit))]

    def face_refs(self, faces: Collection[int]) -> list[FaceReference]:
        """Return those on shown images, in no order."""
        with self.database.read() as tx:
            shown = select(*_REF).join(image).where(is_shown())
            return [_ref(row) for chunk in chunks(list(faces)) for row in tx.execute(shown.where(face.c.id.in_(chunk)))]

    def groups(self, *, limit: int, offset: int = 0) -> tuple[list[FaceGroup], int]:
        """Return clusters of unnamed faces: the largest first, and the total."""
        with self.database.read() as tx:
            size = func.count().label("size")
            waiting = select(grouping.c.group_id, size, _TOTAL).where(grouping.c.group_id != 0, _waits())
            whole = _in_sight(waiting, grouping.c.face_id).group_by(grouping.c.group_id).having(size > 1)
            with without_nested_loops(tx):
                page, total = _page(tx, whole.order_by(size.desc(), grouping.c.group_id), limit, offset)
                members = {row.group_id: list[int]() for row in page}
                theirs = select(grouping.c.group_id, grouping.c.face_id).where(grouping.c.group_id.in_(members), _waits())
                for row in tx.execute(_in_sight(theirs, grouping.c.face_id)):
                    members[row.group_id].append(row.face_id)
            return [FaceGroup(group, tuple(faces)) for group, faces in members.items()], total

    def group_faces(self, group_id: int, *, limit: int | None = None) -> list[FaceReference]:
        """Return the sharpest first."""
        with self.database.read() as tx:
            mine = select(*_REF).join(image).join(grouping, grouping.c.face_id == face.c.id)
            waiting = mine.where(grouping.c.group_id == group_id, is_shown(), _waits())
            return [_ref(row) for row in tx.execute(waiting.order_by(*_BEST_FIRST).limit(limit))]

    def doubts(self, *, limit: int, person_id: int | None = None) -> tuple[list[UncertainFace], int]:
        """Return faces that are probably a person, the nearest first, and the total."""
        with self.database.read() as tx:
            probable = select(identity.c.face_id, person.c.name, _TOTAL).join(person, person.c.id == identity.c.person_id)
            probable = probable.where(identity.c.certainty == Certainty.PROBABLE, person.c.hidden_at.is_(None))
            if person_id is not None:
                probable = probable.where(identity.c.person_id == person_id)
            whole = _in_sight(probable, identity.c.face_id)
            with without_nested_loops(tx):
                nearest, total = _page(tx, whole.order_by(identity.c.distance, identity.c.face_id), limit)
            facts = select(*_REF, identity.c.person_id, identity.c.agree, identity.c.refs).join(image).join(identity)
            rows = {row.id: row for row in tx.execute(facts.where(face.c.id.in_(one_of([each.face_id for each in nearest]))))}
            references = {each: _references(tx, each) for each in {row.person_id for row in rows.values()}}
            doubts = ((rows[each.face_id], each.name) for each in nearest)
            return [
                UncertainFace(_ref(row), row.person_id, name, row.agree, row.refs, references[row.person_id]) for row, name in doubts
            ], total


def is_shown() -> ColumnElement[bool]:
    """Return whether people see an image: the library page shows it, or it is a person's reference without a photo."""
    return and_(or_(image.c.hidden_at.is_(None), reference_queries.is_reference()), is_there())


@functools.cache
def _on_photos() -> Select[int, int]:
    """Select on how many photos of the library page a `person` is or may be, and on how many the user confirmed it."""
    on_photos, sure = func.count(face.c.image_id.distinct()), identity.c.certainty == Certainty.CONFIRMED
    theirs = select(on_photos, on_photos.filter(sure)).join(identity).join(image)
    return theirs.where(identity.c.person_id == bindparam("person", type_=Integer), _is_photo())


def _is_photo() -> ColumnElement[bool]:
    """Return whether the library page shows an image."""
    return and_(image.c.hidden_at.is_(None), is_there())


def _waits() -> ColumnElement[bool]:
    """Return whether a face waits for a name: it has no person and is not ignored."""
    somebodys = exists().where(identity.c.face_id == grouping.c.face_id)
    return and_(not_(somebodys), not_(exists().where(ignored.c.face_id == grouping.c.face_id)))


def _references(tx: Connection, person_id: int) -> tuple[FaceReference, ...]:
    confirmed = and_(identity.c.person_id == person_id, identity.c.certainty == Certainty.CONFIRMED)
    best = select(*_REF).join(image).join(identity).where(confirmed, is_shown()).order_by(*_BEST_FIRST).limit(_SHOWN_OF_PERSON)
    return tuple(_ref(row) for row in tx.execute(best))


def _in_sight(faces: Select[Any], face_id: ColumnElement[int]) -> Select[Any]:
    """Return those of the faces that are on shown images.

    Which images are not shown is looked up first, mostly few: to look up the image of each of 100,000 faces takes SQLite 2.3 s.
    """
    nowhere, hidden = select(image.c.id).where(not_(is_there())), select(image.c.id).where(image.c.hidden_at.is_not(None))
    not_shown = union(nowhere, hidden.where(not_(reference_queries.is_reference()))).subquery()
    out_of_sight = select(face.c.id).join(not_shown, not_shown.c.id == face.c.image_id).cte("out_of_sight")
    out_of_sight = out_of_sight.prefix_with("MATERIALIZED", dialect="postgresql")
    return faces.outerjoin(out_of_sight, out_of_sight.c.id == face_id).where(out_of_sight.c.id.is_(None))


def _page(tx: Connection, whole: Select[Any], limit: int, offset: int = 0) -> tuple[Sequence[Row[Any]], int]:
    """Return some of the rows, and the number of all: counted along with them, unless the page lies behind the last."""
    rows = tx.execute(whole.limit(limit).offset(offset)).all()
    return rows, rows[0].total if rows else _count(tx, whole.order_by(None))


def _count(tx: Connection, whole: Select[*tuple[Any, ...]]) -> int:
    return tx.scalar(select(func.count()).select_from(whole.subquery())) or 0


def _ref(row: Row[*tuple[Any, ...]]) -> FaceReference:
    return FaceReference(row.id, row.image_id, row.width, row.height, Box(row.x, row.y, row.w, row.h), row.taken_at)
