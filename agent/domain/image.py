"""What an image is: content, known by its hash, found at one place or more."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file as a source saw it: enough to tell whether it changed, without opening it."""

    path: str
    size: int  # bytes
    mtime_ns: int
    folder: str | None = None  # the watched folder it belongs to; None for a file that was scanned by hand


@dataclass(frozen=True, slots=True)
class Recipe:
    """The models an analysis is made with: when one changes, the analysis is out of date and is made again."""

    detector: str  # for example "centerface-1"
    embedder: str | None = None  # None while recognition is off
