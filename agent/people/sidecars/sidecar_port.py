"""Names of faces beside photos, as the use cases see them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from agent.people.sidecars.regions import Comparison, NamedBox, Regions


class Origin(StrEnum):
    """Where regions were read."""

    LONG = "long"  # IMG.jpg.xmp
    SHORT = "short"  # IMG.xmp
    EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Reading:
    """A photo's regions and where they come from. Those of `passed_over` exist too and are older, or hidden by a sidecar."""

    regions: Regions
    origin: Origin | None  # None: nobody says anything of regions
    passed_over: tuple[Origin, ...] = ()
    orientation: int = 1  # the photo's, by its Exif: what goes with `agent.people.sidecars.regions.upright`


@dataclass(frozen=True, slots=True)
class Written:
    """How many regions changed, and what both say now: conflicts are to be shown."""

    changes: int
    comparison: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many names of ours went, and how many regions of other programs still carry such a name."""

    changes: int
    left: int


class SidecarStore(Protocol):
    """Every call is about one photo. It blocks, and raises XmpError.

    Implementation: `agent.people.sidecars.sidecar_store.Sidecars`.
    """

    def read(self, photo: Path) -> Reading:
        """The newest sidecar that speaks of regions, else the photo itself."""
        ...

    def write(
        self, photo: Path, size: tuple[int, int], orientation: int, faces: Sequence[NamedBox], *, root: Path | None = None
    ) -> Written:
        """Make the sidecar name the people we know, and no others. `size`: of the upright image, as the boxes are.

        Names from other programs stay.

        Links are followed to existing sidecars below `root` only, by default the photo's own folder.
        """
        ...

    def forget(self, photo: Path, names: Collection[str]) -> Forgotten:
        """Take what we wrote under these names out of every sidecar of the photo."""
        ...
