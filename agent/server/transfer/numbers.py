"""Which row of the other library is which: found anew by stable keys, so that no list of numbers could be lost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import face, image
from agent.server.transfer.canonical import with_people
from agent.server.transfer.reader import Page
from agent.server.transfer.tables import FACE, IMAGE, REDACTION, Moving, Row, RowKind

LEAST_OVERLAP = 0.4
"""of the area of both: below, they are two faces"""


@dataclass(slots=True)
class Numbers:
    """The numbers of rows in the other library, by their own. People and albums are all known; the rest is of the page at hand."""

    people: dict[int, int] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)  # of people who have another one on the other side
    forgotten: frozenset[int] = frozenset()  # people who were forgotten there
    lapsed: frozenset[int] = frozenset()  # people, by their own numbers, whose prints the other side may not keep
    albums: dict[int, int] = field(default_factory=dict)
    library: int | None = None  # of a server's several, into which the library moves
    rest: dict[tuple[RowKind, int], int] = field(default_factory=dict)

    def of(self, kind: RowKind, number: int | None) -> int | None:
        if kind is RowKind.LIBRARY:
            return self.library
        if number is None:
            return None
        known = {RowKind.PERSON: self.people, RowKind.ALBUM: self.albums}.get(kind)
        return self.rest.get((kind, number)) if known is None else known.get(number)

    def translated(self, moving: Moving, row: Row) -> Row | None:
        """Return a row with the other library's numbers; None if something that it needs did not move."""
        changed = dict(row)
        for column, kind in moving.refs.items():
            changed[column] = self.of(kind, row[column])
            if row[column] is not None and changed[column] is None and column not in moving.may_miss:
                return None
        if moving is REDACTION:
            changed["wish"] = with_people(row["wish"], self.people.get)
        return changed


def found(tx: Connection, moving: Moving, rows: Sequence[Row], *, by: str | None = None) -> dict[tuple[Any, ...], Row]:
    """Return the rows there that have the keys of these."""
    first = by or moving.key[0]
    column = moving.table.c[first]
    values = list(dict.fromkeys(each[first] for each in rows if each[first] is not None))
    keys = {key_of(moving, each) for each in rows} if by is None else None
    result: dict[tuple[Any, ...], Row] = {}
    for part in chunks(values):
        for row in tx.execute(select(moving.table).where(column.in_(part))).mappings():
            there = dict(row)
            key = key_of(moving, there) if by is None else (there[first],)
            if keys is None or key in keys:
                result[key] = there
    return result


def differs(moving: Moving, row: Row, other: Row) -> bool:
    return any(row[name] != other[name] for name in moving.columns)


def numbers_of(tx: Connection, moving: Moving, rows: Sequence[Row], numbers: Numbers) -> None:
    """Look up the other library's numbers of rows that others refer to."""
    there = found(tx, moving, rows)
    assert moving.gives is not None
    for each in rows:
        if (other := there.get(key_of(moving, each))) is not None:
            numbers.rest[moving.gives, each["id"]] = other["id"]


def image_numbers(tx: Connection, page: Page, numbers: Numbers) -> None:
    """Look up which photos there are those that a page names."""
    images = {number: label for (kind, number), label in page.labels.items() if kind is RowKind.IMAGE}
    there: dict[str, int] = {}
    for part in chunks(sorted(set(images.values()))):
        there |= {each.sha256: each.id for each in tx.execute(select(image.c.id, image.c.sha256).where(image.c.sha256.in_(part)))}
    numbers.rest |= {(RowKind.IMAGE, number): there[label] for number, label in images.items() if label in there}


def faces_there(tx: Connection, page: Page, numbers: Numbers) -> dict[int, list[Row]]:
    """Return the other side's faces of a page's photos, by its images."""
    images = [target for each in page.rows[IMAGE.name] if (target := numbers.rest.get((RowKind.IMAGE, each["id"]))) is not None]
    rows = [
        dict(row)
        for part in chunks(images)
        for row in tx.execute(select(face).where(face.c.image_id.in_(part)).order_by(face.c.image_id, face.c.ordinal)).mappings()
    ]
    return by_image(rows)


def face_numbers(tx: Connection, page: Page, numbers: Numbers) -> None:
    """Look up which faces there are those of a page."""
    theirs = faces_there(tx, page, numbers)
    for image_id, rows in by_image(page.rows[FACE.name]).items():
        target = numbers.rest.get((RowKind.IMAGE, image_id))
        for one, other in matched(rows, theirs.get(target or 0, [])).items():
            numbers.rest[RowKind.FACE, one] = other


def key_of(moving: Moving, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in moving.key)


def by_image(rows: Iterable[Row]) -> dict[int, list[Row]]:
    result: dict[int, list[Row]] = {}
    for each in rows:
        result.setdefault(each["image_id"], []).append(each)
    return result


def matched(ours: Sequence[Row], theirs: Sequence[Row]) -> dict[int, int]:
    """Return our faces' ids with theirs, of one photo; each at most once, the best overlap first.

    The same detector finds the same boxes, another one similar ones.
    """
    pairs = sorted(
        ((overlap(one, other), one["id"], other["id"]) for one in ours for other in theirs),
        key=lambda each: (-each[0], each[1], each[2]),
    )
    found: dict[int, int] = {}
    taken = set[int]()
    for share, one, other in pairs:
        if share < LEAST_OVERLAP:
            break
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return found


def overlap(one: Row, other: Row) -> float:
    """Return the intersection over the union of two boxes; 1 for equal ones, even without an area."""
    if all(one[side] == other[side] for side in "xywh"):
        return 1.0
    width = min(one["x"] + one["w"], other["x"] + other["w"]) - max(one["x"], other["x"])
    height = min(one["y"] + one["h"], other["y"] + other["h"]) - max(one["y"], other["y"])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return float(common / (one["w"] * one["h"] + other["w"] * other["h"] - common))
