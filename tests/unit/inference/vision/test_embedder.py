"""Embeddings: prepared, batched, mirrored, normalised."""

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.inference.vision.embedder import BATCH, MobileFaceNet, normalised, prepared, to_bytes


def test_pixels_are_brought_to_about_minus_one_to_one() -> None:
    faces = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    assert prepared(faces).ravel() == pytest.approx([-0.99609375, 0.99609375])


def test_rows_have_length_one_and_do_not_depend_on_the_batch() -> None:
    def net(faces: NDArray[np.float32]) -> NDArray[np.float32]:
        assert len(faces) <= BATCH
        return np.stack([faces[:, 0, 0, 0] + 2, faces[:, 5, 100, 1], faces[:, 50, 50, 2]], axis=1)

    faces = np.random.default_rng(5).integers(0, 255, (BATCH * 2 + 3, 112, 112, 3), np.uint8)
    embeddings = MobileFaceNet(net)(faces)
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(np.ones(len(faces)))
    assert embeddings[-1] == pytest.approx(MobileFaceNet(net)(faces[-1:])[0])


def test_a_face_and_its_mirror_image_are_the_same_to_it() -> None:
    def net(faces: NDArray[np.float32]) -> NDArray[np.float32]:
        return faces[:, 60, 10:20, 0] + 0.1

    face = np.random.default_rng(6).integers(0, 255, (1, 112, 112, 3), np.uint8)
    assert MobileFaceNet(net)(face) == pytest.approx(MobileFaceNet(net)(face[:, :, ::-1]))


def test_no_faces_give_no_rows() -> None:
    assert MobileFaceNet(lambda faces: faces)(np.zeros((0, 112, 112, 3), np.uint8)).shape == (0, 192)


def test_a_row_of_zeros_does_not_become_nan() -> None:
    assert normalised(np.zeros((1, 3), np.float32)).tolist() == [[0, 0, 0]]


def test_bytes_are_little_endian_float32() -> None:
    assert to_bytes(np.array([1.0], np.float32)) == b"\x00\x00\x80\x3f"
