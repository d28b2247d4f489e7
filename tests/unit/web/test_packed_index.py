"""The library's index as bytes."""

import struct
from datetime import date

from agent.library.packed_index import pack
from agent.library.records import Index


def test_each_number_lies_where_the_page_looks_for_it() -> None:
    packed = pack(Index((7, 3_000_000_000, 1), (150, 66, 100), ((date(2026, 1, 2), 2), (date(1969, 12, 31), 1))))
    assert packed == struct.pack("<II3I2i2I3H", 3, 2, 7, 3_000_000_000, 1, 20_455, -1, 2, 1, 150, 66, 100)


def test_an_empty_library_is_two_zeros() -> None:
    assert pack(Index((), (), ())) == bytes(8)


def test_a_strip_too_long_for_its_number_gets_the_greatest() -> None:
    assert pack(Index((1,), (6_500_000,), ((date(1970, 1, 1), 1),)))[-2:] == b"\xff\xff"
