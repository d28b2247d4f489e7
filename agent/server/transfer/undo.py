"""Moves the steps of a library's user that can be undone, in one transaction: people and albums in them alone get new numbers."""

import uuid
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, delete, insert, select

from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import album, face, image, person, undo, undo_person
from agent.server.transfer.findings import Findings
from agent.server.transfer.numbers import Numbers, found, image_numbers
from agent.server.transfer.reader import GONE, Page
from agent.server.transfer.steps import changed_step
from agent.server.transfer.tables import UNDO, UNDO_PERSON, Row, RowKind
from agent.server.transfer.writer import ELSEWHERE, FORGOTTEN, keep

_ANY = datetime(1970, 1, 1, tzinfo=UTC)


def find_numbers(tx: Connection, page: Page, numbers: Numbers) -> None:
    """Look up the photos and faces in steps. A face is found by its photo and its number there: both sides counted alike, or it is left."""
    numbers.rest.clear()
    image_numbers(tx, page, numbers)
    there: dict[str, int] = {}
    for part in chunks(sorted({label.partition("/")[0] for label in _faces(page).values()})):
        there |= {each.sha256: each.id for each in tx.execute(select(image.c.id, image.c.sha256).where(image.c.sha256.in_(part)))}
    faces: dict[str, int] = {}
    labels = {number: sha256 for sha256, number in there.items()}
    for part in chunks(sorted(labels)):
        for each in tx.execute(select(face.c.id, face.c.image_id, face.c.ordinal).where(face.c.image_id.in_(part))):
            faces[f"{labels[each.image_id]}/{each.ordinal}"] = each.id
    numbers.rest |= {(RowKind.FACE, number): faces[label] for number, label in _faces(page).items() if label in faces}


def write_steps(tx: Connection, page: Page, numbers: Numbers, findings: Findings) -> None:
    """Write steps that are missing there, without those of people who were forgotten there."""
    find_numbers(tx, page, numbers)
    there = found(tx, UNDO, page.rows[UNDO.name])
    gone: dict[tuple[RowKind, int], int] = {}

    def other(kind: RowKind, number: int) -> int | None:
        if (known := numbers.of(kind, number)) is not None or page.labels.get((kind, number)) != GONE:
            return known
        if (kind, number) not in gone:
            gone[kind, number] = _reserved(tx, album if kind is RowKind.ALBUM else person)
        return gone[kind, number]

    people = _people(page)
    for each in page.rows[UNDO.name]:
        if (known := there.get((each["token"],))) is not None:
            if known["undone_at"] != each["undone_at"]:  # undone, or redone, on one side since
                keep(findings, UNDO, each, known, "merged")
        elif numbers.forgotten & set(people.get(each["id"], ())):
            findings.withheld[UNDO.name, FORGOTTEN] += 1
        elif (changed := changed_step(each, other)) is None:
            findings.withheld[UNDO.name, ELSEWHERE] += 1
        else:
            made = add(tx, undo, {name: changed[name] for name in UNDO.columns})
            findings.moved[UNDO.name] += 1
            its = [number for person_id in people.get(each["id"], ()) if (number := other(RowKind.PERSON, person_id)) is not None]
            if its:
                tx.execute(insert(undo_person), [{"undo_id": made, "person_id": number} for number in its])
                findings.moved[UNDO_PERSON.name] += len(its)


def moves(page: Page, numbers: Numbers, each: Row) -> bool:
    """Return whether a step moves."""
    people = {row["person_id"] for row in page.rows[UNDO_PERSON.name] if row["undo_id"] == each["id"]}

    def other(kind: RowKind, number: int) -> int | None:
        known = numbers.of(kind, number)
        return 0 if known is None and page.labels.get((kind, number)) == GONE else known

    return not numbers.forgotten & people and changed_step(each, other) is not None


def _people(page: Page) -> dict[int, list[int]]:
    people: dict[int, list[int]] = {}
    for row in page.rows[UNDO_PERSON.name]:
        people.setdefault(row["undo_id"], []).append(row["person_id"])
    return people


def _faces(page: Page) -> dict[int, str]:
    return {number: label for (kind, number), label in page.labels.items() if kind is RowKind.FACE}


def _reserved(tx: Connection, table: Table) -> int:
    """Return a number that no person, or album, has or will have."""
    row = add(tx, table, {"name": uuid.uuid4().hex, "created_at": _ANY})
    tx.execute(delete(table).where(table.c.id == row))
    return row
