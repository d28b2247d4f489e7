"""What a bucket's listings make of photos that the library knows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from agent.domain.errors import BucketEmpty
from agent.infrastructure.sources.bucket.bucket import Bucket, BucketState, version_of
from agent.infrastructure.sources.bucket.bucket_source import BucketSource
from agent.infrastructure.sources.source import Change, FilesGone, SourceFailed, SourceRecovered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obstore import ObjectMeta

    from agent.infrastructure.sources.bucket.bucket_reader import BucketReader
    from agent.infrastructure.sources.folder.folder_scan import Entry

AT = datetime(2026, 1, 1, tzinfo=UTC)
BUCKET = Bucket("bucket-1", "photos")
KNOWN: list[Entry] = [(BUCKET.item(key), (5, version_of(AT, '"e"'))) for key in ("a.jpg", "b.jpg")]


class Holding:
    """A reader of a bucket with these objects: key and size."""

    def __init__(self, *objects: tuple[str, int]) -> None:
        self.objects = objects

    def store(self, _name: str) -> Holding:
        return self

    def pages(self) -> Iterator[Sequence[ObjectMeta]]:
        yield [cast("ObjectMeta", {"path": key, "size": size, "last_modified": AT, "e_tag": '"e"'}) for key, size in self.objects]


async def first_listing(holding: Holding, known: list[Entry]) -> tuple[list[Change], BucketState]:
    changes: list[Change] = []
    noted = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def emit(change: Change) -> None:
        changes.append(change)

    def note(_name: str, _state: BucketState) -> None:
        loop.call_soon_threadsafe(noted.set)

    source = BucketSource(cast("BucketReader", holding), lambda: [BUCKET], lambda _root: known, note, lambda: AT)
    running = asyncio.create_task(source.run(emit))
    try:
        await noted.wait()
        return changes, source.states[BUCKET.name]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("left", [(), (("a-folder/", 0),)])
async def test_a_bucket_that_suddenly_lists_nothing_keeps_its_photos_and_says_so(left: tuple[tuple[str, int], ...]) -> None:
    """So it is with a mount point without its disk. What stands for a folder is no object."""
    changes, state = await first_listing(Holding(*left), KNOWN)
    assert not [each for each in changes if isinstance(each, FilesGone)]
    assert [type(each.error) for each in changes if isinstance(each, SourceFailed)] == [BucketEmpty]
    assert (state.failing_since, state.problem) == (AT, "bucket.empty")


async def test_photos_removed_from_a_bucket_that_lists_anything_else_leave() -> None:
    changes, state = await first_listing(Holding(("note.txt", 3)), KNOWN)
    assert [each for each in changes if isinstance(each, FilesGone)] == [FilesGone(tuple(path for path, _ in KNOWN))]
    assert state == BucketState(AT)


async def test_a_bucket_of_which_nothing_is_known_may_be_empty() -> None:
    changes, state = await first_listing(Holding(), [])
    assert changes == [SourceRecovered(BUCKET.root)]
    assert state == BucketState(AT)
