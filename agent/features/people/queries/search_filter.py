"""Which faces a search by a face is limited to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, exists, select

from agent.infrastructure.store.schema import face, identity, image


@dataclass(frozen=True, slots=True)
class FaceSearchFilter:
    """Faces named or suggested as a person, and those on photos of some days (included) by the photo's own clock. None: any."""

    person_id: int | None = None
    after: date | None = None
    before: date | None = None


EVERYTHING = FaceSearchFilter()


def conditions(face_id: ColumnElement[int], among: FaceSearchFilter) -> Iterator[ColumnElement[bool]]:
    """Yield what `face_id`, a column, must fulfil."""
    if among.person_id is not None:
        yield face_id.in_(select(identity.c.face_id).where(identity.c.person_id == among.person_id))
    days = []
    if among.after is not None:
        days.append(image.c.taken_at >= datetime.combine(among.after, datetime.min.time()))
    if among.before is not None and among.before < date.max:
        days.append(image.c.taken_at < datetime.combine(among.before + timedelta(days=1), datetime.min.time()))
    if days:
        same = face.alias()  # `face_id` may be the table's own
        yield exists(select(same.c.id).join(image, image.c.id == same.c.image_id).where(same.c.id == face_id, *days))
