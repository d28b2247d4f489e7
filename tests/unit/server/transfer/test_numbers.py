"""Which face of a photo is which on the other side."""

from hypothesis import given
from hypothesis import strategies as st

from agent.server.transfer.numbers import matched, overlap
from agent.server.transfer.tables import Row


def box(number: int, x: float, y: float = 0, w: float = 100, h: float = 100) -> Row:
    return {"id": number, "x": x, "y": y, "w": w, "h": h}


def test_the_same_boxes_are_the_same_faces_whatever_their_order() -> None:
    assert matched([box(1, 0), box(2, 300)], [box(8, 300), box(9, 0)]) == {1: 9, 2: 8}


def test_a_face_found_a_little_elsewhere_is_the_same_and_one_beside_it_another() -> None:
    assert matched([box(1, 0)], [box(9, 20)]) == {1: 9}
    assert matched([box(1, 0)], [box(9, 60)]) == {}


def test_of_two_that_overlap_the_better_is_taken_and_each_once() -> None:
    assert matched([box(1, 0), box(2, 10)], [box(9, 8)]) == {2: 9}


def test_a_box_without_an_area_is_itself() -> None:
    assert overlap(box(1, 5, w=0, h=0), box(2, 5, w=0, h=0)) == 1.0


boxes = st.builds(lambda x, y, w, h: (x, y, w, h), *(st.floats(0, 500),) * 2, *(st.floats(1, 200),) * 2)


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_no_face_is_matched_twice(ours: list[tuple[float, ...]], theirs: list[tuple[float, ...]]) -> None:
    found = matched([box(at, *each) for at, each in enumerate(ours)], [box(at, *each) for at, each in enumerate(theirs)])
    assert len(set(found.values())) == len(found)
