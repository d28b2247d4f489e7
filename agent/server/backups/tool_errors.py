"""What pgBackRest and restic mean by what they print."""

from typing import Final

# By the file system, by SSH, and by S3. Nothing else is read from their messages, which may change with a version.
_REFUSED: Final = (
    "permission denied",
    "operation not permitted",
    "read-only file system",
    "access denied",
    "accessdenied",
    "403 (forbidden)",
    "request signature we calculated",
    "access key id you provided",
    "public key authentication failed",
)


def is_refused(said: str) -> bool:
    """Whether the repository is there, and lets this program not in or nothing be written."""
    lower = said.lower()
    return any(words in lower for words in _REFUSED)
