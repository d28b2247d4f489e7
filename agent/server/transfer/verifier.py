"""Compares two libraries row by row, after a move: everything is read again from both, and nothing is believed that was written."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from agent.infrastructure.store.database import Database
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import face, person
from agent.server.transfer.album_moves import find_albums, people_that_move, withheld
from agent.server.transfer.canonical import Digest, canonical, digest_of
from agent.server.transfer.findings import Findings, TableProof
from agent.server.transfer.numbers import Numbers, face_numbers, found, image_numbers, numbers_of
from agent.server.transfer.people_moves import consents_of, find_lapsed, people_there
from agent.server.transfer.reader import GONE, Page, Reader
from agent.server.transfer.tables import (
    ALBUM,
    ALBUM_IMAGE,
    ALBUM_PERSON,
    CONSENT,
    COVER,
    FACE,
    IMAGE,
    MOVES,
    OF_FACES,
    OF_PHOTOS,
    PERSON,
    PLACE,
    REDACTION,
    REDACTION_ITEM,
    UNDO,
    UNDO_PERSON,
    Moving,
    Row,
    RowKind,
)
from agent.server.transfer.undo import find_numbers, moves
from agent.server.transfer.writer import Writer, mark

_MOST_NAMED = 20


class _Sheet:
    """What is known of one table so far."""

    def __init__(self, name: str) -> None:
        self.proof = TableProof(name)
        self.source, self.target = Digest(), Digest()

    def done(self) -> TableProof:
        self.proof.source_rows, self.proof.source_digest = self.source.rows, self.source.value
        self.proof.target_rows, self.proof.target_digest = self.target.rows, self.target.value
        return self.proof


class Proof:
    """`numbers` and `findings` are those of the move: what was kept there, or stayed behind, is not expected there."""

    def __init__(self, reader: Reader, target: Database, forgotten: frozenset[str], writer: Writer, findings: Findings) -> None:
        self._reader = reader
        self._target = target
        self._forgotten = forgotten
        self._writer = writer
        self._findings = findings
        self._numbers = Numbers()
        self._sheets = {name: _Sheet(name) for name in (*(each.name for each in MOVES), COVER)}

    def run(self) -> Iterator[None]:
        """Compare all, a page at a time. Read `tables` afterwards."""
        people = self._reader.people()
        with self._target.read() as tx:
            people_there(tx, people, self._numbers, self._forgotten)
            find_lapsed(tx, self._numbers)
            self._people(tx, people)
        self._writer.use(self._numbers)
        yield
        labels = people.labels
        for page in self._reader.photos(labels):
            with self._target.read() as tx:
                self._photos(tx, page)
            yield
        for page in self._reader.files():
            with self._target.read() as tx:
                self._numbers.rest.clear()
                numbers_of(tx, PLACE, page.rows[PLACE.name], self._numbers)
                for moving in (PLACE, *(each for each in OF_PHOTOS if each.name in page.rows and each is not PLACE)):
                    self._table(tx, moving, page, page.rows[moving.name])
            yield
        for page in self._reader.redactions(labels):
            with self._target.read() as tx:
                if rows := page.rows.get(REDACTION.name):
                    numbers_of(tx, REDACTION, rows, self._numbers)
                    self._table(tx, REDACTION, page, rows)
                self._table(tx, REDACTION_ITEM, page, page.rows.get(REDACTION_ITEM.name, ()))
            yield
        self._albums(labels)
        yield
        self._steps(labels)
        yield

    def tables(self) -> list[TableProof]:
        return [each.done() for each in self._sheets.values()]

    def _people(self, tx: Connection, page: Page) -> None:
        rows = [each for each in page.rows[PERSON.name] if each["id"] in self._numbers.people]
        self._sheets[PERSON.name].proof.withheld += len(page.rows[PERSON.name]) - len(rows) - self._missing(PERSON, page)
        there = {each["id"]: dict(each) for each in tx.execute(select(person)).mappings()}
        labels = self._labels(page)
        for each in page.rows[PERSON.name]:
            if each["id"] in self._numbers.forgotten:
                continue
            other = there.get(self._numbers.people.get(each["id"], 0))
            self._compare(PERSON, page, each, other, labels)
        pairs = list(consents_of(page, self._numbers))
        self._sheets[CONSENT.name].proof.withheld += len(page.rows[CONSENT.name]) - len(pairs)
        said = found(tx, CONSENT, [meant for _, meant in pairs])
        for each, meant in pairs:
            other = said.get(tuple(meant[name] for name in CONSENT.key))
            if other is not None:
                other = other | {"person_uid": each["person_uid"]}
            self._compare(CONSENT, page, each, other, labels)

    def _missing(self, moving: Moving, page: Page) -> int:
        gone = self._numbers.forgotten
        return sum(each["id"] not in self._numbers.people and each["id"] not in gone for each in page.rows[moving.name])

    def _photos(self, tx: Connection, page: Page) -> None:
        self._numbers.rest.clear()
        numbers_of(tx, IMAGE, page.rows[IMAGE.name], self._numbers)
        numbers_of(tx, PLACE, page.rows[PLACE.name], self._numbers)
        face_numbers(tx, page, self._numbers)
        for moving in OF_PHOTOS:
            rows = page.rows[moving.name]
            if moving in OF_FACES:
                rest = [each for each in rows if self._writer.withheld(page, moving, each) is None]
                self._sheets[moving.name].proof.withheld += len(rows) - len(rest)
                rows = rest
            self._table(tx, moving, page, rows)
        self._covers(tx, page)

    def _table(self, tx: Connection, moving: Moving, page: Page, rows: Iterable[Row]) -> None:
        labels, wanted = self._labels(page), list(rows)
        if moving is FACE:  # found by its place, because the other side may count its faces otherwise
            keys: list[Any] = [self._numbers.of(RowKind.FACE, each["id"]) for each in wanted]
            there: dict[Any, Row] = _faces(tx, [each for each in keys if each is not None])
        else:
            meant = [self._numbers.translated(moving, each) for each in wanted]
            there = dict(found(tx, moving, [each for each in meant if each is not None]))
            keys = [None if each is None else tuple(each[name] for name in moving.key) for each in meant]
        for row, key in zip(wanted, keys, strict=True):
            self._compare(moving, page, row, None if key is None else there.get(key), labels)

    def _compare(self, moving: Moving, page: Page, row: Row, other: Row | None, labels: "_Labels") -> None:
        sheet = self._sheets[moving.name]
        if mark(moving, row) in self._findings.kept:
            sheet.proof.kept += 1
            return
        ours = canonical(moving, row, self._known(page))
        sheet.source.add([ours])
        theirs = None if other is None else canonical(moving, other, labels.of)
        if theirs is not None:
            sheet.target.add([theirs])
        if theirs != ours and len(sheet.proof.differing) < _MOST_NAMED:
            sheet.proof.differing.append(int(row.get("id") or row.get("face_id") or 0))

    def _covers(self, tx: Connection, page: Page) -> None:
        rows, sheet, labels = page.rows[COVER], self._sheets[COVER], self._labels(page)
        people = [who for each in rows if (who := self._numbers.people.get(each["person_id"])) is not None]
        there = _chosen(tx, people)
        for each in rows:
            who = self._numbers.people.get(each["person_id"])
            if who is None:
                sheet.proof.withheld += 1
                continue
            ours = digest_of([page.labels[RowKind.PERSON, each["person_id"]], page.labels[RowKind.FACE, each["face_id"]]])
            chosen = there.get(who)
            theirs = None if chosen is None else labels.of(RowKind.FACE, chosen)
            if theirs is None and chosen is not None:  # another photo's, which was chosen there
                sheet.proof.kept += 1
                continue
            sheet.source.add([ours])
            if theirs is not None:
                sheet.target.add([digest_of([page.labels[RowKind.PERSON, each["person_id"]], theirs])])

    def _albums(self, labels: dict[tuple[RowKind, Any], str]) -> None:
        page = self._reader.albums(labels)
        with self._target.read() as tx:
            there, known = find_albums(tx, page, self._numbers), self._labels(page)
            for each in page.rows[ALBUM.name]:
                if withheld(page, self._numbers, each) is not None:
                    self._sheets[ALBUM.name].proof.withheld += 1
                else:
                    self._compare(ALBUM, page, each, there.get(each["uid"]), known)
            people = people_that_move(page, self._numbers)
            self._sheets[ALBUM_PERSON.name].proof.withheld += len(page.rows[ALBUM_PERSON.name]) - len(people)
            self._table(tx, ALBUM_PERSON, page, people)
        for photos in self._reader.album_photos(page):
            with self._target.read() as tx:
                self._numbers.rest.clear()
                image_numbers(tx, photos, self._numbers)
                self._table(tx, ALBUM_IMAGE, photos, photos.rows[ALBUM_IMAGE.name])

    def _steps(self, labels: dict[tuple[RowKind, int], str]) -> None:
        page = self._reader.steps(labels)
        with self._target.read() as tx:
            find_numbers(tx, page, self._numbers)
            chosen = [each for each in page.rows[UNDO.name] if moves(page, self._numbers, each)]
            self._sheets[UNDO.name].proof.withheld += len(page.rows[UNDO.name]) - len(chosen)
            there = found(tx, UNDO, chosen)
            self._numbers.rest |= {(RowKind.UNDO, each["id"]): there[each["token"],]["id"] for each in chosen if (each["token"],) in there}
            ours, theirs = self._known(page), self._labels(page, gone=True)
            for each in chosen:
                other = there.get((each["token"],))
                sheet = self._sheets[UNDO.name]
                if mark(UNDO, each) in self._findings.kept:
                    sheet.proof.kept += 1
                    continue
                one = canonical(UNDO, each, ours)
                sheet.source.add([one])
                two = None if other is None else canonical(UNDO, other, theirs.of)
                if two is not None:
                    sheet.target.add([two])
                if one != two and len(sheet.proof.differing) < _MOST_NAMED:
                    sheet.proof.differing.append(each["id"])
            self._step_people(tx, page, {each["id"] for each in chosen}, theirs)

    def _known(self, page: Page) -> "_Known":
        return _Known(page, self._numbers)

    def _step_people(self, tx: Connection, page: Page, chosen: set[int], labels: "_Labels") -> None:
        sheet, ours = self._sheets[UNDO_PERSON.name], self._known(page)
        rows = [each for each in page.rows[UNDO_PERSON.name] if each["undo_id"] in chosen and ours(RowKind.PERSON, each["person_id"])]
        sheet.proof.withheld += len(page.rows[UNDO_PERSON.name]) - len(rows)
        sheet.source.add(canonical(UNDO_PERSON, each, ours) for each in rows)
        ids = [number for each in chosen if (number := self._numbers.rest.get((RowKind.UNDO, each))) is not None]
        for part in chunks(ids):
            found_there = tx.execute(select(UNDO_PERSON.table).where(UNDO_PERSON.table.c.undo_id.in_(part))).mappings()
            sheet.target.add(canonical(UNDO_PERSON, dict(each), labels.of) for each in found_there)

    def _labels(self, page: Page, *, gone: bool = False) -> "_Labels":
        return _Labels(page, self._numbers, gone=gone)


def _faces(tx: Connection, ids: Sequence[int]) -> dict[int, Row]:
    rows = (dict(row) for part in chunks(ids) for row in tx.execute(select(face).where(face.c.id.in_(part))).mappings())
    return {row["id"]: row for row in rows}


def _chosen(tx: Connection, people: Sequence[int]) -> dict[int, int | None]:
    """Return the chosen pictures of people."""
    chosen = select(person.c.id, person.c.cover_face_id)
    return {each.id: each.cover_face_id for part in chunks(people) for each in tx.execute(chosen.where(person.c.id.in_(part)))}


class _Known:
    """The labels of a source's numbers, of what the other side has: the rest is left out of steps."""

    def __init__(self, page: Page, numbers: Numbers) -> None:
        self._page = page
        self._numbers = numbers

    def __call__(self, kind: RowKind, number: int) -> str | None:
        label = self._page.labels.get((kind, number))
        return label if label == GONE or self._numbers.of(kind, number) is not None else None


class _Labels:
    """The source's labels for the other side's numbers."""

    def __init__(self, page: Page, numbers: Numbers, *, gone: bool) -> None:
        people = ((RowKind.PERSON, own, other) for own, other in numbers.people.items())
        albums = ((RowKind.ALBUM, own, other) for own, other in numbers.albums.items())
        rest = ((kind, own, other) for (kind, own), other in numbers.rest.items())
        self._found = {(kind, other): label for kind, own, other in (*people, *albums, *rest) if (label := page.labels.get((kind, own)))}
        self._gone = gone

    def of(self, kind: RowKind, number: int) -> str | None:
        return self._found.get((kind, number)) or (GONE if self._gone and kind in (RowKind.PERSON, RowKind.ALBUM) else None)
