"""SQL functions that each database spells in its own way."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Function, LargeBinary, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction, aggregate_strings
from sqlalchemy.sql.functions import max as maximum
from sqlalchemy.sql.functions import min as minimum


class _Contains(GenericFunction[bool]):
    """Whether UTF-8 text, given as bytes that need not be valid, contains other such text; ASCII letters of the first are made small."""

    type = Boolean()
    name = "contains_text"
    inherit_cache = True


def contains_text(text: ColumnElement[bytes], part: str) -> ColumnElement[bool]:
    """True where `part` is in the text. Databases fold the case of ASCII alone: `part` must have no capital ASCII letters."""
    return _Contains(text, literal(part.encode("utf-8", "surrogatepass"), LargeBinary))


@compiles(_Contains)
def _contains(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    text, part = (compiler.process(each, **options) for each in element.clauses)
    return f"instr(lower(CAST({text} AS VARCHAR)), CAST({part} AS VARCHAR)) > 0"


# PostgreSQL refuses text that is no UTF-8. As Latin-1 each byte is a letter, and the rules of "C" fold none but those of ASCII.
@compiles(_Contains, "postgresql")
def _contains_latin(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    text, part = (f"convert_from({compiler.process(each, **options)}, 'LATIN1')" for each in element.clauses)
    return f"""strpos(lower({text} COLLATE "C"), {part}) > 0"""


# SQLite makes text of numbers by itself.
@compiles(aggregate_strings, "postgresql")
def _numbers_as_text(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    value, separator = (compiler.process(each, **options) for each in element.clauses)
    return f"string_agg(CAST({value} AS TEXT), {separator})"


# PostgreSQL before 18 has neither for bytes; their hexadecimal digits have the same order.
@compiles(maximum, "postgresql")
@compiles(minimum, "postgresql")
def _of_bytes(element: Function[Any], compiler: SQLCompiler, **options: Any) -> str:
    [value] = element.clauses
    if not isinstance(value.type, LargeBinary) and not isinstance(getattr(value.type, "impl", None), LargeBinary):
        return compiler.visit_function(element, **options)
    return f"""decode({element.name}(encode({compiler.process(value, **options)}, 'hex') COLLATE "C"), 'hex')"""
