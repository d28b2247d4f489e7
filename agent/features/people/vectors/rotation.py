"""A secret rotation of embeddings: distances stay, so that a database can search by them; what an axis means is lost without the key.

In Python alone, because numpy stays out of the server's process: 1.2 ms for each embedding, and half a second once.
"""

import math
from array import array
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import mul
from typing import TypeAlias, cast

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

DIMENSIONS = 192
_BYTES = 4 * DIMENSIONS
_SHORT = 1e-6  # a shorter vector has no direction

Vector: TypeAlias = list[float]
_dot = cast("Callable[[Sequence[float], Sequence[float]], float]", getattr(math, "sumprod", lambda one, other: sum(map(mul, one, other))))


class SecretRotation:
    """The rotation that a key gives: the same key gives the same one."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def prepare(self) -> None:
        """Compute the rotation before it is needed: half a second."""
        _ = self._rows

    def turned(self, embedding: bytes) -> Vector | None:
        """Return an embedding (float32, little endian) of length 1, turned; None if it is invalid."""
        if len(embedding) != _BYTES:
            return None
        values = array("f", embedding)
        length = math.sqrt(_dot(values, values))
        if not _SHORT < length < math.inf:
            return None
        return [_dot(row, values) / length for row in self._rows]

    @cached_property
    def _rows(self) -> list[Vector]:
        """An orthogonal matrix: Gram and Schmidt's of normally distributed values, which makes each rotation as likely as any other."""
        rows: list[Vector] = []
        normal = _normal(self._key, DIMENSIONS * DIMENSIONS)
        for start in range(0, len(normal), DIMENSIONS):
            row = normal[start : start + DIMENSIONS]
            for _ in range(2):  # the second time removes what rounding left
                for other in rows:
                    part = _dot(row, other)
                    row = [value - part * its for value, its in zip(row, other, strict=True)]
            length = math.sqrt(_dot(row, row))
            rows.append([value / length for value in row])
        return rows


def _normal(key: bytes, count: int) -> Vector:
    """Return normally distributed values (Box and Muller's) from the key's stream of random bits."""
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(bytes(8 * count))
    uniform = [(value + 0.5) / 2.0**64 for value in array("Q", stream)]
    found: Vector = []
    for one, other in zip(uniform[::2], uniform[1::2], strict=True):
        far = math.sqrt(-2 * math.log(one))
        found += (far * math.cos(2 * math.pi * other), far * math.sin(2 * math.pi * other))
    return found
