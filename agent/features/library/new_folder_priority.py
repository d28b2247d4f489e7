"""A newly chosen folder: its newest photos are scanned first, so that results appear at once."""

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from agent.domain.image import FileSeen
from agent.domain.jobs import Priority
from agent.features.library.ingest import Ingest

NEWEST = 24
# Even in a large folder: the newest of those found by then.
LOOK_S = 2.0


def newest(files: Iterator[FileSeen], *, most: int = NEWEST, clock: Callable[[], float] = time.monotonic) -> list[FileSeen]:
    """Return the newest files, newest first. Blocks, for `LOOK_S` at most; raises what the walk raises."""
    until = clock() + LOOK_S

    def in_time() -> Iterator[FileSeen]:
        for seen in files:
            yield seen
            if clock() > until:
                return

    return heapq.nlargest(most, in_time(), key=lambda seen: seen.mtime_ns)


async def note_first(ingest: Ingest, files: list[FileSeen], folder: str) -> None:
    """Register files of a watched folder before its own scan reaches them. Raises StoreError."""
    for seen in files:
        await ingest.note(replace(seen, folder=folder), Priority.NEW)
