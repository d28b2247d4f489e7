"""Finds the line of a settings file that an error is about."""

import re
import tomllib
from collections.abc import Mapping

# Each line requires parsing everything above it: beyond this it takes too long.
_MOST_LINES = 1_000


def line_of(text: str, key: str) -> int | None:
    """Return the line where `key` (`popup.seconds`, `folders[1].path`) begins, counted from 1.

    A missing key is looked up one level higher: it is missing from its table. None if that is missing too,
    if the text is not TOML, or if it is longer than any settings file.
    """
    lines = text.splitlines(keepends=True)
    steps = [int(index) if index else name for index, name in re.findall(r"\[(\d+)\]|([^.\[\]]+)", key)]
    if not steps or len(lines) > _MOST_LINES:
        return None
    begins: dict[int, int] = {}  # number of levels found -> the line
    whole = 0  # lines that parse on their own
    for count in range(1, len(lines) + 1):
        try:
            above = tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # inside a value of several lines
        for depth in (len(steps), len(steps) - 1):
            if depth > 0 and depth not in begins and _has(above, steps[:depth]):
                begins[depth] = whole + 1
        if len(steps) in begins:
            break
        whole = count
    return begins.get(len(steps), begins.get(len(steps) - 1))


def _has(table: object, steps: list[int | str]) -> bool:
    for step in steps:
        if isinstance(step, int):
            if not isinstance(table, list) or step >= len(table):
                return False
            table = table[step]
        elif isinstance(table, Mapping) and step in table:
            table = table[step]
        else:
            return False
    return True
