"""The fast detector's arithmetic, and that it looks again as the other one does."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.inference.vision.codecs import Image, Pixels
from agent.inference.vision.detectors.yunet import OUTPUTS, STRIDES, YuNet, decode

Floats = NDArray[np.float32]
WIDTH, HEIGHT = 96, 64


def nothing(width: int = WIDTH, height: int = HEIGHT) -> dict[str, Floats]:
    """The net's outputs for an image without faces, by name."""
    channels = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    return {name: np.zeros((1, (width // s) * (height // s), channels[name.partition("_")[0]]), np.float32) for name, s in named()}


def named() -> list[tuple[str, int]]:
    return [(name, int(name.partition("_")[2])) for name in OUTPUTS]


def put(outputs: dict[str, Floats], stride: int, cell: int, *, score: float = 0.9) -> None:
    """A face as high as four cells and as wide as two, in the middle of its cell but for a quarter of one to the right."""
    outputs[f"cls_{stride}"][0, cell] = score
    outputs[f"obj_{stride}"][0, cell] = 1.0
    outputs[f"bbox_{stride}"][0, cell] = (0.25, 0.0, np.log(2), np.log(4))
    outputs[f"kps_{stride}"][0, cell] = (-0.5, -1, 0.5, -1, 0, 0, -0.4, 1, 0.4, 1)


@pytest.mark.parametrize("stride", STRIDES)
def test_a_face_is_read_from_the_outputs_of_each_stride(stride: int) -> None:
    outputs = nothing()
    put(outputs, stride, WIDTH // stride + 1)  # second row, second column
    (face,) = decode(list(outputs.values()), WIDTH, 0.5)
    assert (face.box.x, face.box.y, face.box.w, face.box.h) == pytest.approx((0.25 * stride, -stride, 2 * stride, 4 * stride))
    assert face.score == pytest.approx(0.9)
    assert face.landmarks[0] == pytest.approx((0.5 * stride, 0)), "the eye on the left of the image comes first"
    assert face.landmarks[4] == pytest.approx((1.4 * stride, 2 * stride))


def test_the_best_comes_first_and_what_is_unsure_does_not_come() -> None:
    outputs = nothing()
    for stride, cell, score in ((8, 3, 0.6), (16, 2, 0.8), (32, 1, 0.4)):
        put(outputs, stride, cell, score=score)
    assert [round(face.score, 1) for face in decode(list(outputs.values()), WIDTH, 0.5)] == [0.8, 0.6]


def test_scores_beyond_their_bounds_are_brought_back() -> None:
    outputs = nothing()
    put(outputs, 8, 0, score=7.0)
    outputs["obj_16"][:] = -1
    outputs["cls_16"][:] = -1
    (face,) = decode(list(outputs.values()), WIDTH, 0.5)
    assert face.score == 1.0


def test_it_looks_finer_where_small_faces_left_hints(whole: Callable[[Pixels], Image]) -> None:
    seen: list[tuple[int, ...]] = []

    def net(canvas: NDArray[np.uint8]) -> list[Floats]:
        seen.append(canvas.shape)
        outputs = nothing(canvas.shape[2], canvas.shape[1])
        put(outputs, 8, 200, score=0.2 if len(seen) == 1 else 0.9)
        return list(outputs.values())

    found = YuNet(net)(lambda _: whole(np.zeros((960, 1280, 3), np.uint8)), 0.5)
    assert seen[0] == (1, 512, 640, 3) and seen[1][1] * seen[1][2] > 512 * 640
    assert [round(face.score, 1) for face in found] == [0.9]
