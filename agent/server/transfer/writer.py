"""Writes rows into the other library: those that are missing there. What it has otherwise stays, unless it only guessed.

Every row is found again by its key, so a move that was killed begins anew and ends with the same rows.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import compress
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from agent.domain.identity_matching import Certainty
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import identity, ignored, image, job, person, place
from agent.server.transfer.findings import Findings, MoveConflict
from agent.server.transfer.numbers import (
    Numbers,
    by_image,
    differs,
    face_numbers,
    faces_there,
    found,
    image_numbers,
    key_of,
    matched,
    numbers_of,
)
from agent.server.transfer.reader import Page
from agent.server.transfer.tables import (
    ALBUM_IMAGE,
    CHIP,
    COVER,
    EMBEDDING,
    FACE,
    IDENTITY,
    IGNORED,
    IMAGE,
    JOB,
    OF_FACES,
    PLACE,
    REDACTION,
    REDACTION_ITEM,
    REJECTION,
    Moving,
    Row,
    RowKind,
)

FORGOTTEN: Final = "forgotten"
NO_CONSENT: Final = "no_consent"
ELSEWHERE: Final = "elsewhere"
"""of a person or a photo that does not move"""


class Writer:
    """Into one library. Call it in a write transaction for each page."""

    def __init__(self, numbers: Numbers, findings: Findings, now: datetime) -> None:
        self._numbers = numbers
        self._findings = findings
        self._now = now

    def use(self, numbers: Numbers) -> None:
        """Decide by these from now on."""
        self._numbers = numbers

    def photos(self, tx: Connection, page: Page) -> None:
        """Write photos with all that belongs to them."""
        self._numbers.rest.clear()
        self._images(tx, page.rows[IMAGE.name])
        self._files(tx, page)
        self._faces(tx, page)
        for moving in OF_FACES:
            self._of_faces(tx, moving, [each for each in page.rows[moving.name] if not self.withheld(page, moving, each)])
        self._forget(tx, page)
        self._covers(tx, page.rows[COVER])

    def files(self, tx: Connection, page: Page) -> None:
        """Write files without a photo."""
        self._numbers.rest.clear()
        self._files(tx, page)

    def redactions(self, tx: Connection, page: Page) -> None:
        if requests := page.rows.get(REDACTION.name):
            folders = {each["folder"]: each["uid"] for each in found(tx, REDACTION, requests, by="folder").values()}
            free = [each for each in requests if each["folder"] is None or folders.get(each["folder"], each["uid"]) == each["uid"]]
            for each in requests:
                if each not in free:  # both sides have a rule for this folder
                    self._keep(REDACTION, each, None, "rule")
            self._add(tx, REDACTION, free)
            numbers_of(tx, REDACTION, free, self._numbers)
        if items := page.rows.get(REDACTION_ITEM.name):
            self._add(tx, REDACTION_ITEM, items)

    def album_photos(self, tx: Connection, page: Page) -> None:
        """Write the photos of albums by hand."""
        self._numbers.rest.clear()
        image_numbers(tx, page, self._numbers)
        self._add(tx, ALBUM_IMAGE, page.rows[ALBUM_IMAGE.name])

    def withheld(self, page: Page, moving: Moving, row: Row) -> str | None:
        """Return why a row about a face does not move; None if it does."""
        who = _named(page).get(row["face_id"])
        if who in self._numbers.forgotten and moving is not REJECTION:
            return FORGOTTEN
        if who in self._numbers.lapsed and (moving in (EMBEDDING, CHIP) or (moving is IDENTITY and not _confirmed(row))):
            return NO_CONSENT
        if "person_id" in row and row["person_id"] not in self._numbers.people:
            return FORGOTTEN if row["person_id"] in self._numbers.forgotten else ELSEWHERE
        return None

    # -- photos and files --------------------------------------------------------------------------------------------------------
    def _images(self, tx: Connection, rows: Sequence[Row]) -> None:
        there = found(tx, IMAGE, rows)
        self._insert(tx, IMAGE, [each for each in rows if (each["sha256"],) not in there])
        for each in rows:
            other = there.get((each["sha256"],))
            if other is not None and differs(IMAGE, each, other):
                marks = [name for name in ("hidden_at", "favourite_at") if (each[name] is None) != (other[name] is None)]
                self._keep(IMAGE, each, other, marks[0] if marks else "merged")
        numbers_of(tx, IMAGE, rows, self._numbers)

    def _files(self, tx: Connection, page: Page) -> None:
        rows, there = page.rows[PLACE.name], found(tx, PLACE, page.rows[PLACE.name])
        new = [each for each in rows if key_of(PLACE, each) not in there]
        self._insert(tx, PLACE, [self._translated(PLACE, each) for each in new])
        waiting = list[int]()
        for each in rows:
            other, meant = there.get(key_of(PLACE, each)), self._translated(PLACE, each)
            if other is None or not differs(PLACE, meant, other):
                continue
            if other["image_id"] is None and meant["image_id"] is not None and other["size"] == each["size"]:
                values = {name: meant[name] for name in PLACE.columns}
                tx.execute(update(place).where(place.c.id == other["id"]).values(values))
                waiting.append(other["id"])
            else:
                self._keep(PLACE, each, other, "merged" if other["image_id"] == meant["image_id"] else "file")
        for part in chunks(waiting):
            tx.execute(delete(job).where(job.c.place_id.in_(part)))
        numbers_of(tx, PLACE, rows, self._numbers)
        fresh = {each["id"] for each in new}
        self._add(tx, JOB, page.rows[JOB.name], fresh=fresh)

    def _faces(self, tx: Connection, page: Page) -> None:
        """Add the faces that the other side has not; those that it found itself stay as it found them."""
        ours = by_image(page.rows[FACE.name])
        theirs = faces_there(tx, page, self._numbers)
        new, changed = list[Row](), list[tuple[int, int]]()
        for image_id, rows in ours.items():
            target = self._numbers.rest[RowKind.IMAGE, image_id]
            known = theirs.get(target, [])
            pairs = matched(rows, known)
            by_id = {each["id"]: each for each in known}
            ordinal = max((each["ordinal"] for each in known), default=-1)
            for each in rows:
                meant = each | {"image_id": target}
                if each["id"] in pairs:
                    other = by_id[pairs[each["id"]]]
                    if differs(FACE, meant, other):
                        self._keep(FACE, each, other, "merged")
                elif known:
                    ordinal += 1
                    new.append(meant | {"ordinal": ordinal})
                    if ordinal != each["ordinal"]:
                        self._keep(FACE, each, None, "merged")
                else:
                    new.append(meant)
            if known and len(pairs) < len(rows):
                changed.append((target, len(known) + len(rows) - len(pairs)))
        self._insert(tx, FACE, new)
        for target, count in changed:
            tx.execute(update(image).where(image.c.id == target).values(face_count=count))
        face_numbers(tx, page, self._numbers)

    # -- what is known of faces --------------------------------------------------------------------------------------------------
    def _of_faces(self, tx: Connection, moving: Moving, rows: Sequence[Row]) -> None:
        if moving is IDENTITY:
            self._identities(tx, rows)
            return
        if moving is REJECTION:
            confirmed = _who(tx, [self._numbers.of(RowKind.FACE, each["face_id"]) for each in rows])
            meant = [self._translated(moving, each) for each in rows]
            against = [confirmed.get(each["face_id"]) == each["person_id"] for each in meant]
            for each in compress(rows, against):
                self._keep(moving, each, None, "rejected")
            rows = [each for each, no in zip(rows, against, strict=True) if not no]
        self._add(tx, moving, rows)

    def _identities(self, tx: Connection, rows: Sequence[Row]) -> None:
        meant = {each["face_id"]: self._translated(IDENTITY, each) for each in rows}
        there = found(tx, IDENTITY, list(meant.values()))
        refused = _rejected(tx, [each["face_id"] for each in meant.values()])
        silent = _silent(tx, [each["face_id"] for each in meant.values()])
        better = list[int]()
        new = list[Row]()
        for each in rows:
            wanted = meant[each["face_id"]]
            other = there.get((wanted["face_id"],))
            if (wanted["face_id"], wanted["person_id"]) in refused or (wanted["face_id"] in silent and not _confirmed(each)):
                self._keep(IDENTITY, each, other, "rejected")
            elif other is None:
                new.append(wanted)
            elif not differs(IDENTITY, wanted, other):
                continue
            elif _confirmed(each) and not _confirmed(other):
                better.append(other["face_id"])
                new.append(wanted)
            else:
                same = other["person_id"] == wanted["person_id"] or not _confirmed(each)
                self._keep(IDENTITY, each, other, "merged" if same else "name")
        for part in chunks(better):
            tx.execute(delete(identity).where(identity.c.face_id.in_(part)))
        self._insert(tx, IDENTITY, new)

    def _forget(self, tx: Connection, page: Page) -> None:
        """Keep the faces of people who were forgotten here as boxes that are never asked about."""
        silent = [
            target
            for each, who in _named(page).items()
            if who in self._numbers.forgotten and (target := self._numbers.of(RowKind.FACE, each)) is not None
        ]
        for part in chunks(silent):
            tx.execute(delete(ignored).where(ignored.c.face_id.in_(part)))
            tx.execute(insert(ignored), [{"face_id": each, "reason": FORGOTTEN, "at": self._now} for each in part])

    def _covers(self, tx: Connection, rows: Sequence[Row]) -> None:
        for each in rows:
            who, which = self._numbers.people.get(each["person_id"]), self._numbers.of(RowKind.FACE, each["face_id"])
            if who is not None and which is not None:
                unset = (person.c.id == who, person.c.cover_face_id.is_(None))
                tx.execute(update(person).where(*unset).values(cover_face_id=which))

    # -- rows --------------------------------------------------------------------------------------------------------------------
    def _translated(self, moving: Moving, row: Row) -> Row:
        changed = self._numbers.translated(moving, row)
        assert changed is not None
        return changed

    def _add(self, tx: Connection, moving: Moving, rows: Sequence[Row], fresh: set[int] | None = None) -> None:
        """Insert rows that are missing; of `fresh` places alone, if given."""
        pairs = [(each, changed) for each in rows if (changed := self._numbers.translated(moving, each)) is not None]
        there = found(tx, moving, [changed for _, changed in pairs])
        new = list[Row]()
        for each, changed in pairs:
            other = there.get(key_of(moving, changed))
            if other is None and (fresh is None or each["place_id"] in fresh):
                new.append(changed)
            elif other is None or differs(moving, changed, other):
                self._keep(moving, each, other, "merged")
        self._insert(tx, moving, new)

    def _insert(self, tx: Connection, moving: Moving, rows: Iterable[Row]) -> None:
        wanted = [{name: each[name] for name in moving.columns} for each in rows]
        if wanted:
            tx.execute(insert(moving.table), wanted)
            self._findings.moved[moving.name] += len(wanted)

    def _keep(self, moving: Moving, row: Row, other: Row | None, kind: str) -> None:
        """Note that the other side's row stays."""
        keep(self._findings, moving, row, other, kind)


