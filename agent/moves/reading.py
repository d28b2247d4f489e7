"""Reads the library that moves, some rows at a time: the whole of a desktop's, or one of a server's libraries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, or_, select, true

from agent.core.actor import HERE
from agent.moves.tables import (
    COVER,
    JOB,
    MOVES,
    OF_FACES,
    REDACTION,
    REDACTION_ITEM,
    UNDO,
    UNDO_PERSON,
    Kind,
    Row,
    at_rest,
)
from agent.moves.tables import PERSON as PEOPLE
from agent.store.database import Database
from agent.store.facts import chunks
from agent.store.schema import (
    consent,
    face,
    identity,
    image,
    job,
    person,
    place,
    redaction,
    redaction_item,
    rejection,
    undo,
    undo_person,
    unseen,
)
from agent.store.schema import library as libraries
from agent.workers.roots import Roots

PHOTOS, FACES = 200, 1_000  # at a time; one photo with more faces comes alone
ROWS = 1_000


@dataclass(slots=True)
class Page:
    """Rows by table, with the library's own numbers, and what those numbers mean."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    labels: dict[tuple[Kind, Any], str] = field(default_factory=dict)


class Reader:
    """`library` is one of a server's; None: everything. Paths are given as the other side sees them. Raises StoreError."""

    def __init__(self, database: Database, roots: Roots, library: int | None = None) -> None:
        self._database = database
        self._roots = roots
        self._library = library

    def counts(self) -> dict[str, int]:
        """Return the number of rows that would move, by table; of a server's library only those counted cheaply."""
        with self._database.read() as tx:
            found: dict[str, int] = {}
            for moving in MOVES:
                found[moving.name] = tx.scalar(select(func.count()).select_from(moving.table).where(self._counted(moving.table))) or 0
            return found

    def roots(self) -> list[tuple[str, int]]:
        """Return the watched folders, as they are here, each with its number of files."""
        with self._database.read() as tx:
            counted = select(place.c.folder, func.count()).where(place.c.folder.is_not(None), self._placed()).group_by(place.c.folder)
            return [(root, count) for root, count in tx.execute(counted.order_by(place.c.folder))]

    def singles(self) -> int:
        """Return the number of files in no watched folder."""
        with self._database.read() as tx:
            return tx.scalar(select(func.count()).select_from(place).where(place.c.folder.is_(None), self._placed())) or 0

    def people(self) -> Page:
        """All at once: thousands, not millions."""
        with self._database.read() as tx:
            people = _rows(tx, select(person).where(self._met()).order_by(person.c.id))
            said = _rows(tx, select(consent).order_by(consent.c.id))
            if self._library is not None:  # otherwise also what those said who were merged: a merge can be undone
                uids = {each["uid"] for each in people}
                said = [each for each in said if each["person_uid"] in uids]
        return Page({PEOPLE.name: people, consent.name: said}, {(Kind.PERSON, each["id"]): person_label(each) for each in people})

    def photos(self, labels: dict[tuple[Kind, Any], str]) -> Iterator[Page]:
        """Yield photos with all that belongs to them. `labels` are the people's."""
        after = 0
        while True:
            with self._database.read() as tx:
                wanted = select(image).where(image.c.id > after, self._shown()).order_by(image.c.id).limit(PHOTOS)
                images = _few(_rows(tx, wanted))
                if not images:
                    return
                page = self._of_photos(tx, images)
            page.labels |= labels
            yield page
            after = images[-1]["id"]

    def files(self) -> Iterator[Page]:
        """Yield files without a photo: not scanned yet, failed, or videos."""
        after = 0
        while True:
            with self._database.read() as tx:
                loose = select(place).where(place.c.id > after, place.c.image_id.is_(None), self._placed())
                places = _rows(tx, loose.order_by(place.c.id).limit(ROWS))
                if not places:
                    return
                page = Page()
                self._with_places(tx, page, places)
            yield page
            after = places[-1]["id"]

    def redactions(self, labels: dict[tuple[Kind, Any], str]) -> Iterator[Page]:
        """Yield requests for covered copies, then their items, some at a time."""
        with self._database.read() as tx:
            requests = _rows(tx, select(redaction).where(self._requested()).order_by(redaction.c.id))
        page = Page({REDACTION.name: [self._moved(each, "folder") for each in requests]}, dict(labels))
        page.labels |= {(Kind.REDACTION, each["id"]): each["uid"] for each in requests}
        yield page
        after = 0
        while True:
            with self._database.read() as tx:
                items = select(redaction_item).where(redaction_item.c.id > after, self._covered())
                found = _rows(tx, items.order_by(redaction_item.c.id).limit(ROWS))
            if not found:
                return
            yield Page({REDACTION_ITEM.name: [self._moved(each, "source", "target") for each in found]}, page.labels)
            after = found[-1]["id"]

    def steps(self, labels: dict[tuple[Kind, Any], str]) -> Page:
        """Return the steps of this computer's user, with what the numbers in them mean; at most some thousands are kept."""
        with self._database.read() as tx:
            steps = _rows(tx, select(undo).where(undo.c.actor == HERE).order_by(undo.c.id))
            ids = [each["id"] for each in steps]
            people = [row for part in chunks(ids) for row in _rows(tx, select(undo_person).where(undo_person.c.undo_id.in_(part)))]
            page = Page({UNDO.name: steps, UNDO_PERSON.name: people}, dict(labels))
            page.labels |= {(Kind.UNDO, each["id"]): each["token"] for each in steps}
            known = set(tx.scalars(select(person.c.id)))
            images, faces = numbers_in(steps)
            for part in chunks(sorted(images)):
                wanted = select(image.c.id, image.c.sha256).where(image.c.id.in_(part), self._shown())
                page.labels |= {(Kind.IMAGE, each.id): each.sha256 for each in tx.execute(wanted)}
            for part in chunks(sorted(faces)):
                wanted = select(face.c.id, face.c.ordinal, image.c.sha256).join(image).where(face.c.id.in_(part), self._shown())
                page.labels |= {(Kind.FACE, each.id): f"{each.sha256}/{each.ordinal}" for each in tx.execute(wanted)}
            gone = {each for each in people_in(steps) if each not in known} | {each["person_id"] for each in people} - known
            page.labels |= {(Kind.PERSON, each): GONE for each in gone}
        return page

    def _of_photos(self, tx: Connection, images: list[Row]) -> Page:
        ids = [each["id"] for each in images]
        sha = {each["id"]: each["sha256"] for each in images}
        page = Page({image.name: images}, {(Kind.IMAGE, each): content for each, content in sha.items()})
        self._with_places(tx, page, _rows(tx, select(place).where(place.c.image_id.in_(ids), self._placed()).order_by(place.c.id)))
        faces = _rows(tx, select(face).where(face.c.image_id.in_(ids)).order_by(face.c.id))
        page.rows[face.name] = faces
        page.labels |= {(Kind.FACE, each["id"]): f"{sha[each['image_id']]}/{each['ordinal']}" for each in faces}
        found = [each["id"] for each in faces]
        for moving in OF_FACES:
            page.rows[moving.name] = [
                row for part in chunks(found) for row in _rows(tx, select(moving.table).where(moving.table.c.face_id.in_(part)))
            ]
        page.rows[COVER] = [
            {"person_id": each.id, "face_id": each.cover_face_id}
            for part in chunks(found)
            for each in tx.execute(select(person.c.id, person.c.cover_face_id).where(person.c.cover_face_id.in_(part), self._met()))
        ]
        return page

    def _with_places(self, tx: Connection, page: Page, places: list[Row]) -> None:
        moved = [self._moved(each, "path", "folder") for each in places]
        ids = [each["id"] for each in places]
        page.rows["place"] = moved
        page.rows[JOB.name] = [
            at_rest(row) for part in chunks(ids) for row in _rows(tx, select(job).where(job.c.place_id.in_(part)).order_by(job.c.id))
        ]
        page.labels |= {(Kind.PLACE, each["id"]): f"{each['source']}|{each['host']}|{each['path']}" for each in moved}

    def _moved(self, row: Row, *columns: str) -> Row:
        return row | {name: self._roots.local(row[name]) for name in columns if row[name] is not None}

    # -- what belongs to a server's library --------------------------------------------------------------------------------------
    def _placed(self) -> ColumnElement[bool]:
        return true() if self._library is None else place.c.library_id == self._library

    def _shown(self) -> ColumnElement[bool]:
        return true() if self._library is None else exists().where(place.c.image_id == image.c.id, self._placed())

    def _met(self) -> ColumnElement[bool]:
        """People on its photos; if there is no other library, also those on none."""
        if self._library is None:
            return true()
        inside = select(face.c.id).join(image).where(self._shown())
        on = [person.c.id.in_(select(each.c.person_id).where(each.c.face_id.in_(inside))) for each in (identity, rejection, unseen)]
        alone = select(func.count()).select_from(libraries).scalar_subquery() == 1
        return or_(*on, alone & ~exists().where(identity.c.person_id == person.c.id))

    def _covered(self) -> ColumnElement[bool]:
        if self._library is None:
            return true()
        return or_(
            exists().where(place.c.path == redaction_item.c.source, self._placed()),
            exists().where(image.c.sha256 == redaction_item.c.sha256, self._shown()),
        )

    def _requested(self) -> ColumnElement[bool]:
        if self._library is None:
            return true()
        return exists().where(redaction_item.c.redaction_id == redaction.c.id, self._covered())

    def _counted(self, table: Table) -> ColumnElement[bool]:
        if table is undo:
            return undo.c.actor == HERE
        if self._library is None:
            return true()
        inside = select(image.c.id).where(self._shown())
        own: dict[str, ColumnElement[bool]] = {
            "image": self._shown(),
            "place": self._placed(),
            "job": job.c.place_id.in_(select(place.c.id).where(self._placed())),
            "face": face.c.image_id.in_(inside),
            "person": self._met(),
            "consent": consent.c.person_uid.in_(select(person.c.uid).where(self._met())),
            "redaction": self._requested(),
            "redaction_item": self._covered(),
            "undo_person": undo_person.c.undo_id.in_(select(undo.c.id).where(undo.c.actor == HERE)),
        }
        if table.name in own:
            return own[table.name]
        return table.c.face_id.in_(select(face.c.id).where(face.c.image_id.in_(inside)))


