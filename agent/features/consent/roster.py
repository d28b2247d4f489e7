"""Class lists: CSV tables of people, what they agreed to, and their reference photos."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, TypeAlias

from agent.domain.confusables import is_visible, shown
from agent.domain.consent import Purpose
from agent.domain.edits import Basis
from agent.domain.errors import ConsentBadRow, ConsentBadTable
from agent.domain.names import tidy
from agent.features.people import spreadsheet_text
from agent.features.people.legal_thresholds import is_child

IsThere: TypeAlias = Callable[[str], bool]

# The columns by their names in the first line; only `name` is needed.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name", "姓名"),
    "birth_date": ("birth_date", "birth date", "出生日期"),
    "purposes": ("purposes", "用途"),
    "basis": ("basis", "依据"),
    "guardian": ("guardian", "监护人"),
    "given_on": ("given_on", "given on", "同意日期"),
    "valid_until": ("valid_until", "valid until", "有效期至"),
    "document": ("document", "文件"),
    "photo": ("photo", "照片"),
}
_PURPOSES: Final = {
    **{each.value: each for each in Purpose},
    "识别": Purpose.RECOGNISE,
    "内部展示": Purpose.SHOW_INSIDE,
    "公开": Purpose.PUBLISH,
}
_BASES: Final = {
    **{each.value: each for each in Basis},
    "本人同意": Basis.OWN_CONSENT,
    "家人": Basis.FAMILY,
    "合同": Basis.CONTRACT,
    "监护人": Basis.GUARDIAN,
}
_MOST_NAME, _MOST_TEXT = 200, 500
_REFUSED: Final = ("-", "−", "不")  # before a purpose
_DAY: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@dataclass(frozen=True, slots=True)
class ListedPerson:
    line: int
    name: str
    birth_date: date | None
    purposes: tuple[Purpose, ...]
    refused: tuple[Purpose, ...]
    basis: Basis
    guardian: str
    given_on: date | None
    valid_until: date | None
    document: str
    photos: tuple[str, ...]  # their names, or paths within the folder of the photos


def read(content: bytes, today: date, is_there: IsThere | None) -> tuple[list[ListedPerson], list[ConsentBadRow]]:
    """Return the people of a list, and what is wrong with its other lines, in their order.

    `is_there` tells whether a reference photo exists; None: photos are left out. Raises ConsentBadTable.
    """
    text = spreadsheet_text.decoded(content)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    people, bad = list[ListedPerson](), list[ConsentBadRow]()
    try:
        columns = _columns(next(rows, []))
        seen: set[str] = set()
        for values in rows:
            if not any(each.strip() for each in values):
                continue
            found = {name: values[at].strip() if at < len(values) else "" for name, at in columns.items()}
            try:
                person = _person(found, rows.line_num, is_there)
                if person.name in seen:
                    raise ConsentBadRow(line=rows.line_num, column="name")
                seen.add(person.name)
                people.append(person)
            except ConsentBadRow as error:
                bad.append(error)
    except csv.Error:
        bad.append(ConsentBadRow(line=rows.line_num, column="name"))
    bad += [ConsentBadRow(line=each.line, column="guardian") for each in people if _lacks_guardian(each, today)]
    return people, sorted(bad, key=lambda each: int(each.params["line"]))


def ignored_columns(content: bytes) -> tuple[str, ...]:
    """Return the titles of the columns that are not read, as they are written: a misspelt one would be left out unnoticed."""
    text = spreadsheet_text.decoded(content)
    known = {title for titles in COLUMNS.values() for title in titles}
    try:
        titles = next(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)), [])
    except csv.Error:
        return ()
    return tuple(title.strip()[:_MOST_NAME] for title in titles if title.strip() and title.strip().lower() not in known)


def inside(folder: Path) -> IsThere:
    """Return what finds photos in a folder, at any depth, and nowhere else."""

    def is_there(name: str) -> bool:
        path = folder / name
        try:
            return path.resolve().is_relative_to(folder.resolve()) and path.is_file()
        except (OSError, ValueError, RuntimeError):  # an impossible name, or a link to itself
            return False

    return is_there


def _lacks_guardian(person: ListedPerson, today: date) -> bool:
    if person.birth_date is None or not person.purposes or not is_child(person.birth_date, today):
        return False
    return not person.guardian or person.basis is not Basis.GUARDIAN


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _columns(titles: Sequence[str]) -> dict[str, int]:
    at = {title.strip().lower(): number for number, title in enumerate(titles)}
    found = {name: at[title] for name, titles_of in COLUMNS.items() for title in titles_of if title in at}
    if "name" not in found:
        raise ConsentBadTable(column="name")
    return found


def _person(values: Mapping[str, str], line: int, is_there: IsThere | None) -> ListedPerson:
    """Raises ConsentBadRow."""

    def bad(column: str) -> ConsentBadRow:
        return ConsentBadRow(line=line, column=column)

    def day(column: str) -> date | None:
        try:
            return _date(values[column]) if values.get(column) else None
        except ValueError as error:
            raise bad(column) from error

    name = tidy(values["name"])
    if not name or len(name) > _MOST_NAME or not is_visible(name) or "\ufffd" in name:
        raise bad("name")
    guardian, document = (shown(values.get(column, "")) for column in ("guardian", "document"))
    for column, text, most in (("guardian", guardian, _MOST_NAME), ("document", document, _MOST_TEXT)):
        if len(text) > most:
            raise bad(column)
    said = list(_purposes(values.get("purposes", "")))
    if any(purpose is None for purpose, _ in said) or len({purpose for purpose, _ in said}) < len(said):
        raise bad("purposes")
    basis = _BASES.get(values["basis"].lower()) if values.get("basis") else Basis.GUARDIAN if guardian else Basis.OWN_CONSENT
    if basis is None:
        raise bad("basis")
    given_on, valid_until = day("given_on"), day("valid_until")
    if given_on and valid_until and valid_until < given_on:
        raise bad("valid_until")
    return ListedPerson(
        line,
        name,
        day("birth_date"),
        tuple(purpose for purpose, agreed in said if agreed and purpose),
        tuple(purpose for purpose, agreed in said if not agreed and purpose),
        basis,
        guardian,
        given_on,
        valid_until,
        document,
        tuple(_photos(values.get("photo", ""), is_there, bad("photo"))),
    )


def _date(text: str) -> date:
    """Read a date that begins with the year, also as Chinese spreadsheets write it: 2016/3/1. Raises ValueError."""
    found = _DAY.fullmatch(text)
    return date(*map(int, found.groups())) if found else date.fromisoformat(text)


def _purposes(text: str) -> Iterator[tuple[Purpose | None, bool]]:
    """Yield each purpose (None: an unknown word), and whether it was agreed to."""
    for mark in "，,;；、|":
        text = text.replace(mark, " ")
    for word in text.lower().split():
        agreed = not word.startswith(_REFUSED)
        yield _PURPOSES.get(word if agreed else word[1:]), agreed


def _photos(text: str, is_there: IsThere | None, bad: ConsentBadRow) -> Iterator[str]:
    """Yield the reference photos. Raises `bad` if one is missing, or lies elsewhere."""
    for name in filter(None, (each.strip() for each in text.split(";"))):
        if is_there is None:
            return
        if not is_there(name):
            raise bad
        yield name
