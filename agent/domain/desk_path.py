"""Photos that stay on a desktop which joined a team: the server keeps what was found in them, without a file."""

from typing import Final

SOURCE: Final = "desk"
"""the source of their places; the place's host is the desk"""
_PREFIX: Final = "desk:"


def desk_path(desk: str, computer: str, sha256: str) -> str:
    """Return the path of such a place."""
    return f"{_PREFIX}{desk}/{computer.replace('/', ' ')}/{sha256}"


def computer_of(path: str) -> str | None:
    """Return the computer that holds the photo; None for files of the server's own."""
    parts = path.split("/")
    return parts[1] if path.startswith(_PREFIX) and len(parts) == 3 else None
