"""Plans changes to shared regions: only our own entries and empty names change."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from agent.domain.regions import FaceRegion, NamedArea, RegionArea, RegionSchema, match, same_name, tidy


@dataclass(frozen=True, slots=True)
class AddRegion:
    name: str
    area: RegionArea


@dataclass(frozen=True, slots=True)
class SetName:
    """`index` is the region's index among those read. An empty name leaves the region without one."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class RemoveRegion:
    index: int


@dataclass(frozen=True, slots=True)
class ReleaseOwnership:
    """Remove our marks from a region that another program has taken over: they contain the name we wrote."""

    index: int


RegionChange: TypeAlias = AddRegion | SetName | RemoveRegion | ReleaseOwnership


def changes_to_write(ours: Sequence[NamedArea], theirs: Sequence[FaceRegion]) -> list[RegionChange]:
    """Return the changes that make `theirs` match our names. Names by others stay, even if ours differ: a conflict to show.

    Names that we wrote and no longer have are removed. Only MWG's regions are written; names in other formats count all the same.
    """
    named = [NamedArea(tidy(face.name), face.area) for face in ours]
    pairs = match(named, theirs)
    changes: list[RegionChange] = []
    for one, face in enumerate(named):
        region = theirs[pairs[one]] if one in pairs else None
        if region is None or (region.schema is not RegionSchema.MWG and not region.name):
            if face.name and face.area.sound:
                changes.append(AddRegion(face.name, face.area))
        elif region.schema is RegionSchema.MWG and (region.is_name_unmodified or not region.name):
            if face.name and face.name != region.name:
                changes.append(SetName(pairs[one], face.name))
            elif not face.name and region.name:
                changes.append(_withdraw(pairs[one], region))
    kept = set(pairs.values())
    return changes + [_withdraw(at, region) for at, region in enumerate(theirs) if at not in kept and region.is_name_unmodified]


def changes_to_forget(names: Collection[str], theirs: Sequence[FaceRegion], *, by_others: bool = False) -> list[RegionChange]:
    """Return the changes that remove the names we wrote; with `by_others` also the same names written by other programs."""
    changes: list[RegionChange] = []
    for at, region in enumerate(theirs):
        called = any(same_name(name, region.name) for name in names)
        wrote = region.written is not None and any(same_name(name, region.written) for name in names)
        if region.is_name_unmodified and called:
            changes.append(_withdraw(at, region))
        elif called and by_others and region.schema is RegionSchema.MWG:
            changes.append(SetName(at, ""))
        elif wrote:
            changes.append(ReleaseOwnership(at))
    return changes


def _withdraw(at: int, region: FaceRegion) -> RegionChange:
    return RemoveRegion(at) if region.added else SetName(at, "")
