"""Constraints that keep two clusters apart: a photo that shows both, two names, and the user's decisions."""

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass

_NONE: frozenset[int] = frozenset()


@dataclass(slots=True)
class Apart:
    """The constraints of one cluster."""

    photos: Set[int]
    person: int = -1  # -1: unnamed
    marked: Set[int] = _NONE  # its faces that must not share a cluster with some others
    strangers: Set[int] = _NONE  # those others

    @classmethod
    def of(cls, face: int, photo: int = -1, person: int = -1, strangers: Collection[int] = ()) -> "Apart":
        """Return the constraints of a single face. An unknown photo, -1, constrains nothing."""
        return cls(frozenset((photo,)) if photo >= 0 else _NONE, person, frozenset((face,)) if strangers else _NONE, frozenset(strangers))

    def allows(self, other: "Apart") -> bool:
        """Return whether the two clusters may be one person's."""
        return (
            (self.person < 0 or other.person < 0 or self.person == other.person)
            and self.photos.isdisjoint(other.photos)
            and self.strangers.isdisjoint(other.marked)
        )

    def take(self, other: "Apart") -> None:
        """Merge the other's constraints: those of either apply to both."""
        self.person = max(self.person, other.person)
        self.photos |= other.photos
        self.marked |= other.marked
        self.strangers |= other.strangers


def strangers_of(cannot: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Return for each face the faces it must not share a cluster with."""
    found: dict[int, set[int]] = {}
    for one, other in cannot:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found