def keep(findings: Findings, moving: Moving, row: Row, other: Row | None, kind: str) -> None:
    findings.kept.add(mark(moving, row))
    if kind != "merged":
        there = None if other is None else other.get("id", other.get("face_id"))
        findings.conflict(MoveConflict(kind, moving.name, row.get("id", row.get("face_id")), there))


def mark(moving: Moving, row: Row) -> bytes:
    """Return what tells a source's row from its others."""
    key = [str(row[name]) for name in (("id",) if "id" in row else moving.key)]
    return "/".join((moving.name, *key)).encode()


def _named(page: Page) -> dict[int, int]:
    """Face -> person."""
    return {each["face_id"]: each["person_id"] for each in page.rows[IDENTITY.name]}


def _confirmed(row: Row) -> bool:
    return bool(row["certainty"] == Certainty.CONFIRMED)


def _who(tx: Connection, faces: Iterable[int | None]) -> dict[int, int]:
    """Face -> person, of those that the other side's users confirmed."""
    result: dict[int, int] = {}
    for part in chunks(sorted({each for each in faces if each is not None})):
        said = select(identity.c.face_id, identity.c.person_id).where(identity.c.face_id.in_(part))
        result |= {each.face_id: each.person_id for each in tx.execute(said.where(identity.c.certainty == Certainty.CONFIRMED))}
    return result


def _rejected(tx: Connection, faces: Sequence[int]) -> set[tuple[int, int]]:
    table = REJECTION.table
    return {
        (each.face_id, each.person_id)
        for part in chunks(faces)
        for each in tx.execute(select(table.c.face_id, table.c.person_id).where(table.c.face_id.in_(part)))
    }


def _silent(tx: Connection, faces: Sequence[int]) -> set[int]:
    return {each for part in chunks(faces) for each in tx.scalars(select(IGNORED.table.c.face_id).where(IGNORED.table.c.face_id.in_(part)))}
