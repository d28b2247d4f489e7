"""Named areas of a photo in other programs' format (Metadata Working Group regions), and their comparison with ours.

Areas are normalised to the image as stored, before its Exif orientation is applied, as in the guideline (MWG 2.0, 5.9), and in
digiKam, Lightroom, Immich and exiftool. `stored` and `upright` convert between the two.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from agent.domain.confusables import visible
from agent.domain.face import Box

MAX_XMP_BYTES: Final = 4 << 20  # of a sidecar or a packet: darktable's and Lightroom's longest histories are 2 or 3 MB
MAX_REGIONS: Final = 1_000  # a crowd; beyond that no one names faces by hand, and comparing all pairs would take long
FACE: Final = "Face"
SAME_FACE: Final = 0.5  # minimum intersection over union of two areas of one face
_TOLERANCE: Final = 0.02  # rounding tolerance for the aspect ratio of the same image
_LARGEST: Final = 10.0  # an area may extend beyond the edge, but not far


class Origin(StrEnum):
    """The source of regions."""

    LONG = "long"  # IMG.jpg.xmp
    SHORT = "short"  # IMG.xmp
    EMBEDDED = "embedded"


class RegionSchema(StrEnum):
    """The format of a region."""

    MWG = "mwg"
    MICROSOFT = "microsoft"
    ACDSEE = "acdsee"


@dataclass(frozen=True, slots=True)
class RegionArea:
    """A rectangle by its centre: x, y, width, height, as fractions of the stored image's width and height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def sound(self) -> bool:
        """Return whether the rectangle is in or near the image."""
        values = (self.x, self.y, self.w, self.h)
        return all(math.isfinite(value) and abs(value) <= _LARGEST for value in values) and self.w > 0 and self.h > 0

    @property
    def box(self) -> Box:
        return Box(self.x - self.w / 2, self.y - self.h / 2, self.w, self.h)


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The stored image's size when the regions were written."""

    w: float
    h: float
    unit: str = "pixel"


@dataclass(frozen=True, slots=True)
class FaceRegion:
    """A region as stored. Only entries that this program wrote have its two marks."""

    name: str  # empty if unnamed
    type: str  # "Face", "Pet", "Focus", "BarCode", or empty if missing
    area: RegionArea
    schema: RegionSchema = RegionSchema.MWG
    extras: tuple[tuple[str, str], ...] = ()  # other fields: "namespace name" and text
    added: bool = False  # this program created the whole region
    written: str | None = None  # the name that this program wrote here

    @property
    def is_face(self) -> bool:
        return self.type.casefold() in ("", "face") and self.area.sound

    @property
    def is_name_unmodified(self) -> bool:
        """Return whether the name is still ours; another program may have changed it since."""
        return self.written is not None and self.name == self.written


@dataclass(frozen=True, slots=True)
class Regions:
    """All regions of a photo from one source."""

    items: tuple[FaceRegion, ...] = ()
    applied_to: Dimensions | None = None

    def fit(self, width: float, height: float) -> bool:
        """Return whether they were made for an image with this aspect ratio (some writers swap the sides): not if it was cropped."""
        size = self.applied_to
        if size is None or not all(math.isfinite(side) and side > 0 for side in (size.w, size.h, width, height)):
            return True
        ratios = (size.w / size.h, size.h / size.w)
        return any(abs(ratio * height / width - 1) <= _TOLERANCE for ratio in ratios)


@dataclass(frozen=True, slots=True)
class Reading:
    """A photo's regions and their source. Those of `passed_over` exist too but are older, or hidden by a sidecar."""

    regions: Regions
    origin: Origin | None  # None: no source has regions
    passed_over: tuple[Origin, ...] = ()
    orientation: int = 1  # the photo's Exif orientation, for `upright`


@dataclass(frozen=True, slots=True)
class NamedBox:
    """One of our faces in pixels of the upright image; the name is empty while unknown."""

    name: str
    box: Box


