"""Paths as text: file systems allow names that are not valid text, and objects in buckets have addresses such as `s3://source/2024/a.jpg`."""

import re
from contextlib import suppress
from pathlib import PurePath
from typing import Final

# Python's representation of invalid text: bytes that are not UTF-8, and lone surrogates on Windows.
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")
BUCKET: Final = "s3"
BUCKET_START: Final = f"{BUCKET}://"


def printable(path: str) -> str:
    """Return a path for display or JSON: invalid text becomes question marks."""
    return _NO_TEXT.sub("\ufffd", path)


def uri_of_odd(path: str) -> str | None:
    """Return the file:// address of a file whose path is invalid text; None for a valid path."""
    if _NO_TEXT.search(path) is not None:
        with suppress(ValueError):  # no full path, or lone surrogates
            return PurePath(path).as_uri()
    return None


def is_remote(path: str) -> bool:
    """Return whether a path is an object in a bucket."""
    return path.startswith(BUCKET_START)
