"""What an image is: content, known by its hash, found at one place or more."""

from dataclasses import dataclass
from typing import Final

# Endings of cameras' raw files.
_RAW_ENDINGS: Final = frozenset(
    {"dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "sr2", "srf", "raf", "orf", "rw2", "rwl", "pef", "srw", "3fr", "fff", "iiq", "erf"}
    | {"kdc", "dcr", "mos", "mrw", "x3f", "gpr"}
)
# Endings of the formats the engine decodes.
IMAGE_ENDINGS: Final = _RAW_ENDINGS | frozenset(
    {"jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "bmp", "dib", "tif", "tiff", "gif", "heic", "heif", "hif", "avif"}
)

SIDECAR_ENDING: Final = ".xmp"

# What can be written, by the ending of a name.
COPY_FORMATS: Final = (
    dict.fromkeys(("jpg", "jpeg", "jpe", "jfif", "mpo"), "jpeg")
    | dict.fromkeys(("png", "apng"), "png")
    | dict.fromkeys(("tif", "tiff"), "tiff")
    | dict.fromkeys(("bmp", "dib"), "bmp")
    | {"webp": "webp", "gif": "gif", "avif": "avif"}
)


def named_as(path: str, format: str) -> str:
    """A path with an ending for that format, its own if it is one."""
    stem, dot, ending = path.rpartition(".")
    if not dot or COPY_FORMATS.get(ending.lower()) == format:
        return path
    return f"{stem}.{'jpg' if format == 'jpeg' else format}"


def is_image(path: str) -> bool:
    """Whether a file's name ends like an image's."""
    _, dot, ending = path.rpartition(".")
    return bool(dot) and ending.lower() in IMAGE_ENDINGS


def is_sidecar(path: str) -> bool:
    """Whether a file's name ends like that of a sidecar: what programs keep beside a photo."""
    return path.lower().endswith(SIDECAR_ENDING)


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file as a source saw it: enough to tell whether it changed, without opening it."""

    path: str
    size: int  # bytes
    mtime_ns: int
    folder: str | None = None  # the watched folder it belongs to; None for a file that was scanned by hand


# In the place of a detector's name: the image is only read.
NO_FACES: Final = "none"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The models an analysis is made with: when one changes, the analysis is out of date and is made again."""

    detector: str  # for example "centerface-2", or NO_FACES
    embedder: str | None = None  # None while recognition is off

    @property
    def models(self) -> frozenset[str]:
        """The names of the models it takes."""
        return frozenset({self.detector, self.embedder or NO_FACES} - {NO_FACES})
