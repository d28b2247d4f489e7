"""A growing cluster of faces: a core of similar faces, and guests that are only near it."""

from typing import Optional, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.vision.apart import Apart

Floats: TypeAlias = NDArray[np.float32]

ALONE = -1


class Core:
    """Similar faces. A core may be a guest of a larger one; then it has no guests."""

    __slots__ = ("apart", "faces", "guests", "home", "label", "sum", "supporters")

    def __init__(self, face: int, vector: Floats, trusted: bool, apart: Apart) -> None:
        self.faces = [face]
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

    def alike(self, other: "Core") -> float:
        """Return the mean cosine between the trusted faces of the two; both must have some."""
        return float(self.sum @ other.sum) / (len(self.supporters) * len(other.supporters))

    def take(self, other: "Core") -> None:
        """Take over all faces of the other."""
        self.faces += other.faces
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
