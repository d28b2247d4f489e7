"""The arithmetic of the group `availability`: which requests a fault cost, and how long it lasted for members."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    RIGHT = "right"
    NONE = "none"  # no connection, no answer in time, or a 5xx that says that there is none
    WRONG = "wrong"  # an answer, but not what is stored


@dataclass(frozen=True, slots=True)
class Answer:
    """One request; the times are seconds of one clock."""

    kind: str
    began: float
    ended: float
    outcome: Outcome
    repeated: bool = False
    """a request that reads got no answer and was asked once more"""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kill. `whole_at` is when what was killed ran again."""

    kind: str
    at: float
    whole_at: float


def share_right(answers: Sequence[Answer]) -> float:
    """Return the percentage of requests that were answered rightly; 100 of none."""
    return 100 * sum(each.outcome is Outcome.RIGHT for each in answers) / len(answers) if answers else 100.0


def share_at_once(answers: Sequence[Answer]) -> float:
    """Return the percentage of requests that were answered rightly at the first try; 100 of none."""
    return share_right([replace(each, outcome=Outcome.NONE) if each.repeated else each for each in answers])


def share_slow(answers: Sequence[Answer], limit_s: float) -> float:
    """Return the percentage of requests that took longer than a limit; 0 of none."""
    return 100 * sum(each.ended - each.began > limit_s for each in answers) / len(answers) if answers else 0.0


def of_fault(answers: Iterable[Answer], faults: Sequence[Fault], number: int) -> list[Answer]:
    """Return the requests that ended after a fault and before the next one."""
    until = faults[number + 1].at if number + 1 < len(faults) else float("inf")
    return [each for each in answers if faults[number].at <= each.ended < until]


def outage_s(answers: Sequence[Answer], at: float) -> float:
    """Return how long a fault lasted for members, 0 if every request was answered rightly.

    It ends with the first right answer to a request that began after the last failed one; without such an answer it lasts until the
    last request ended.
    """
    failed = [each.began for each in answers if each.outcome is not Outcome.RIGHT]
    if not failed:
        return 0.0
    right = [each.ended for each in answers if each.outcome is Outcome.RIGHT and each.began > max(failed)]
    return max(0.0, (min(right) if right else max(each.ended for each in answers)) - at)


def down_share(faults: Sequence[float], each_s: float, began: float, ended: float) -> float:
    """Return the percentage of a time in which a single process is down, if each fault ends it for that long.

    A process that is down can't be killed again: a fault within the time of another one adds nothing.
    """
    down, up_at = 0.0, began
    for at in sorted(faults):
        if at >= up_at:
            up_at = at + each_s
            down += min(up_at, ended) - at
    return 100 * down / (ended - began)
