"""People and their confirmed faces as JSON lines or CSV, row by row: for other programs, and for other libraries."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import TextIO

from agent.domain.errors import ImportBadRow


@dataclass(frozen=True, slots=True)
class FaceRow:
    """One confirmed face: its person, its photo (by content), and its position (pixels of the upright image)."""

    person: str
    sha256: str
    x: float
    y: float
    w: float
    h: float
    path: str = ""
    birth_date: str = ""
    notes: str = ""


NUMBERS = ("x", "y", "w", "h")
COLUMNS = tuple(field.name for field in fields(FaceRow))
_UNREADABLE = "\ufffd"  # stands for what could not be decoded
# How formulas begin; spreadsheets of Chinese and Japanese systems take full-width signs, too.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_MOST_NAME = 200
_MOST_ROW = 1 << 17  # characters: notes, and a path


def write_json(rows: Iterable[FaceRow], file: TextIO) -> int:
    count = 0
    for row in rows:
        file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
        count += 1
    return count


def write_csv(rows: Iterable[FaceRow], file: TextIO) -> int:
    writer, count = csv.writer(file), 0
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_harmless(str(value)) for value in asdict(row).values()])
        count += 1
    return count


def read(file: TextIO) -> Iterator[FaceRow]:
    """Read either format, detected by its first character. Raises ImportBadRow."""
    lines = _bounded(file)
    first = next(lines, "")
    if first.lstrip("\ufeff").startswith("{"):
        yield _row(json_line(first, 1), 1)
        for number, line in enumerate(lines, 2):
            if line.strip():
                yield _row(json_line(line, number), number)
        return
    columns = [name.strip() for name in next(csv.reader([first.lstrip("\ufeff")]), [])]
    rows = csv.reader(lines)
    try:
        for values in rows:
            if values:
                yield _row(dict(zip(columns, map(_plain, values), strict=False)), rows.line_num + 1)
    except csv.Error as error:  # usually an unterminated field
        raise ImportBadRow(line=rows.line_num + 1) from error


def _bounded(file: TextIO) -> Iterator[str]:
    """Yield its lines, limited to the maximum row length. Raises ImportBadRow."""
    number = 0
    while line := file.readline(_MOST_ROW + 1):
        number += 1
        if len(line) > _MOST_ROW:
            raise ImportBadRow(line=number)
        yield line


def json_line(line: str, number: int) -> object:
    try:
        return json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise ImportBadRow(line=number) from error


def _row(found: object, number: int) -> FaceRow:
    try:
        if not isinstance(found, dict):
            raise TypeError
        known = {name: float(found[name]) if name in NUMBERS else str(found.get(name) or "") for name in COLUMNS}
        row = FaceRow(**known)  # type: ignore[arg-type]  # by their names
    except (KeyError, TypeError, ValueError) as error:
        raise ImportBadRow(line=number) from error
    if not row.person.strip() or _UNREADABLE in row.person or len(row.person) > _MOST_NAME or len(row.sha256) != 64:
        raise ImportBadRow(line=number)
    return row


def _harmless(value: str) -> str:
    """Escape a text that a spreadsheet would run as a formula."""
    return f"'{value}" if value.lstrip("'").startswith(_FORMULA) and not _is_number(value) else value


def _plain(value: str) -> str:
    return value[1:] if value[:1] == "'" and value.lstrip("'").startswith(_FORMULA) else value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
