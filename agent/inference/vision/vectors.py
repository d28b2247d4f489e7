"""Stores many vectors of length 1 compactly and computes their similarity: 16-bit fixed point, in blocks.

A million vectors of 192 values take 384 MB, half of float32, and comparing all of them takes some 40 ms (numpy alone, one core),
because each block is converted to float32 within the processor's cache. Rounding changes a value by 1/65534 at most, so a scalar product
by 0.00021 at most and usually 0.00001; float32's own rounding is smaller. Blocks grow and shrink without copying
existing data, so it is never in memory twice.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.int16]

BLOCK = 4_096  # rows
SCALE = 32_767.0
# Fewer queries are compared one by one: for so little work, BLAS takes longer to wake its threads than to compute.
_FEW = 4


class Vectors:
    """Rows of `dimensions` values each. Rows that were never written are undefined."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._blocks: list[Codes] = []

    def resize(self, rows: int) -> None:
        """Make room for this many rows, plus less than a block."""
        wanted = -(-rows // BLOCK)
        del self._blocks[wanted:]
        while len(self._blocks) < wanted:
            self._blocks.append(np.empty((BLOCK, self._dimensions), np.int16))

    def write(self, rows: Ints, codes: Codes) -> None:
        """Write int16 [n, dimensions], from `encoded` or `read`."""
        for number, chosen, inside in _by_block(rows):
            self._blocks[number][inside] = codes[chosen]

    def read(self, rows: Ints) -> Codes:
        codes = np.empty((len(rows), self._dimensions), np.int16)
        for number, chosen, inside in _by_block(rows):
            codes[chosen] = self._blocks[number][inside]
        return codes

    def scores(self, queries: Floats, stop: int) -> Iterator[tuple[int, Floats]]:
        """Yield scalar products with the rows before `stop`, block by block: its first row, and float32 [queries, rows].

        Each result is overwritten by the next one.
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
    """Encode vectors of length 1."""
    return np.asarray(np.rint(vectors * np.float32(SCALE)), np.int16)


def decoded(codes: Codes) -> Floats:
    return np.asarray(codes / np.float32(SCALE), np.float32)


def _by_block(rows: Ints) -> Iterator[tuple[int, Ints, Ints]]:
    """Yield the number of a block, the indices of `rows` in it, and their positions there."""
    numbers = rows // BLOCK
    order = np.argsort(numbers, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
        if len(chosen):
            yield int(numbers[chosen[0]]), chosen, rows[chosen] % BLOCK
