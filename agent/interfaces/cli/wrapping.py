"""Wraps text by terminal cells: a Chinese character takes two, and a line may break after almost every one."""

import unicodedata
from collections.abc import Iterator

# Characters that must not start a line, and characters that must not end one.
_CLOSING = "，。、；：？！）」』】》”’…%"
_OPENING = "（「『【《“‘"


def cells(text: str) -> int:
    """The number of columns that the text takes."""
    return sum(map(_cells_of, text))


def padded(text: str, width: int) -> str:
    """The text padded with spaces to `width` columns."""
    return text + " " * (width - cells(text))


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns. White space collapses to one space; empty lines, which separate paragraphs, stay."""
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        if lines:
            lines.append("")
        lines += _lines(" ".join(paragraph.split()), width)
    return lines


def _lines(text: str, width: int) -> Iterator[str]:
    line = ""
    for unit in _units(text):
        if line and cells(line) + cells(unit.rstrip()) > width:
            yield line.rstrip()
            line = unit.lstrip()
        else:
            line += unit
        while cells(line.rstrip()) > width:  # a word longer than a line
            at = _fitting(line, width)
            yield line[:at]
            line = line[at:]
    if line:
        yield line.rstrip()


def _units(text: str) -> Iterator[str]:
    """Unbreakable parts, each with the space after it."""
    unit = ""
    for letter in text:
        if unit and _may_part(unit[-1], letter):
            yield unit
            unit = ""
        unit += letter
    if unit:
        yield unit


def _may_part(before: str, after: str) -> bool:
    if after in _CLOSING or before in _OPENING or after == " ":
        return False
    return before == " " or _cells_of(before) == 2 or _cells_of(after) == 2


def _fitting(text: str, width: int) -> int:
    """The number of characters that fit; at least one."""
    taken = 0
    for at, letter in enumerate(text):
        taken += _cells_of(letter)
        if taken > width:
            return max(at, 1)
    return len(text)


def _cells_of(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
