"""SQL functions that differ between databases."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Function, LargeBinary, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction, aggregate_strings
from sqlalchemy.sql.functions import max as maximum
from sqlalchemy.sql.functions import min as minimum

from agent.store.columns import Instant


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


# SQLite converts numbers to text by itself.
@compiles(aggregate_strings, "postgresql")
def _numbers_as_text(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    value, separator = (compiler.process(each, **options) for each in element.clauses)
    return f"string_agg(CAST({value} AS TEXT), {separator})"


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
