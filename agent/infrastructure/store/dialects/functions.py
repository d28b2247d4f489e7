"""SQL functions that differ between databases."""

import json
import sys
from array import array
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Function,
    LargeBinary,
    Select,
    String,
    bindparam,
    cast,
    literal,
    literal_column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.sql.functions import max as maximum
from sqlalchemy.sql.functions import min as minimum

from agent.infrastructure.store.columns import Instant

MOST_SMALL = 2**16 - 1


class _Contains(GenericFunction[bool]):
    """Whether UTF-8 text, given as possibly invalid bytes, contains other such text; ASCII letters of the first are lowercased."""

    type = Boolean()
    name = "contains_text"
    inherit_cache = True


def contains_text(text: ColumnElement[bytes], part: str) -> ColumnElement[bool]:
    """True if the text contains `part`. Databases only fold ASCII case: `part` must have no ASCII capitals."""
    return _Contains(text, literal(part.encode("utf-8", "surrogatepass"), LargeBinary))


@compiles(_Contains)
def _contains(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    text, part = (compiler.process(each, **options) for each in element.clauses)
    return f"instr(lower(CAST({text} AS VARCHAR)), CAST({part} AS VARCHAR)) > 0"


# PostgreSQL refuses invalid UTF-8. As Latin-1 each byte is a character, and the rules of "C" only fold ASCII.
@compiles(_Contains, "postgresql")
def _contains_latin(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    text, part = (f"convert_from({compiler.process(each, **options)}, 'LATIN1')" for each in element.clauses)
    return f"""strpos(lower({text} COLLATE "C"), {part}) > 0"""


class _Numbers(GenericFunction[int]):
    """The numbers of a JSON list, as rows."""

    type = BigInteger()
    name = "json_numbers"
    inherit_cache = True


class _Lists(GenericFunction[str]):
    """The lists in a JSON list, as rows."""

    type = String()
    name = "json_lists"
    inherit_cache = True


def one_of(numbers: Collection[int]) -> Select[tuple[int]]:
    """Return what `in_` takes for these numbers. They are a single parameter: thousands cost what the database needs to find them."""
    return _numbers_in(literal(number_list(numbers)))


def in_bound_numbers(name: str) -> Select[tuple[int]]:
    """The same for numbers that are given with each execution, as a `number_list`: the statement can then be built once."""
    return _numbers_in(bindparam(name, type_=String))


def number_list(numbers: Collection[int]) -> str:
    return json.dumps(list(numbers))


def _numbers_in(text: ColumnElement[str]) -> Select[tuple[int]]:
    return select(cast(_Numbers(text).table_valued("value").c.value, BigInteger))


def number_pairs(pairs: Collection[tuple[int, int]]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return both columns of a table of these pairs, which are a single parameter: a statement that inserts from it is run once."""
    value = _Lists(literal(json.dumps(list(pairs)))).table_valued("value").c.value
    first, second = (cast(value.op("->>")(literal_column(at)), BigInteger) for at in ("0", "1"))
    return first, second


@compiles(_Numbers)
@compiles(_Lists)
def _json_each(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    [text] = element.clauses
    return f"json_each({compiler.process(text, **options)})"


# As numbers from the start: row security keeps a member's query from looking rows up by what is converted first.
@compiles(_Numbers, "postgresql")
def _unnest(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    [text] = element.clauses
    return f"(SELECT unnest(CAST(translate({compiler.process(text, **options)}, '[]', '{{}}') AS BIGINT[])) AS value)"


@compiles(_Lists, "postgresql")
def _json_array_elements(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    [text] = element.clauses
    return f"json_array_elements(CAST({compiler.process(text, **options)} AS JSON))"


class joined_numbers(GenericFunction[Any]):
    """All numbers of a column, of 32 bits each, as one value for `numbers_of`: row by row would take several times as long."""

    inherit_cache = True


class joined_large_numbers(joined_numbers):
    """The same with 64 bits each, on a server alone, for `large_numbers_of`."""

    inherit_cache = True


@compiles(joined_numbers)
def _as_text(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    [value] = element.clauses
    return f"group_concat({compiler.process(value, **options)}, ',')"


@compiles(joined_numbers, "postgresql")
def _as_bytes(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    [value] = element.clauses
    return f"string_agg(int4send(CAST({compiler.process(value, **options)} AS INTEGER)), ''::bytea)"


@compiles(joined_large_numbers, "postgresql")
def _as_large_bytes(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    [value] = element.clauses
    return f"string_agg(int8send(CAST({compiler.process(value, **options)} AS BIGINT)), ''::bytea)"


def numbers_of(joined: str | bytes | None) -> "array[int]":
    """Return the numbers that `joined_numbers` joined, in its order."""
    if not isinstance(joined, bytes):
        return array("i", json.loads(f"[{joined or ''}]"))
    return _in_network_order("i", joined)


def small_numbers_of(joined: str | bytes | None) -> "array[int]":
    """The same with 16 bits each: larger numbers become 65,535, and none is negative."""
    if isinstance(joined, bytes) and not any(each.strip(b"\0") for each in (joined[::4], joined[1::4])):
        return _in_network_order("H", memoryview(joined).cast("H")[1::2].tobytes())
    return array("H", (min(each, MOST_SMALL) for each in numbers_of(joined)))


def large_numbers_of(joined: bytes | None) -> "array[int]":
    """The same for `joined_large_numbers`."""
    return _in_network_order("q", joined or b"")


def _in_network_order(kind: str, joined: bytes) -> "array[int]":
    numbers = array(kind, joined)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


# PostgreSQL before 18 has neither for bytes; their hexadecimal digits sort in the same order.
@compiles(maximum, "postgresql")
@compiles(minimum, "postgresql")
def _of_bytes(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    [value] = element.clauses
    if not isinstance(value.type, LargeBinary) and not isinstance(getattr(value.type, "impl", None), LargeBinary):
        return compiler.visit_function(element, **options)
    return f"""decode({element.name}(encode({compiler.process(value, **options)}, 'hex') COLLATE "C"), 'hex')"""


class database_time(GenericFunction[datetime]):
    """The database's clock: those of its clients may disagree."""

    type = Instant()
    inherit_cache = True


@compiles(database_time)
def _sqlite_time(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS BIGINT)"


@compiles(database_time, "postgresql")
def _postgres_time(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
