"""The order in which a group photo is read."""

from collections.abc import Sequence

from agent.domain.face import Box

_STEP = 0.85  # neighbours in a row differ in height by less than this part of the taller face
_STEEP = 2.0  # a neighbour higher or lower counts as this much farther away than one beside


def in_rows(boxes: Sequence[Box]) -> list[int]:
    """Return the indices of boxes row by row from the top, each row from left to right.

    A row is followed from face to face: rows of people are curved or slanted more often than straight.
    """
    if len(boxes) < 2:
        return list(range(len(boxes)))
    middles = [(box.x + box.w / 2, box.y + box.h / 2) for box in boxes]
    left = sorted(range(len(boxes)), key=lambda at: (middles[at][1], middles[at][0], boxes[at].w))
    order: list[int] = []
    while left:
        row = [left.pop(0)]
        for side in (-1, 1):
            at = row[0]
            while True:
                x, y = middles[at]
                beside = [
                    other
                    for other in left
                    if side * (middles[other][0] - x) >= 0 and abs(middles[other][1] - y) < _STEP * max(boxes[at].h, boxes[other].h)
                ]
                if not beside:
                    break
                at = min(beside, key=lambda other: abs(middles[other][0] - x) + _STEEP * abs(middles[other][1] - y))
                left.remove(at)
                row.append(at)
        order.extend(sorted(row, key=lambda at: (middles[at], boxes[at].w)))
    return order
