"""The group `core`: speed against an earlier commit and against the limit, what is found, and memory; each beside a peer or a bound.

With the folder of the group `accuracy` behind it, `core FOLDER`, also what people and clusters are judged by.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from scripts.benchmarks import core_clusters, core_int8, core_parity, core_people, core_reading, core_speed, core_turned, scan
from scripts.benchmarks.accuracy_faces import labelled
from scripts.benchmarks.rows import Row


def _clusters(folder: Path) -> Iterator[Row]:
    yield from core_clusters.rows(
        {name: labelled(folder / "faces" / part) for name, part in (("chinese", "chinese"), ("western", "aligned"))}
    )


# On the collages, and on labelled photos.
PARTS: Final[tuple[Callable[[bool], Iterator[Row]], ...]] = (
    core_speed.rows,
    scan.of_limit,
    core_reading.rows,
    core_turned.rows,
    core_parity.rows,
)
ON_LABELLED: Final[tuple[Callable[[Path], Iterator[Row]], ...]] = (core_int8.rows, core_people.rows, _clusters)


def rows(long: bool) -> Iterator[Row]:
    for part in PARTS:
        yield from part(long)


def labelled_rows(folder: Path) -> Iterator[Row]:
    """The rows on labelled photos, after all others."""
    yield from rows(long=False)
    for part in ON_LABELLED:
        yield from part(folder)
