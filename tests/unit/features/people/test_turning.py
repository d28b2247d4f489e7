"""The secret rotation of embeddings."""

import math
import struct

import numpy as np
import pytest

from agent.features.people.vectors.rotation import SecretRotation

TURNING = SecretRotation(bytes(range(32)))


def embeddings(count: int) -> list[bytes]:
    return [np.random.default_rng(number).standard_normal(192).astype("<f4").tobytes() for number in range(count)]


def test_distances_stay_and_directions_are_lost() -> None:
    given = embeddings(12)
    plain = np.stack([np.frombuffer(each, "<f4") / np.linalg.norm(np.frombuffer(each, "<f4")) for each in given])
    turned = np.array([TURNING.turned(each) for each in given])
    assert np.allclose(turned @ turned.T, plain @ plain.T, atol=1e-6)
    assert np.abs((turned * plain).sum(axis=1)).max() < 0.4, "as unrelated as other vectors are"


def test_a_key_always_gives_the_same_and_another_key_another() -> None:
    [given] = embeddings(1)
    assert SecretRotation(bytes(range(32))).turned(given) == TURNING.turned(given)
    again = SecretRotation(bytes(32)).turned(given)
    assert again is not None and np.linalg.norm(np.array(again) - np.array(TURNING.turned(given))) > 0.5


@pytest.mark.parametrize("bad", [b"", bytes(768), b"\0" * 12, struct.pack("<f", math.nan) * 192, struct.pack("<f", math.inf) * 192])
def test_what_is_no_embedding_has_none(bad: bytes) -> None:
    assert TURNING.turned(bad) is None
