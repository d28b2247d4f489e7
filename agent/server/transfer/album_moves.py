"""Moves albums with their names, covers and rules; the photos of those by hand follow in pages (`Writer.album_photos`)."""

from sqlalchemy import Connection, insert, select

from agent.features.library.records import Match
from agent.infrastructure.store.album_facts import uid_of
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import album, album_person
from agent.server.transfer.findings import Findings
from agent.server.transfer.numbers import Numbers, differs, image_numbers
from agent.server.transfer.reader import Page
from agent.server.transfer.tables import ALBUM, ALBUM_PERSON, Row
from agent.server.transfer.writer import ELSEWHERE, FORGOTTEN, keep


def albums_there(tx: Connection) -> dict[str, Row]:
    """Return the other side's albums by what they are recognised by."""
    rows = [dict(row) for row in tx.execute(select(album)).mappings()]
    return {uid: row | {"uid": uid} for row in rows for uid in [uid_of(row["id"], row["created_at"], row["uid"])]}


def find_albums(tx: Connection, page: Page, numbers: Numbers) -> dict[str, Row]:
    """Look up which albums there are those of a page; returns all that are there."""
    numbers.rest.clear()
    image_numbers(tx, page, numbers)
    there, numbers.albums = albums_there(tx), {}
    for each in page.rows[ALBUM.name]:
        if each["uid"] in there and withheld(page, numbers, each) is None:
            numbers.albums[each["id"]] = there[each["uid"]]["id"]
    return there


def withheld(page: Page, numbers: Numbers, row: Row) -> str | None:
    """Return why an album does not move; None if it does. Without one of its people it moves only if any of the others will do."""
    if row["match"] is None:
        return None
    people = _people(page, row)
    missing = [each for each in people if each not in numbers.people]
    if len(missing) < len(people) and (not missing or row["match"] == Match.ANY):
        return None
    return FORGOTTEN if numbers.forgotten.intersection(missing) else ELSEWHERE


def people_that_move(page: Page, numbers: Numbers) -> list[Row]:
    """Return the people of the albums that move."""
    return [each for each in page.rows[ALBUM_PERSON.name] if each["album_id"] in numbers.albums and each["person_id"] in numbers.people]


def write_albums(tx: Connection, page: Page, numbers: Numbers, findings: Findings) -> None:
    """Write albums that are missing there, with their rules: what is there keeps its name, cover and people."""
    there = find_albums(tx, page, numbers)
    new = set[int]()
    for each in page.rows[ALBUM.name]:
        if (why := withheld(page, numbers, each)) is not None:
            findings.withheld[ALBUM.name, why] += 1
            continue
        meant = numbers.translated(ALBUM, each)
        assert meant is not None
        if (other := there.get(each["uid"])) is None:
            made = add(tx, album, {name: meant[name] for name in ALBUM.columns} | {"library_id": numbers.library})
            numbers.albums[each["id"]] = made
            new.add(made)
            findings.moved[ALBUM.name] += 1
        elif differs(ALBUM, meant, other):
            keep(findings, ALBUM, each, other, "album")
    _write_people(tx, page, numbers, findings, new)


def _write_people(tx: Connection, page: Page, numbers: Numbers, findings: Findings, new: set[int]) -> None:
    said = {(each.album_id, each.person_id) for each in tx.execute(select(album_person))}
    missing = list[Row]()
    for each in people_that_move(page, numbers):
        meant = numbers.translated(ALBUM_PERSON, each)
        assert meant is not None
        if meant["album_id"] in new:
            missing.append(meant)
        elif (meant["album_id"], meant["person_id"]) not in said:  # another rule than it had
            keep(findings, ALBUM_PERSON, each, None, "album")
    if missing:
        tx.execute(insert(album_person), missing)
        findings.moved[ALBUM_PERSON.name] += len(missing)


def _people(page: Page, row: Row) -> list[int]:
    return [each["person_id"] for each in page.rows[ALBUM_PERSON.name] if each["album_id"] == row["id"]]
