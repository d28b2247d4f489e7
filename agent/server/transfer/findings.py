"""What a move did and found: rows that stayed behind, rows that the other side has otherwise, and the proof."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

MOST_LISTED: Final = 1_000
"""conflicts named one by one; the others are counted"""


@dataclass(frozen=True, slots=True)
class MoveConflict:
    """A row that the other side has otherwise, and keeps. Numbers only: names and paths are on the pages."""

    kind: str  # see `cli.move.conflicts`
    table: str
    source_id: int | None
    target_id: int | None


@dataclass(slots=True)
class Findings:
    """`withheld` counts rows by table and reason; `kept` are the digests of rows that the other side has otherwise."""

    moved: Counter[str] = field(default_factory=Counter)
    withheld: Counter[tuple[str, str]] = field(default_factory=Counter)
    conflicts: list[MoveConflict] = field(default_factory=list)
    conflict_count: int = 0
    kept: set[bytes] = field(default_factory=set)

    def conflict(self, found: MoveConflict) -> None:
        self.conflict_count += 1
        if len(self.conflicts) < MOST_LISTED:
            self.conflicts.append(found)


@dataclass(slots=True)
class TableProof:
    """One table on both sides: the number of its rows, a digest of them, and the first that differ, by their numbers in the source."""

    table: str
    source_rows: int = 0
    target_rows: int = 0
    source_digest: str = ""
    target_digest: str = ""
    kept: int = 0
    withheld: int = 0
    differing: list[int] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return (self.source_rows, self.source_digest) == (self.target_rows, self.target_digest)
