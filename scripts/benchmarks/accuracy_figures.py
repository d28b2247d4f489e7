"""Standard figures: the true match rate at a given false match rate, and the upper bound for the rate of rare events."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def distances(ones: Floats, others: Floats) -> Floats:
    """Return the Euclidean distances, [n, m], between rows of length 1."""
    return np.asarray(np.sqrt(np.clip(2 - 2 * ones @ others.T, 0, 4)), np.float32)


def true_accepts(same: Floats, different: Floats, false_accepts: float) -> tuple[float, float]:
    """Return the share of `same` within the widest bound that admits at most that share of `different`; and the bound."""
    bound = float(np.sort(different)[int(false_accepts * len(different))])
    return float(np.mean(same < bound)), bound


def upper_bound(events: int, trials: int, confidence: float = 0.95) -> float:
    """Return Clopper and Pearson's one-sided bound: with a larger share, so few events have a probability below 1 - `confidence`."""
    if events >= trials:
        return 1.0
    low, high = events / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(events, trials, middle) > 1 - confidence else (low, middle)
    return high


def _at_most(events: int, trials: int, share: float) -> float:
    """Return the binomial probability of `events` or fewer."""
    if share >= 1:
        return 0.0
    log_share, log_rest = math.log(share) if share > 0 else -math.inf, math.log1p(-share)
    whole = math.lgamma(trials + 1)
    return sum(
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + (k * log_share if k else 0.0) + (trials - k) * log_rest)
        for k in range(events + 1)
    )
