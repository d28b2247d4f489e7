"""The thresholds by which unnamed faces count as one person's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroupBounds:
    """Euclidean distances between L2-normalised embeddings (0 to 2), measured for MobileFaceNet: docs/decisions/0012."""

    alike: float = 1.08  # two clusters are one person's if the mean cosine between their faces corresponds to this distance or less
    early: float = 1.0  # the same while faces are added one by one, for two clusters of fewer than `settled` faces
    settled: int = 6
    near: float = 1.12  # a face is near a cluster of `large` or more if `agree` of its trusted faces are within this distance
    surely_near: float = 1.06  # the same for a smaller cluster, and for a splinter that is a cluster itself: `agree` similar faces or more
    large: int = 20
    ahead: float = 0.05  # nearer to its cluster than to any other by this much, as cosine
    agree: int = 3
    share: int = 3  # a splinter joins by nearness only a cluster at least this many times as large
    halves: float = 1.0  # a cluster whose two halves are farther apart may be two people's
    trusted: float = 0.5  # a face trusted less (agent.domain.people.trust) joins, but never founds, bridges or supports a cluster

    @property
    def within(self) -> float:
        """Return the distance beyond which faces don't affect each other."""
        return max(self.alike, self.near)


def cosine(distance: float) -> float:
    """Return the cosine of two vectors of length 1 at that distance."""
    return 1 - distance * distance / 2
