"""The library page's index: every image it shows, as bare numbers, so that 100,000 are read in one pass."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, func, select, type_coerce

from agent.adapters.store.paths import below
from agent.adapters.store.schema import image, place
from agent.app.ports import Index, Shown

_DAY = 24 * 3_600 * 1_000_000  # microseconds
_FIRST = date(1970, 1, 1)


def read(tx: Connection, shown: Shown) -> Index:
    # The figures as they are stored: turning 100,000 of them into dates would take longer than reading them.
    taken_at = type_coerce(image.c.taken_at, BigInteger)
    query: Select[int, int, int, int] = (
        select(image.c.id, image.c.width, image.c.height, taken_at)
        .where(*_conditions(shown))
        .order_by(image.c.taken_at.desc(), image.c.id.desc())
    )
    cursor = tx.execute(query).cursor
    assert cursor is not None
    rows: Sequence[tuple[int, int, int, int]] = cursor.fetchall()  # plain tuples: wrapping each would take as long as all the rest
    return Index(
        ids=tuple([row[0] for row in rows]),
        ratios=tuple([(200 * width + height) // (2 * height) for _, width, height, _ in rows]),
        days=tuple(
            (_FIRST + timedelta(days=day), sum(1 for _ in same)) for day, same in groupby([taken // _DAY for _, _, _, taken in rows])
        ),
    )


def count_below(tx: Connection, folder: str) -> int:
    return tx.scalar(select(func.count()).select_from(image).where(*_conditions(Shown(folder=folder)))) or 0


def _conditions(shown: Shown) -> Iterator[ColumnElement[bool]]:
    yield image.c.hidden_at.is_not(None) if shown.hidden else image.c.hidden_at.is_(None)
    if shown.folder is None:
        yield select(place.c.id).where(place.c.image_id == image.c.id, place.c.missing_since.is_(None)).exists()
    else:
        # The sum keeps the planner from visiting the images one by one: all are read in their order, and those not below left out.
        yield (image.c.id + 0).in_(select(place.c.image_id).where(and_(below(shown.folder), place.c.missing_since.is_(None))))
    if shown.after is not None:
        yield image.c.taken_at >= datetime.combine(shown.after, datetime.min.time())
    if shown.before is not None and shown.before < date.max:
        yield image.c.taken_at < datetime.combine(shown.before + timedelta(days=1), datetime.min.time())
    if shown.faces_min > 0:
        yield image.c.face_count >= shown.faces_min
    if shown.faces_max is not None:
        yield image.c.face_count <= shown.faces_max
