"""When unnamed faces count as one person's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroupBounds:
    """Euclidean distances between L2-normalised embeddings (0 to 2), measured for MobileFaceNet: docs/decisions/0012."""

    alike: float = 1.08  # two groups are one person's if the mean cosine between their faces is that of this distance or more
    early: float = 1.0  # the same while faces come one by one, for two groups of fewer than `settled` faces
    settled: int = 6
    near: float = 1.12  # a face is near a group of `large` or more if `agree` trusted faces of it lie within this
    surely_near: float = 1.06  # the same for a smaller group, and for what is a group by itself: `agree` faces or more that are alike
    large: int = 20
    ahead: float = 0.05  # nearer to its group than to any other by so much, as cosine
    agree: int = 3
    share: int = 3  # what joins by nearness joins a group at least so many times as large
    halves: float = 1.0  # a group whose two halves are farther apart may be two people's
    trusted: float = 0.5  # a face trusted less (agent.domain.people.trust) joins, but never founds, bridges or supports a group

    @property
    def within(self) -> float:
        """Faces farther apart have nothing to say about each other."""
        return max(self.alike, self.near)


def cosine(distance: float) -> float:
    """Of two vectors of length 1 that lie so far apart."""
    return 1 - distance * distance / 2
