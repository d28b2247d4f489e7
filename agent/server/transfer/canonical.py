"""Rows in a form that is the same in each library: numbers are replaced by what they mean, and a digest of many ignores their order."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from agent.infrastructure.store.fact_values import moment
from agent.server.transfer.tables import REDACTION, UNDO, Moving, Row, RowKind

Label: TypeAlias = Callable[[RowKind, Any], str | None]

_BITS = 1 << 256


class Digest:
    """A sum of the rows' digests. Unlike an exclusive or, it also sees a row that is there twice."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, digests: Iterable[bytes]) -> None:
        for each in digests:
            self.rows += 1
            self._sum = (self._sum + int.from_bytes(each)) % _BITS

    @property
    def value(self) -> str:
        return f"{self._sum:064x}"


def canonical(moving: Moving, row: Row, label: Label) -> bytes:
    """Return the digest of a row."""
    values = {name: _value(row[name]) for name in moving.columns}
    for column, kind in moving.refs.items():
        values[column] = None if row[column] is None else label(kind, row[column])
    if moving is REDACTION:
        values["wish"] = with_people(row["wish"], lambda each: label(RowKind.PERSON, each))
    if moving is UNDO:
        values["changes"] = _changes(row["changes"], label)
    return digest_of([moving.name, values])


def digest_of(content: object) -> bytes:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def with_people(wish: Any, other: Callable[[int], Any]) -> Any:
    """Return the options of covered copies with the people in them replaced, in a fixed order; None leaves a person out."""
    if not isinstance(wish, Mapping) or not isinstance(choice := wish.get("choice"), Mapping):
        return wish
    changed = dict(choice)
    for name in ("keep", "only"):
        if changed.get(name) is not None:
            found = [new for each in changed[name] if (new := other(each)) is not None]
            changed[name] = sorted(found, key=str)
    return {**wish, "choice": changed}


def _changes(changes: Iterable[Row], label: Label) -> list[Any]:
    from agent.server.transfer.steps import changed_step  # which needs these types

    step = changed_step({"changes": changes, "person_id": None}, label)
    return [] if step is None else list(step["changes"])


def _value(value: Any) -> Any:
    match value:
        case bytes():
            return hashlib.sha256(value).hexdigest()
        case datetime():
            return moment(value) if value.tzinfo is not None else value.isoformat()
        case date():
            return value.isoformat()
        case _:
            return value
