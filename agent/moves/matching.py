"""Which face of a photo in one library is which in another: the same detector finds the same boxes, another one similar ones."""

from collections.abc import Sequence

from agent.moves.tables import Row

LEAST_OVERLAP = 0.4
"""of the area of both: below, they are two faces"""


def matched(ours: Sequence[Row], theirs: Sequence[Row]) -> dict[int, int]:
    """Return our faces' ids with theirs, of one photo; each at most once, the best overlap first."""
    pairs = sorted(
        ((overlap(one, other), one["id"], other["id"]) for one in ours for other in theirs),
        key=lambda each: (-each[0], each[1], each[2]),
    )
    found: dict[int, int] = {}
    taken = set[int]()
    for share, one, other in pairs:
        if share < LEAST_OVERLAP:
            break
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return found


def overlap(one: Row, other: Row) -> float:
    """Return the intersection over the union of two boxes; 1 for equal ones, even without an area."""
    if all(one[side] == other[side] for side in "xywh"):
        return 1.0
    width = min(one["x"] + one["w"], other["x"] + other["w"]) - max(one["x"], other["x"])
    height = min(one["y"] + one["h"], other["y"] + other["h"]) - max(one["y"], other["y"])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return float(common / (one["w"] * one["h"] + other["w"] * other["h"] - common))
