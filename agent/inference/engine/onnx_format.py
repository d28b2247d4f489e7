"""The part of the ONNX file format that writing needs: messages of protocol buffers, assembled by hand.

The field numbers are those of onnx.proto; a number in the format never changes its meaning.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Attribute: TypeAlias = int | float | str | Sequence[int]

FLOAT, UINT8, INT64, FLOAT16 = 1, 2, 7, 10
KINDS: Final[Mapping[np.dtype[np.generic], int]] = {
    np.dtype(np.float32): FLOAT,
    np.dtype(np.uint8): UINT8,
    np.dtype(np.int64): INT64,
    np.dtype(np.float16): FLOAT16,
}
# Of 2023; every runtime of these days reads it.
_IR_VERSION, _OPERATORS = 8, 17
_VARINT, _BYTES, _FIXED32 = 0, 2, 5


def model(graph: bytes, producer: str) -> bytes:
    """Return a whole file."""
    operators = _text(1, "") + _number(2, _OPERATORS)
    return _number(1, _IR_VERSION) + _text(2, producer) + _part(7, graph) + _part(8, operators)


def graph(nodes: Iterable[bytes], tensors: Iterable[bytes], inputs: Iterable[bytes], outputs: Iterable[bytes]) -> bytes:
    """Return a graph; its nodes are in an order in which they can run."""
    fields = ((1, nodes), (5, tensors), (11, inputs), (12, outputs))
    return _text(2, "net") + b"".join(_part(field, each) for field, parts in fields for each in parts)


def node(operator: str, inputs: Iterable[str], outputs: Iterable[str], attributes: Mapping[str, Attribute]) -> bytes:
    values = b"".join(_text(1, name) for name in inputs) + b"".join(_text(2, name) for name in outputs)
    return values + _text(4, operator) + b"".join(_part(5, _attribute(name, value)) for name, value in attributes.items())


def tensor(name: str, values: NDArray[np.generic]) -> bytes:
    """Return a constant. Raises KeyError for a type of numbers that is not in `KINDS`."""
    dimensions = b"".join(_number(1, size) for size in values.shape)
    raw = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    return dimensions + _number(2, KINDS[values.dtype]) + _text(8, name) + _part(9, raw)


def value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """Return an input or output; a dimension's name stands for any size."""
    sizes = b"".join(_part(1, _text(2, size) if isinstance(size, str) else _number(1, size)) for size in shape)
    return _text(1, name) + _part(2, _part(1, _number(1, kind) + _part(2, sizes)))


def _attribute(name: str, value: Attribute) -> bytes:
    match value:
        case bool() | int():
            content = _number(3, int(value)) + _number(20, 2)
        case float():
            content = _key(2, _FIXED32) + struct.pack("<f", value) + _number(20, 1)
        case str():
            content = _text(4, value) + _number(20, 3)
        case _:
            content = b"".join(_number(8, int(each)) for each in value) + _number(20, 7)
    return _text(1, name) + content


def _text(field: int, text: str) -> bytes:
    return _part(field, text.encode())


def _part(field: int, content: bytes) -> bytes:
    return _key(field, _BYTES) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _key(field, _VARINT) + _varint(value)


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _varint(value: int) -> bytes:
    """Return a number, negative ones as 64-bit two's complement.

    >>> _varint(300).hex(), len(_varint(-1))
    ('ac02', 10)
    """
    value &= (1 << 64) - 1
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
