"""Counters since the program started: images, time per stage, errors by code."""

from collections import Counter, deque
from dataclasses import astuple, fields

from agent.domain.face import StageTimes

RECENT = 200  # images in the means
STAGES = tuple(field.name for field in fields(StageTimes))
# Upper bounds of the histogram, in seconds: a face takes milliseconds, decoding a panorama takes seconds.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counters:
    """Only numbers, with bounded memory."""

    def __init__(self) -> None:
        self.images = 0
        self.errors: Counter[str] = Counter()  # by code
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._recent: deque[StageTimes] = deque(maxlen=RECENT)
        self._buckets = {stage: [0] * (len(BOUNDS) + 1) for stage in STAGES}

    def analysed(self, ms: StageTimes) -> None:
        """Count an analysed image; `ms` are milliseconds."""
        self.images += 1
        self._recent.append(ms)
        for stage, took in zip(STAGES, astuple(ms), strict=True):
            seconds = took / 1000
            self.seconds[stage] += seconds
            self._buckets[stage][sum(seconds > bound for bound in BOUNDS)] += 1

    def failed(self, code: str) -> None:
        self.errors[code] += 1

    def means(self) -> StageTimes | None:
        """Return the mean milliseconds of the last images; None before the first."""
        if not self._recent:
            return None
        columns = zip(*map(astuple, self._recent), strict=True)
        return StageTimes(*(sum(column) / len(self._recent) for column in columns))

    def histogram(self, stage: str) -> list[tuple[str, float]]:
        """Return (upper bound in seconds, images up to it), in Prometheus' format."""
        total, found = 0, []
        for bound, count in zip([*map(str, BOUNDS), "+Inf"], self._buckets[stage], strict=True):
            total += count
            found.append((bound, float(total)))
        return found
