"""New contents of a photo's sidecars."""

from dataclasses import dataclass

from agent.domain.regions import Origin, Regions


@dataclass(frozen=True, slots=True)
class SidecarEdit:
    """The whole new content of one sidecar."""

    origin: Origin  # which sidecar: LONG or SHORT
    old: str | None  # hexadecimal SHA-256 of the edited content; None: the sidecar does not exist yet
    packet: bytes
    changes: int  # number of changed regions


@dataclass(frozen=True, slots=True)
class NamesWritten:
    """The photo's regions after the edit; without one, its sidecar already has our names."""

    regions: Regions
    orientation: int  # that the boxes were converted with
    edit: SidecarEdit | None = None


@dataclass(frozen=True, slots=True)
class NamesRemoved:
    """The edits that remove our names, and the number of regions by other programs that still have such a name."""

    edits: tuple[SidecarEdit, ...]
    left: int
