"""Whether this program works on the schema that a database has.

A server's database also keeps which programs work on it, as a comment on the table of its revision: after a rollback the older program
finds a newer schema, and can't know its steps.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, text

from agent.domain.errors import StoreTooOld

_SAID = re.compile(r"works from ([0-9]{4})")


@dataclass(frozen=True, slots=True)
class SchemaState:
    """`found` is None without tables; `works_from` is the oldest program that works on it, if the database says so."""

    found: str | None
    program: str
    works_from: str | None = None
    serves_from: str | None = None
    """the oldest schema on which this program works; its own if None"""
    baseline: str | None = None
    """the oldest schema that this program migrates; any if None"""

    @property
    def newer(self) -> bool:
        """Whether it is newer than this program can work on. Revisions are numbered in order."""
        return self.found is not None and self.found > self.program and not self._compatible

    @property
    def too_old(self) -> bool:
        """Whether no migration leads from it to this program's."""
        return self.found is not None and self.baseline is not None and self.found < self.baseline

    def refuse_too_old(self) -> None:
        """Raise StoreTooOld if it is."""
        if self.too_old:
            raise StoreTooOld(found=str(self.found), oldest=str(self.baseline))

    @property
    def fits(self) -> bool:
        if self.found is None:
            return False
        if self.found > self.program:
            return self._compatible
        return self.found >= (self.serves_from or self.program)

    @property
    def left(self) -> bool:
        """Whether deferred steps wait."""
        return self.fits and self.found is not None and self.found < self.program

    @property
    def _compatible(self) -> bool:
        return self.works_from is not None and self.works_from <= self.program


def write_min_version(tx: Connection, revision: str) -> None:
    """Keep it in a server's database. A file has no such note: one desktop program uses it, and its update keeps a copy."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS 'works from {revision}'")


def read_min_version(tx: Connection) -> str | None:
    """Return what was noted; None if nothing was."""
    if tx.dialect.name != "postgresql":
        return None
    said = tx.scalar(text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')"))
    matched = _SAID.fullmatch(said or "")
    return matched[1] if matched else None
