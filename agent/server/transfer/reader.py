"""Reads the library that moves, some rows at a time: the whole of a desktop's, or one of a server's libraries."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Select, func, select

from agent.infrastructure.core.actor import HERE
from agent.infrastructure.store.album_facts import uid_of
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.reference_facts import ADDED, REMOVED
from agent.infrastructure.store.schema import (
    album,
    album_image,
    album_person,
    consent,
    face,
    image,
    job,
    person,
    place,
    redaction,
    redaction_item,
    undo,
    undo_person,
)
from agent.server.transfer.scope import MoveScope
from agent.server.transfer.steps import libraries_of_albums, references
from agent.server.transfer.tables import (
    ALBUM,
    ALBUM_IMAGE,
    ALBUM_PERSON,
    COVER,
    JOB,
    MOVES,
    OF_FACES,
    REDACTION,
    REDACTION_ITEM,
    UNDO,
    UNDO_PERSON,
    Row,
    RowKind,
    at_rest,
)
from agent.server.transfer.tables import PERSON as PEOPLE
from agent.server.workers.path_mapping import Roots

PHOTOS, FACES = 200, 1_000  # at a time; one photo with more faces comes alone
ROWS = 1_000


@dataclass(slots=True)
class Page:
    """Rows by table, with the library's own numbers, and what those numbers mean."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    labels: dict[tuple[RowKind, Any], str] = field(default_factory=dict)