@dataclass(frozen=True, slots=True)
class NamedArea:
    """The same face in the stored image."""

    name: str
    area: RegionArea


def area_of(box: Box, width: int, height: int, orientation: int) -> RegionArea:
    """Convert a box of the upright image, whose size in pixels is given, to an area of the stored one."""
    centre = RegionArea((box.x + box.w / 2) / width, (box.y + box.h / 2) / height, box.w / width, box.h / height)
    return stored(centre, orientation)


def upright(area: RegionArea, orientation: int) -> RegionArea:
    """Convert an area of the stored image to the upright one, by Exif's `orientation` (1 to 8)."""
    x, y = area.x, area.y
    turned = {2: (1 - x, y), 3: (1 - x, 1 - y), 4: (x, 1 - y), 5: (y, x), 6: (1 - y, x), 7: (1 - y, 1 - x), 8: (y, 1 - x)}
    x, y = turned.get(orientation, (x, y))
    return RegionArea(x, y, area.h, area.w) if 5 <= orientation <= 8 else RegionArea(x, y, area.w, area.h)


def stored(area: RegionArea, orientation: int) -> RegionArea:
    """Convert back."""
    return upright(area, {6: 8, 8: 6}.get(orientation, orientation))


def tidy(name: str) -> str:
    """Return a name for writing: composed characters, one space between words, nothing that XML forbids."""
    return " ".join("".join(letter for letter in unicodedata.normalize("NFC", visible(name)) if _in_xml(letter)).split())


def spelling(name: str) -> str:
    """Return a form that different spellings of the same name share."""
    return tidy(name).casefold()


def same_name(one: str, other: str) -> bool:
    return spelling(one) == spelling(other)


def _in_xml(letter: str) -> bool:
    code = ord(letter)
    return (code >= 0x20 and not 0xD800 <= code <= 0xDFFF and code not in (0xFFFE, 0xFFFF)) or letter in "\t\n\r"


# -- comparison -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Agreed:
    ours: NamedArea
    theirs: FaceRegion


@dataclass(frozen=True, slots=True)
class LocalOnly:
    """A name of ours; `theirs` is their unnamed region of that face, if any."""

    ours: NamedArea
    theirs: FaceRegion | None = None


@dataclass(frozen=True, slots=True)
class RemoteOnly:
    """A name of theirs; `ours` is our unnamed face there, if any."""

    theirs: FaceRegion
    ours: NamedArea | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """One face with two names."""

    ours: NamedArea
    theirs: FaceRegion


Comparison: TypeAlias = Agreed | LocalOnly | RemoteOnly | Conflict


def compare(ours: Sequence[NamedArea], theirs: Sequence[FaceRegion]) -> list[Comparison]:
    """Compare names; faces without a name are left out. Ours first, in their order."""
    pairs = match(ours, theirs)
    found: list[Comparison] = []
    for index, face in enumerate(ours):
        region = theirs[pairs[index]] if index in pairs else None
        if face.name and region and region.name:
            found.append(Agreed(face, region) if same_name(face.name, region.name) else Conflict(face, region))
        elif face.name:
            found.append(LocalOnly(face, region))
        elif region and region.name:
            found.append(RemoteOnly(region, face))
    matched = set(pairs.values())
    return found + [RemoteOnly(region) for at, region in enumerate(theirs) if at not in matched and region.is_face and region.name]


def match(ours: Sequence[NamedArea], theirs: Sequence[FaceRegion]) -> dict[int, int]:
    """Match their face regions to our faces (index to index): each once, the most similar first."""
    boxes = [(at, region.area.box) for at, region in enumerate(theirs) if region.is_face]
    alike = [(overlap, one, at) for one, face in enumerate(ours) for at, box in boxes if (overlap := face.area.box.iou(box)) >= SAME_FACE]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, one, at in sorted(alike, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if one not in pairs and at not in taken:
            pairs[one] = at
            taken.add(at)
    return pairs
