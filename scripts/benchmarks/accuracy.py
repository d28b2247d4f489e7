"""The group `accuracy`: quality of recognition and detection on photos of known people, in a folder given on the command line.

The folder has `faces/chinese` and `faces/aligned` (one folder per person) and `faces/groups` (photos, and XML with boxes of their faces).
The checkout keeps nothing from it.
"""

from collections.abc import Iterator
from pathlib import Path

from scripts.benchmarks import accuracy_clusters, accuracy_detect, accuracy_names, accuracy_verify, core_clusters
from scripts.benchmarks.accuracy_faces import labelled
from scripts.benchmarks.rows import Row


def rows(folder: Path) -> Iterator[Row]:
    """Yield the rows. Rows whose target is 0 are reported, not judged."""
    groups = {name: labelled(folder / "faces" / part) for name, part in (("chinese", "chinese"), ("western", "aligned"))}
    for name, target in (("chinese", 0.97), ("western", 0.90)):
        yield from accuracy_verify.rows(name, groups[name], target)
    yield from accuracy_names.rows(groups)
    yield from accuracy_clusters.rows(groups)
    yield from core_clusters.rows(groups)
    yield from accuracy_detect.rows(folder / "faces" / "groups")