class Reader:
    """`library` is one of a server's; None: everything. Paths are given as the other side sees them. Raises StoreError."""

    def __init__(self, database: Database, roots: Roots, library: int | None = None) -> None:
        self._database = database
        self._roots = roots
        self._scope = MoveScope(library)

    def counts(self) -> dict[str, int]:
        """Return the number of rows that would move, by table; of a server's library only those counted cheaply."""
        with self._database.read() as tx:
            found: dict[str, int] = {}
            for moving in MOVES:
                found[moving.name] = tx.scalar(select(func.count()).select_from(moving.table).where(self._scope.counted(moving.table))) or 0
            return found

    def roots(self) -> list[tuple[str, int]]:
        """Return the watched folders, as they are here, each with its number of files."""
        with self._database.read() as tx:
            counted = select(place.c.folder, func.count()).where(place.c.folder.is_not(None), self._scope.placed()).group_by(place.c.folder)
            return [(root, count) for root, count in tx.execute(counted.order_by(place.c.folder))]

    def singles(self) -> int:
        """Return the number of files in no watched folder."""
        with self._database.read() as tx:
            return tx.scalar(select(func.count()).select_from(place).where(place.c.folder.is_(None), self._scope.placed())) or 0

    def people(self) -> Page:
        """All at once: thousands, not millions."""
        with self._database.read() as tx:
            people = _rows(tx, select(person).where(self._scope.met()).order_by(person.c.id))
            said = _rows(tx, select(consent).order_by(consent.c.id))
            if self._scope.library is not None:  # otherwise also what those said who were merged: a merge can be undone
                uids = {each["uid"] for each in people}
                said = [each for each in said if each["person_uid"] in uids]
        return Page({PEOPLE.name: people, consent.name: said}, {(RowKind.PERSON, each["id"]): person_label(each) for each in people})

    def photos(self, labels: dict[tuple[RowKind, Any], str]) -> Iterator[Page]:
        """Yield photos with all that belongs to them. `labels` are the people's."""

        def page_of(tx: Connection, images: list[Row]) -> Page:
            page = self._of_photos(tx, images)
            page.labels |= labels
            return page

        return self._pages(select(image).where(self._scope.shown()), image.c.id, page_of, PHOTOS, _few)

    def files(self) -> Iterator[Page]:
        """Yield files without a photo: not scanned yet, failed, or videos."""

        def page_of(tx: Connection, places: list[Row]) -> Page:
            page = Page()
            self._with_places(tx, page, places)
            return page

        return self._pages(select(place).where(place.c.image_id.is_(None), self._scope.placed()), place.c.id, page_of)

    def redactions(self, labels: dict[tuple[RowKind, Any], str]) -> Iterator[Page]:
        """Yield requests for covered copies, then their items, some at a time."""
        with self._database.read() as tx:
            requests = _rows(tx, select(redaction).where(self._scope.requested()).order_by(redaction.c.id))
        page = Page({REDACTION.name: [self._moved(each, "folder") for each in requests]}, dict(labels))
        page.labels |= {(RowKind.REDACTION, each["id"]): each["uid"] for each in requests}
        yield page

        def page_of(_: Connection, items: list[Row]) -> Page:
            return Page({REDACTION_ITEM.name: [self._moved(each, "source", "target") for each in items]}, page.labels)

        yield from self._pages(select(redaction_item).where(self._scope.covered()), redaction_item.c.id, page_of)

    def albums(self, labels: dict[tuple[RowKind, Any], str]) -> Page:
        """Return albums with their people and covers, all at once. `labels` are the people's."""
        with self._database.read() as tx:
            rows = _rows(tx, select(album).where(self._scope.collected()).order_by(album.c.id))
            albums = [each | {"uid": uid_of(each["id"], each["created_at"], each["uid"])} for each in rows]
            ids = [each["id"] for each in albums]
            people = [row for part in chunks(ids) for row in _rows(tx, select(album_person).where(album_person.c.album_id.in_(part)))]
            page = Page({ALBUM.name: albums, ALBUM_PERSON.name: people}, dict(labels))
            page.labels |= {(RowKind.ALBUM, each["id"]): each["uid"] for each in albums}
            page.labels |= self._labels_of(tx, {each["cover_image_id"] for each in albums} - {None})
        return page

    def album_photos(self, albums: Page) -> Iterator[Page]:
        """Yield the photos of albums by hand with their positions, some at a time."""

        def page_of(tx: Connection, rows: list[Row]) -> Page:
            return Page({ALBUM_IMAGE.name: rows}, albums.labels | self._labels_of(tx, {row["image_id"] for row in rows}))

        for each in albums.rows[ALBUM.name]:
            held = select(album_image).join(image).where(album_image.c.album_id == each["id"], self._scope.shown())
            yield from self._pages(held, album_image.c.image_id, page_of)

    def steps(self, labels: dict[tuple[RowKind, Any], str]) -> Page:
        """Return the steps of this computer's user, with what the numbers in them mean; at most some thousands are kept.

        Those of references stay: they hold face prints, for a day.
        """
        with self._database.read() as tx:
            steps = _rows(tx, select(undo).where(undo.c.actor == HERE, undo.c.action.not_in((ADDED, REMOVED))).order_by(undo.c.id))
            ids = [each["id"] for each in steps]
            people = [row for part in chunks(ids) for row in _rows(tx, select(undo_person).where(undo_person.c.undo_id.in_(part)))]
            page = Page({UNDO.name: steps, UNDO_PERSON.name: people}, dict(labels))
            page.labels |= {(RowKind.UNDO, each["id"]): each["token"] for each in steps}
            found, known = references(steps), set(tx.scalars(select(person.c.id)))
            page.labels |= self._labels_of(tx, found[RowKind.IMAGE]) | self._labels_of_albums(tx, steps)
            for part in chunks(sorted(found[RowKind.FACE])):
                wanted = select(face.c.id, face.c.ordinal, image.c.sha256).join(image).where(face.c.id.in_(part), self._scope.shown())
                page.labels |= {(RowKind.FACE, each.id): f"{each.sha256}/{each.ordinal}" for each in tx.execute(wanted)}
            gone = (found[RowKind.PERSON] | {each["person_id"] for each in people}) - known
            page.labels |= {(RowKind.PERSON, each): GONE for each in gone}
        return page

    def _pages(
        self,
        wanted: Select[Any],
        by: Column[int],
        page_of: Callable[[Connection, list[Row]], Page],
        most: int = ROWS,
        cut: Callable[[list[Row]], list[Row]] = list,
    ) -> Iterator[Page]:
        """Yield a page for some rows at a time, in the order of a column. No transaction is open between two pages."""
        after = 0
        while True:
            with self._database.read() as tx:
                rows = cut(_rows(tx, wanted.where(by > after).order_by(by).limit(most)))
                if not rows:
                    return
                page = page_of(tx, rows)
            yield page
            after = rows[-1][by.name]

    def _labels_of(self, tx: Connection, images: Iterable[int]) -> dict[tuple[RowKind, Any], str]:
        """Return what images are recognised by, without those that do not move."""
        found = select(image.c.id, image.c.sha256).where(self._scope.shown())
        return {
            (RowKind.IMAGE, each.id): each.sha256
            for part in chunks(sorted(images))
            for each in tx.execute(found.where(image.c.id.in_(part)))
        }

    def _labels_of_albums(self, tx: Connection, steps: Sequence[Row]) -> dict[tuple[RowKind, Any], str]:
        """Return what the albums in steps are; removed ones of another library are left out."""
        known = set(tx.scalars(select(album.c.id)))
        there = tx.execute(select(album.c.id, album.c.created_at, album.c.uid).where(self._scope.collected()))
        removed = {each: home for each, home in libraries_of_albums(steps).items() if each not in known}
        gone = {each for each, home in removed.items() if self._scope.library in (None, home)}
        return {(RowKind.ALBUM, each.id): uid_of(*each) for each in there} | {(RowKind.ALBUM, each): GONE for each in gone}

    def _of_photos(self, tx: Connection, images: list[Row]) -> Page:
        ids = [each["id"] for each in images]
        sha = {each["id"]: each["sha256"] for each in images}
        page = Page({image.name: images}, {(RowKind.IMAGE, each): content for each, content in sha.items()})
        self._with_places(tx, page, _rows(tx, select(place).where(place.c.image_id.in_(ids), self._scope.placed()).order_by(place.c.id)))
        faces = _rows(tx, select(face).where(face.c.image_id.in_(ids)).order_by(face.c.id))
        page.rows[face.name] = faces
        page.labels |= {(RowKind.FACE, each["id"]): f"{sha[each['image_id']]}/{each['ordinal']}" for each in faces}
        found = [each["id"] for each in faces]
        for moving in OF_FACES:
            page.rows[moving.name] = [
                row for part in chunks(found) for row in _rows(tx, select(moving.table).where(moving.table.c.face_id.in_(part)))
            ]
        page.rows[COVER] = [
            {"person_id": each.id, "face_id": each.cover_face_id}
            for part in chunks(found)
            for each in tx.execute(select(person.c.id, person.c.cover_face_id).where(person.c.cover_face_id.in_(part), self._scope.met()))
        ]
        return page

    def _with_places(self, tx: Connection, page: Page, places: list[Row]) -> None:
        moved = [self._moved(each, "path", "folder") for each in places]
        ids = [each["id"] for each in places]
        page.rows["place"] = moved
        page.rows[JOB.name] = [
            at_rest(row) for part in chunks(ids) for row in _rows(tx, select(job).where(job.c.place_id.in_(part)).order_by(job.c.id))
        ]
        page.labels |= {(RowKind.PLACE, each["id"]): f"{each['source']}|{each['host']}|{each['path']}" for each in moved}

    def _moved(self, row: Row, *columns: str) -> Row:
        return row | {name: self._roots.local(row[name]) for name in columns if row[name] is not None}


GONE = "gone"
"""the label of people and albums that are in undone or removed in steps alone"""


def person_label(row: Row) -> str:
    return str(row["uid"] or f"name {row['name']}")


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
