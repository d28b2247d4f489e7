"""Photos that stay on a desktop which joined a team: the server keeps what was found in them, without a file."""

from typing import Final

SOURCE: Final = "desk"
"""the source of their places; the place's host is the desk"""
_PREFIX: Final = "desk:"
_DIGITS = 12  # of the digest, which stands for a name that the desk keeps to itself


def desk_path(desk: str, computer: str, sha256: str) -> str:
    """Return the path of such a place."""
    return f"{_PREFIX}{desk}/{computer.replace('/', ' ')}/{sha256}"


def shown(path: str) -> str | None:
    """Return the path of such a place as people see it, `computer/digest`; None for files of the server's own."""
    parts = path.split("/")
    return f"{parts[1]}/{parts[2][:_DIGITS]}" if path.startswith(_PREFIX) and len(parts) == 3 else None


def computer(path: str) -> str:
    """Return the name of the computer in such a path; empty for other paths."""
    parts = path.split("/")
    return parts[1] if path.startswith(_PREFIX) and len(parts) == 3 else ""
