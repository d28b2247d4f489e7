"""What makes a copy of a picture on which something is covered."""

from dataclasses import dataclass
from typing import Protocol

from agent.domain.redaction import Cover


@dataclass(frozen=True, slots=True)
class Render:
    """One copy to make."""

    path: str
    output: str  # a file that is not there yet, beside where the copy will be: whoever asks moves it into place
    covers: tuple[Cover, ...]
    format: str | None = None  # "jpeg", "png", "webp", ...; None keeps the file's own where it can be written
    strip: bool = False  # leave out all that is not the picture; else what can show an uncovered face or lies about it goes all the same
    keep_regions: bool = False  # give back what is below the covers, so that it can be restored


@dataclass(frozen=True, slots=True)
class Region:
    """What a cover hides: a rectangle of pixels as they were decoded."""

    x: int  # left, in pixels of the upright image
    y: int
    png: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was made."""

    sha256: str  # of the bytes that were read, hexadecimal
    width: int  # pixels of the upright image
    height: int
    format: str  # of the copy
    copy_sha256: str
    copy_size: int  # bytes
    removed: tuple[str, ...] = ()  # kinds of what was left out: "exif", "gps", "xmp", "iptc", "comment", "thumbnail", "preview", ...
    regions: tuple[Region, ...] = ()


class Renderer(Protocol):
    """Implementations: the pool of engine processes, and the same code in this process (tests, tools)."""

    async def render(self, task: Render) -> Rendered:
        """Make the copy. On any error the output is not there.

        Raises ImageError, EngineError, RedactionError.
        """
        ...

    async def restore(self, path: str, regions: tuple[Region, ...], output: str) -> None:
        """Write the picture at `path` as PNG with the regions as they were. Raises as above."""
        ...
