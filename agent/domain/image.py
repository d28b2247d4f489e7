"""An image: content, identified by its hash, found at one or more locations."""

from dataclasses import dataclass
from typing import Final

# Extensions of camera raw files.
_RAW_ENDINGS: Final = frozenset(
    {"dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "sr2", "srf", "raf", "orf", "rw2", "rwl", "pef", "srw", "3fr", "fff", "iiq", "erf"}
    | {"kdc", "dcr", "mos", "mrw", "x3f", "gpr"}
)
# Extensions of the formats the engine decodes.
IMAGE_ENDINGS: Final = _RAW_ENDINGS | frozenset(
    {"jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "bmp", "dib", "tif", "tiff", "gif", "heic", "heif", "hif", "avif"}
)

SIDECAR_ENDING: Final = ".xmp"

# The writable formats, by extension.
COPY_FORMATS: Final = (
    dict.fromkeys(("jpg", "jpeg", "jpe", "jfif", "mpo"), "jpeg")
    | dict.fromkeys(("png", "apng"), "png")
    | dict.fromkeys(("tif", "tiff"), "tiff")
    | dict.fromkeys(("bmp", "dib"), "bmp")
    | {"webp": "webp", "gif": "gif", "avif": "avif"}
)


def with_extension(path: str, format: str) -> str:
    """Return the path with an extension for that format, its own if it fits."""
    stem, dot, ending = path.rpartition(".")
    if not dot or COPY_FORMATS.get(ending.lower()) == format:
        return path
    return f"{stem}.{'jpg' if format == 'jpeg' else format}"


def is_image(path: str) -> bool:
    """Return whether a file name has an image's extension."""
    _, dot, ending = path.rpartition(".")
    return bool(dot) and ending.lower() in IMAGE_ENDINGS


def is_sidecar(path: str) -> bool:
    """Return whether a file name has a sidecar's extension."""
    return path.lower().endswith(SIDECAR_ENDING)


def storable(number: int) -> int:
    """Return a size or a time (ns) as the library holds it: file systems and buckets tell times beyond the years 1677 to 2262."""
    return max(-(2**63), min(number, 2**63 - 1))


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file as a source saw it: enough to detect changes without opening it."""

    path: str
    size: int  # bytes
    mtime_ns: int
    folder: str | None = None  # the watched folder it belongs to; None for a file scanned by hand


# In place of a detector's name: the image is only read.
NO_FACES: Final = "none"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The models of an analysis: when one changes, the analysis is outdated and is made again."""

    detector: str  # its recipe name in the manifest, or NO_FACES
    embedder: str | None = None  # None while recognition is off
    others: tuple[tuple[str, str], ...] = ()  # (stage, model) of what else is read in an image

    @property
    def models(self) -> frozenset[str]:
        """Return the names of the models it uses."""
        return frozenset({self.detector, self.embedder or NO_FACES, *(model for _, model in self.others)} - {NO_FACES})
