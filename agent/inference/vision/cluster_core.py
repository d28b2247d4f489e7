"""A growing cluster of faces: a core of similar faces, and guests that are only near it."""

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass
from typing import Optional, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

ALONE = -1


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


class Core:
    """Similar faces. A core may be a guest of a larger one; then it has no guests."""

    __slots__ = ("apart", "faces", "guests", "home", "label", "photos", "sum", "supporters")

    def __init__(self, face: int, vector: Floats, trusted: bool, apart: Apart, photo: int = -1) -> None:
        self.faces = [face]
        self.photos = [photo]  # of its faces; empty once it need not be separated again
        self.supporters = [face] if trusted else []
        self.sum = vector.copy() if trusted else np.zeros_like(vector)  # of its trusted faces
        self.apart = apart
        self.label = ALONE
        self.home: Core | None = None
        self.guests: list[Core] = []

    @property
    def shown(self) -> int:
        """Return the label of its faces."""
        return self.label if self.home is None else self.home.label

    def take(self, other: "Core") -> None:
        """Take over all faces of the other."""
        self.faces += other.faces
        self.photos += other.photos
        self.supporters += other.supporters
        self.sum += other.sum
        self.apart.take(other.apart)

    def hosts(self, apart: Apart, but: Optional["Core"] = None) -> bool:
        """Return whether no constraint keeps it and its guests, except one, apart from such a guest."""
        return self.apart.allows(apart) and all(guest is but or guest.apart.allows(apart) for guest in self.guests)

    def join(self, home: "Core") -> None:
        self.home = home
        home.guests.append(self)

    def leave(self) -> None:
        if self.home is not None:
            self.home.guests.remove(self)
            self.home = None
