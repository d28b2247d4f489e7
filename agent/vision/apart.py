"""What keeps two groups of faces apart: a photo that shows both, two names, and what the user said."""

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass

_NONE: frozenset[int] = frozenset()


@dataclass(slots=True)
class Apart:
    """Of one group."""

    photos: Set[int]
    person: int = -1  # -1: no name
    marked: Set[int] = _NONE  # its faces that must not meet some others
    strangers: Set[int] = _NONE  # those others

    @classmethod
    def of(cls, face: int, photo: int = -1, person: int = -1, strangers: Collection[int] = ()) -> "Apart":
        """Of a single face. A photo that is not known, -1, keeps nobody apart."""
        return cls(frozenset((photo,)) if photo >= 0 else _NONE, person, frozenset((face,)) if strangers else _NONE, frozenset(strangers))

    def allows(self, other: "Apart") -> bool:
        """Whether the two groups may be one person's."""
        return (
            (self.person < 0 or other.person < 0 or self.person == other.person)
            and self.photos.isdisjoint(other.photos)
            and self.strangers.isdisjoint(other.marked)
        )

    def take(self, other: "Apart") -> None:
        """The two groups are one now: what kept either apart from others keeps both."""
        self.person = max(self.person, other.person)
        self.photos |= other.photos
        self.marked |= other.marked
        self.strangers |= other.strangers


def strangers_of(cannot: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Face -> the faces it must not meet."""
    found: dict[int, set[int]] = {}
    for one, other in cannot:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found
