"""The group `redact`: whether all faces are covered, little else, and how fast; on the labelled photos of a given folder."""

from collections.abc import Iterator
from pathlib import Path

from scripts.benchmarks import redact_speed, redact_stills
from scripts.benchmarks.rows import Row


def rows(folder: Path) -> Iterator[Row]:
    """The folder has `faces/groups`: photos, and XML with boxes of their faces."""
    yield from redact_stills.rows(folder / "faces" / "groups")
    yield from redact_speed.rows()
