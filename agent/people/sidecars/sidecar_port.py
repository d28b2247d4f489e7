"""Names of faces beside photos, as the use cases see them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from agent.people.sidecars.regions import Comparison, NamedBox, Regions


class Origin(StrEnum):
    """The source of regions."""

    LONG = "long"  # IMG.jpg.xmp
    SHORT = "short"  # IMG.xmp
    EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Reading:
    """A photo's regions and their source. Those of `passed_over` exist too but are older, or hidden by a sidecar."""

    regions: Regions
    origin: Origin | None  # None: no source has regions
    passed_over: tuple[Origin, ...] = ()
    orientation: int = 1  # the photo's Exif orientation, for `agent.people.sidecars.regions.upright`


@dataclass(frozen=True, slots=True)
class Written:
    """The number of changed regions, and the comparison afterwards: conflicts are shown."""

    changes: int
    comparison: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class NamesRemoved:
    """The number of removed names of ours, and of regions by other programs that still have such a name."""

    changes: int
    left: int


class SidecarStore(Protocol):
    """Every call is about one photo, blocks, and raises XmpError.

    Implementation: `agent.people.sidecars.sidecar_store.Sidecars`.
    """

    def read(self, photo: Path) -> Reading:
        """Return the regions of the newest sidecar that has any, otherwise of the photo itself."""
        ...

    def write(
        self, photo: Path, size: tuple[int, int], orientation: int, faces: Sequence[NamedBox], *, root: Path | None = None
    ) -> Written:
        """Make the sidecar contain exactly our known names. `size`: of the upright image, as for the boxes.

        Names by other programs stay.

        Links are followed to existing sidecars below `root` only, by default the photo's own folder.
        """
        ...

    def forget(self, photo: Path, names: Collection[str]) -> NamesRemoved:
        """Remove the names that we wrote from every sidecar of the photo."""
        ...
