"""Many vectors of length 1 in little memory, and how near others are to them: 16-bit fixed point, in blocks.

Why so: a million of 192 values take 384 MB, half of what float32 does, and a look at all of them takes some 40 ms (numpy alone, one core),
for each block is turned into float32 where it fits the processor's cache. A value is rounded by 1/65534 at most, a scalar product therefore
wrong by 0.00021 at most and 0.00001 mostly; float32's own rounding is below that. Blocks, because they grow and shrink without copying
what is there, and no moment holds it twice.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.int16]

BLOCK = 4_096  # rows
SCALE = 32_767.0
# Fewer queries are compared one by one: for so little work, BLAS takes longer to wake its threads than to do it.
_FEW = 4


class Vectors:
    """Rows of `dimensions` values each. What a row holds that was never written is not defined."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._blocks: list[Codes] = []

    def resize(self, rows: int) -> None:
        """Have room for so many, and for less than a block more."""
        wanted = -(-rows // BLOCK)
        del self._blocks[wanted:]
        while len(self._blocks) < wanted:
            self._blocks.append(np.empty((BLOCK, self._dimensions), np.int16))

    def write(self, rows: Ints, codes: Codes) -> None:
        """int16 [n, dimensions], as `encoded` makes them or `read` gives them."""
        for number, chosen, inside in _by_block(rows):
            self._blocks[number][inside] = codes[chosen]

    def read(self, rows: Ints) -> Codes:
        codes = np.empty((len(rows), self._dimensions), np.int16)
        for number, chosen, inside in _by_block(rows):
            codes[chosen] = self._blocks[number][inside]
        return codes

    def scores(self, queries: Floats, stop: int) -> Iterator[tuple[int, Floats]]:
        """Scalar products with the rows before `stop`, block by block: its first row, and float32 [queries, rows].

        What is handed out is overwritten by the next.
        """
        scaled = queries / np.float32(SCALE)
        rows = np.empty((BLOCK, self._dimensions), np.float32)
        products = np.empty(len(queries) * BLOCK, np.float32)
        for first in range(0, stop, BLOCK):
            count = min(BLOCK, stop - first)
            np.copyto(rows[:count], self._blocks[first // BLOCK][:count])
            out = products[: len(queries) * count].reshape(len(queries), count)
            if len(queries) > _FEW:
                np.matmul(scaled, rows[:count].T, out=out)
            else:
                for query, row in zip(scaled, out, strict=True):
                    np.vecdot(rows[:count], query, out=row)
            yield first, out


def encoded(vectors: Floats) -> Codes:
    """Of vectors of length 1."""
    return np.asarray(np.rint(vectors * np.float32(SCALE)), np.int16)


def decoded(codes: Codes) -> Floats:
    return np.asarray(codes / np.float32(SCALE), np.float32)


def _by_block(rows: Ints) -> Iterator[tuple[int, Ints, Ints]]:
    """Number of a block, which of `rows` are in it, and where there."""
    numbers = rows // BLOCK
    order = np.argsort(numbers, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
        if len(chosen):
            yield int(numbers[chosen[0]]), chosen, rows[chosen] % BLOCK