GONE = "gone"
"""the label of people who are in undone merges or deletions alone"""


def person_label(row: Row) -> str:
    return str(row["uid"] or f"name {row['name']}")


def numbers_in(steps: Sequence[Row]) -> tuple[set[int], set[int]]:
    """Return the images and the faces in steps."""
    found: dict[Kind, set[int]] = {Kind.IMAGE: set(), Kind.FACE: set(), Kind.PERSON: set()}
    _look(steps, found)
    return found[Kind.IMAGE], found[Kind.FACE]


def people_in(steps: Sequence[Row]) -> set[int]:
    found: dict[Kind, set[int]] = {Kind.IMAGE: set(), Kind.FACE: set(), Kind.PERSON: set()}
    _look(steps, found)
    return found[Kind.PERSON]


def _look(steps: Sequence[Row], found: dict[Kind, set[int]]) -> None:
    from agent.moves.steps import changed_step

    def note(kind: Kind, value: Any) -> Any:
        found[kind].add(value)
        return value

    for each in steps:
        changed_step(each, note)


def _few(images: list[Row]) -> list[Row]:
    """The first of them, so that their faces fit into memory."""
    faces = 0
    for at, each in enumerate(images):
        faces += each["face_count"]
        if faces > FACES and at:
            return images[:at]
    return images


def _rows(tx: Connection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in tx.execute(query).mappings()]
