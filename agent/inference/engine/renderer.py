"""Creates copies of pictures with covered areas."""

from dataclasses import dataclass
from typing import Protocol

from agent.domain.redaction import Cover


@dataclass(frozen=True, slots=True)
class Render:
    """One copy to make."""

    path: str
    output: str  # a new file, beside the copy's target: the caller moves it into place
    covers: tuple[Cover, ...]
    format: str | None = None  # "jpeg", "png", "webp", ...; None keeps the file's own if it can be written
    strip: bool = False  # remove all metadata; what can show an uncovered face or is wrong is always removed
    keep_regions: bool = False  # return the covered regions, so that they can be restored


@dataclass(frozen=True, slots=True)
class KeptRegion:
    """A covered rectangle of decoded pixels."""

    x: int  # left, in pixels of the upright image
    y: int
    png: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """The result."""

    sha256: str  # of the source file, hexadecimal
    width: int  # pixels of the upright image
    height: int
    format: str  # of the copy
    copy_sha256: str
    copy_size: int  # bytes
    removed: tuple[str, ...] = ()  # removed kinds: "exif", "gps", "xmp", "iptc", "comment", "thumbnail", "preview", ...
    regions: tuple[KeptRegion, ...] = ()


class Renderer(Protocol):
    """Implementations: the pool of engine processes, and the same code in this process (tests, tools)."""

    async def render(self, task: Render) -> Rendered:
        """Create the copy. On any error there is no output.

        Raises ImageError, EngineError, RedactionError.
        """
        ...

    async def restore(self, path: str, regions: tuple[KeptRegion, ...], output: str) -> None:
        """Write the picture at `path` as PNG with the original regions. Raises as above."""
        ...
