"""Group photos are read row by row."""

import random

from agent.domain.face import Box
from agent.domain.reading_order import in_rows


def at(x: float, y: float, side: float = 40) -> Box:
    return Box(x - side / 2, y - side / 2, side, side)


def test_rows_are_read_from_the_top_and_each_from_left_to_right() -> None:
    boxes = [at(300, 210), at(100, 90), at(200, 200), at(300, 100), at(100, 205), at(200, 95)]
    assert in_rows(boxes) == [1, 5, 3, 4, 2, 0]


def test_a_curved_row_stays_one_and_staggered_rows_stay_apart() -> None:
    arc = [at(60 * column, 100 + 3 * (column - 4) ** 2) for column in range(9)]
    below = [at(60 * column + 30, 160 + 3 * (column - 4) ** 2) for column in range(8)]
    boxes = [*arc, *below]
    shuffled = random.Random(3).sample(range(len(boxes)), len(boxes))
    order = in_rows([boxes[index] for index in shuffled])
    assert [shuffled[index] for index in order] == list(range(len(boxes)))


def test_the_order_depends_on_the_boxes_alone() -> None:
    boxes = [at(50, 50), at(90, 52), at(50, 50, 38)]
    assert [boxes[index] for index in in_rows(boxes)] == [boxes[::-1][index] for index in in_rows(boxes[::-1])]


def test_few_faces() -> None:
    assert in_rows([]) == []
    assert in_rows([at(10, 10)]) == [0]
