"""Geometry that must hold for any numbers."""

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.face import Box
from agent.domain.redaction import head_of
from agent.inference.vision.aligner import TEMPLATE, similarity
from agent.inference.vision.detection import Detection, five, suppress
from agent.inference.vision.tiles import OVERLAP, WINDOW, spans

numbers = st.floats(-1e4, 1e4, allow_nan=False)
sizes = st.floats(0.1, 1e4, allow_nan=False)
boxes = st.builds(Box, numbers, numbers, sizes, sizes)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_between_nought_and_one(a: Box, b: Box) -> None:
    assert math.isclose(a.iou(b), b.iou(a), abs_tol=1e-9)
    assert 0 <= a.iou(b) <= 1 + 1e-9


@given(boxes, st.floats(0.01, 100))
def test_overlap_does_not_depend_on_the_scale(box: Box, factor: float) -> None:
    other = Box(box.x + box.w / 3, box.y, box.w, box.h)
    assert math.isclose(box.iou(other), box.scaled(factor).iou(other.scaled(factor)), abs_tol=1e-6)


@given(boxes)
def test_a_box_overlaps_itself_wholly(box: Box) -> None:
    assert math.isclose(box.iou(box), 1, rel_tol=1e-6)


@given(boxes, st.lists(st.tuples(numbers, numbers), min_size=5, max_size=5))
def test_wherever_landmarks_are_the_whole_box_is_covered_and_not_much_more(box: Box, points: list[tuple[float, float]]) -> None:
    head = head_of(box, five(points))
    assert math.isclose(head.intersection(box), box.area, rel_tol=1e-6)
    assert head.area <= 1.7 * box.area


@given(st.floats(0.05, 50), st.floats(-180, 180), numbers, numbers)
def test_any_similarity_is_recovered(scale: float, degrees: float, x: float, y: float) -> None:
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    moved = [(c * u - s * v + x, s * u + c * v + y) for u, v in TEMPLATE]
    matrix = similarity(moved, TEMPLATE)
    for point, wanted in zip(moved, TEMPLATE, strict=True):
        assert np.allclose(matrix @ (*point, 1), wanted, atol=1e-3)


@given(st.lists(st.tuples(numbers, numbers), min_size=5, max_size=5))
def test_the_map_never_mirrors_or_shears(points: list[tuple[float, float]]) -> None:
    (a, b, _), (c, d, _) = similarity(points, TEMPLATE)
    assert math.isclose(a, d, abs_tol=1e-9)
    assert math.isclose(b, -c, abs_tol=1e-9)


@given(st.lists(boxes, max_size=20), st.floats(0.05, 0.95))
def test_what_stays_does_not_overlap_and_what_goes_did(found: list[Box], limit: float) -> None:
    faces = [Detection(box, 1 - i / 100, ((0.0, 0.0),) * 5) for i, box in enumerate(found)]
    kept = suppress(faces, limit)
    assert all(a.box.iou(b.box) <= limit + 1e-6 for i, a in enumerate(kept) for b in kept[:i])
    assert all(
        any(face.box.iou(better.box) > limit - 1e-6 for better in kept if better.score > face.score) for face in faces if face not in kept
    )


@given(st.integers(1, 12_000))
def test_stretches_cover_a_side_and_every_small_face_lies_whole_in_one(length: int) -> None:
    stretches = spans(length)
    assert stretches[0][0] == 0
    assert stretches[-1][1] == length
    assert all(end - start <= WINDOW for start, end in stretches)
    assert all(second[0] <= first[1] - OVERLAP for first, second in pairwise(stretches))
