"""Paths as text: file systems allow names that no text can hold."""

import re
from contextlib import suppress
from pathlib import PurePath
from typing import Final

# How Python holds what is no text: bytes that are not UTF-8, and on Windows halves of characters.
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")


def printable(path: str) -> str:
    """Return a path for a person or JSON: what is no text becomes question marks."""
    return _NO_TEXT.sub("\ufffd", path)


def uri_of_odd(path: str) -> str | None:
    """Return the file:// address of a file whose path is no text; None for a path that can be read as it is."""
    if _NO_TEXT.search(path) is not None:
        with suppress(ValueError):  # no full path, or halves of characters
            return PurePath(path).as_uri()
    return None
