"""Moves people and what they agreed to: a name is never doubled, and what the other side's people said last counts."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from agent.infrastructure.store.facts import chunks, free_name
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import consent, person
from agent.server.transfer.findings import Findings
from agent.server.transfer.numbers import Numbers, differs
from agent.server.transfer.reader import Page
from agent.server.transfer.tables import CONSENT, PERSON, Row
from agent.server.transfer.writer import FORGOTTEN, keep


@dataclass(frozen=True, slots=True)
class _There:
    """The people of the other side."""

    by_uid: dict[str, Row]
    by_name: dict[str, Row]

    @classmethod
    def of(cls, tx: Connection) -> "_There":
        rows = [dict(row) for row in tx.execute(select(person)).mappings()]
        return cls({each["uid"]: each for each in rows if each["uid"] is not None}, {each["name"]: each for each in rows})


def write_people(tx: Connection, page: Page, numbers: Numbers, forgotten: frozenset[str], findings: Findings) -> None:
    """Write people who are missing there. The same random id, or otherwise the same name, is the same person."""
    rows, there = page.rows[PERSON.name], _There.of(tx)
    find_people(page, there, numbers, forgotten)
    taken = set(numbers.people.values())
    for each in rows:
        if each["id"] in numbers.forgotten:
            findings.withheld[PERSON.name, FORGOTTEN] += 1
        elif each["id"] in numbers.people:
            other = there.by_uid.get(each["uid"] or "") or there.by_name[each["name"]]
            if differs(PERSON, each, other):
                renamed = other["uid"] == each["uid"] and other["name"] != each["name"]
                keep(findings, PERSON, each, other, "renamed" if renamed else "person" if _told_otherwise(each, other) else "merged")
        else:
            name = free_name(tx, each["name"], None)  # two people here, and one of them has that name there
            values = {column: each[column] for column in PERSON.columns} | {"name": name}
            numbers.people[each["id"]] = add(tx, person, values)
            findings.moved[PERSON.name] += 1
            if name != each["name"]:
                keep(findings, PERSON, each, {"id": numbers.people[each["id"]]}, "renamed")
    assert len(taken) == len(set(taken))
    _write_consents(tx, page, numbers, findings)


def find_people(page: Page, there: "_There", numbers: Numbers, forgotten: frozenset[str]) -> None:
    """Look up who is who there."""
    rows = page.rows[PERSON.name]
    numbers.people, numbers.uids = {}, {}
    numbers.forgotten = frozenset(each["id"] for each in rows if each["uid"] in forgotten)
    wanted = [each for each in rows if each["id"] not in numbers.forgotten]
    for each in wanted:
        if each["uid"] is not None and (other := there.by_uid.get(each["uid"])) is not None:
            numbers.people[each["id"]] = other["id"]
    taken = set(numbers.people.values())
    for each in wanted:
        other = there.by_name.get(each["name"])
        if each["id"] not in numbers.people and other is not None and other["id"] not in taken:
            numbers.people[each["id"]] = other["id"]
            taken.add(other["id"])
            if each["uid"] is not None and other["uid"] is not None:
                numbers.uids[each["uid"]] = other["uid"]


def people_there(tx: Connection, page: Page, numbers: Numbers, forgotten: frozenset[str]) -> None:
    find_people(page, _There.of(tx), numbers, forgotten)


def find_lapsed(tx: Connection, numbers: Numbers) -> None:
    """Look up whose prints may not be kept there."""
    lapsed = set(tx.scalars(select(person.c.id).where(person.c.lapsed_at.is_not(None))))
    numbers.lapsed = frozenset(own for own, other in numbers.people.items() if other in lapsed)


def consents_of(page: Page, numbers: Numbers) -> Iterable[tuple[Row, Row]]:
    """Return each entry with what it is there."""
    gone = {each["uid"] for each in page.rows[PERSON.name] if each["id"] in numbers.forgotten}
    for each in page.rows[CONSENT.name]:
        if each["person_uid"] not in gone:
            yield each, each | {"person_uid": numbers.uids.get(each["person_uid"], each["person_uid"])}


def _write_consents(tx: Connection, page: Page, numbers: Numbers, findings: Findings) -> None:
    pairs = list(consents_of(page, numbers))
    findings.withheld[CONSENT.name, FORGOTTEN] += len(page.rows[CONSENT.name]) - len(pairs)
    uids = list(dict.fromkeys(meant["person_uid"] for _, meant in pairs))
    there: dict[tuple[str, str], list[Row]] = {}
    for part in chunks(uids):
        for row in tx.execute(select(consent).where(consent.c.person_uid.in_(part)).order_by(consent.c.id)).mappings():
            there.setdefault((row["person_uid"], row["purpose"]), []).append(dict(row))
    new = list[Row]()
    ours: dict[tuple[str, str], list[tuple[Row, Row]]] = {}
    for each, meant in pairs:
        ours.setdefault((meant["person_uid"], meant["purpose"]), []).append((each, meant))
    for about, entries in ours.items():
        said = there.get(about, [])
        came = [any(not differs(CONSENT, meant, other) for other in said) for _, meant in entries]
        # Of a move before, all of it is from here: what was said since is added. Otherwise what was said there counts, and its history
        # is whole.
        adds = len(said) == sum(came) and came == sorted(came, reverse=True)
        for (each, meant), there_already in zip(entries, came, strict=True):
            if adds and not there_already:
                new.append({name: meant[name] for name in CONSENT.columns})
            elif not there_already:
                keep(findings, CONSENT, each, said[-1], "consent")
    if new:
        tx.execute(insert(consent), new)
        findings.moved[CONSENT.name] += len(new)


_TOLD = ("birth_date", "notes", "hidden_at", "never_at", "basis", "retention_days", "watch_at")


def _told_otherwise(row: Row, other: Row) -> bool:
    """Return whether users said different things about a person."""
    return any(row[name] != other[name] and row[name] not in (None, "") for name in _TOLD)
