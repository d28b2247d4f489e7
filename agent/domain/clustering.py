"""The thresholds by which unnamed faces count as one person's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClusterThresholds:
    """Euclidean distances between L2-normalised embeddings (0 to 2), and differences of cosines; measured for MobileFaceNet.

    Reasons: docs/decisions/0033. `scripts/benchmarks/cluster_bounds.py` chooses them again for other embeddings.
    """

    alike: float = 1.08  # two clusters are one person's if the mean cosine between their faces corresponds to this distance or less
    early: float = 1.02  # the same for two clusters of fewer than `settled` faces: nearly all clusters with two people begin with a few
    growing: float = 1.04  # `alike` while faces are added one by one, because clusters stay together then
    settled: int = 6
    near: float = 1.16  # a face is near a cluster if `agree` of its trusted faces are within this distance
    # A face joins the cluster to which it is nearest if this sum is large enough: how much nearer that is than any other, and how similar
    # it is to the cluster's faces, compared with these among each other (usually negative).
    joins: float = -0.18
    surely_joins: float = -0.15  # the same for a face that isn't trusted, and for a splinter of `agree` faces or more
    agree: int = 3
    share: int = 3  # a splinter joins only a cluster at least this many times as large
    halves: float = 1.0  # a cluster whose two halves are farther apart may be two people's
    trusted: float = (
        0.5  # a face trusted less (agent.domain.identity_matching.trust) joins, but never founds, bridges or supports a cluster
    )

    @property
    def within(self) -> float:
        """Return the distance beyond which faces don't affect each other."""
        return max(self.alike, self.near)


def cosine(distance: float) -> float:
    """Return the cosine of two vectors of length 1 at that distance."""
    return 1 - distance * distance / 2
