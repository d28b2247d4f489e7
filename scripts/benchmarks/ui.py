"""The group `ui`: how soon the user sees results, on a library of 100,000 images, and the size of the pages."""

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scripts.benchmarks import api, browser, popup
from scripts.benchmarks.rows import ROOT, Row
from scripts.benchmarks.stage import running

IMAGES = 100_000


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows; all of them are short."""
    yield bundle(ROOT / "ui" / "dist")
    with (
        tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder,
        running(Path(folder), IMAGES) as (client, _),
    ):
        yield from api.rows(client)
        yield from browser.rows(client)
        yield from popup.rows(client)


def bundle(dist: Path) -> Row:
    """Return the size of everything the agent serves as the UI, each file compressed separately; in 1,000 bytes."""
    sizes = [len(gzip.compress(path.read_bytes(), 9)) / 1000 for path in sorted(dist.rglob("*")) if path.is_file()]
    return Row("ui_bundle_kb", round(sum(sizes), 1), 250, tuple(round(size, 1) for size in sizes))
