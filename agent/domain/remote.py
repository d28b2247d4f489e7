"""Photos that are no files: their paths begin with a scheme, such as `s3://source/2024/a.jpg`."""

from typing import Final

BUCKET: Final = "s3"
BUCKET_START: Final = f"{BUCKET}://"


def is_remote(path: str) -> bool:
    """Return whether a path is an object in a bucket."""
    return path.startswith(BUCKET_START)
