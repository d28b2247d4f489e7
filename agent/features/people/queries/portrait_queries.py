"""The face that stands for a person: the chosen cover, or the best confirmed one."""

import functools
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Integer, Select, and_, bindparam, func, or_, select
from sqlalchemy.sql import exists

from agent.domain.face import Box
from agent.features.library.records import Portrait
from agent.features.people.queries import reference_queries
from agent.infrastructure.store.dialects.functions import in_bound_numbers, number_list
from agent.infrastructure.store.schema import face, identity, image, person, place

_SHOWN = and_(
    or_(image.c.hidden_at.is_(None), reference_queries.is_reference()),
    exists().where(place.c.image_id == image.c.id, place.c.missing_since.is_(None)),
)


def portraits(tx: Connection, people: Sequence[int], covers: Sequence[int], *, asked: int | None) -> dict[int, Portrait]:
    """Return the portraits of people with a confirmed face, and of those with a chosen cover, `asked` alone or all.

    Those whose face is on no photo that is shown have none.
    """
    given = {} if asked is None else {"asked": asked}
    one = asked is not None
    # Checking the images of all confirmed faces takes ten times as long as one per person: only if that one is not shown.
    found = _read(tx, _best(one=one, shown=False), given) if people else {}
    if rest := [person_id for person_id in people if person_id not in found]:
        found |= _read(tx, _best(one=one, shown=True), {**given, "people": number_list(rest)})
    if covers:
        found |= _read(tx, _covers(), {"people": number_list(covers)})
    return found


def _read(tx: Connection, statement: Select[*tuple[int, ...]], given: Mapping[str, object]) -> dict[int, Portrait]:
    rows = tx.execute(statement, given).all()
    return {row.person_id: Portrait(row.image_id, row.width, row.height, Box(row.x, row.y, row.w, row.h)) for row in rows}


@functools.cache
def _best(*, one: bool, shown: bool) -> Select[*tuple[int, ...]]:
    """Select the best confirmed face of `asked` or of each person; of those `people`, the best that is `shown`."""
    best_first = (identity.c.fit.desc(), identity.c.face_id.desc())
    rank = func.row_number().over(partition_by=identity.c.person_id, order_by=best_first).label("rank")
    confirmed = select(identity.c.face_id, identity.c.person_id, rank).where(identity.c.fit.is_not(None))
    if one:
        confirmed = confirmed.where(identity.c.person_id == bindparam("asked", type_=Integer))
    if shown:
        confirmed = confirmed.join(image, image.c.id == identity.c.image_id)
        confirmed = confirmed.where(_SHOWN, identity.c.person_id.in_(in_bound_numbers("people")))
    ranked = confirmed.subquery()
    return _placed(select(ranked.c.face_id, ranked.c.person_id).where(ranked.c.rank == 1))


@functools.cache
def _covers() -> Select[*tuple[int, ...]]:
    chosen = select(person.c.cover_face_id.label("face_id"), person.c.id.label("person_id"))
    return _placed(chosen.where(person.c.id.in_(in_bound_numbers("people"))))


def _placed(chosen: Select[int, int]) -> Select[*tuple[int, ...]]:
    """Select where the chosen faces are, of those on photos that are shown."""
    of = chosen.subquery()
    columns = of.c.person_id, face.c.image_id, image.c.width, image.c.height, face.c.x, face.c.y, face.c.w, face.c.h
    return select(*columns).join_from(of, face, face.c.id == of.c.face_id).join(image).where(_SHOWN)
