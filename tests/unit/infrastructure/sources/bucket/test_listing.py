"""A bucket's photos from listings that an unfriendly or careless owner of the bucket may make."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from agent.domain.errors import BucketNamesUnreadable, BucketNotReached
from agent.infrastructure.sources.bucket.bucket import Bucket
from agent.infrastructure.sources.bucket.listing import Listing
from agent.infrastructure.sources.folder.folder_scan import Comparison

if TYPE_CHECKING:
    from obstore import ObjectMeta

BUCKET = Bucket("bucket-1", "photos")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def meta(path: str, size: int = 5, etag: str = '"e"') -> ObjectMeta:
    return cast("ObjectMeta", {"path": path, "size": size, "last_modified": AT, "e_tag": etag, "version": None})


class Lister:
    """What a bucket answers: parts, after which it may break off; and what is in its folders, if that can be asked."""

    def __init__(self, *pages: Sequence[ObjectMeta], ends: Exception | None = None, folders: dict[str, Any] | None = None) -> None:
        self._pages, self._ends, self._folders = pages, ends, folders or {}

    def pages(self) -> Iterator[Sequence[ObjectMeta]]:
        yield from self._pages
        if self._ends is not None:
            raise self._ends

    def folder(self, prefix: str) -> tuple[Sequence[ObjectMeta], Sequence[str]]:
        found: tuple[Sequence[ObjectMeta], Sequence[str]] | Exception = self._folders.get(prefix, ((), ()))
        if isinstance(found, Exception):
            raise found
        return found


def keys(listing: Listing) -> list[str]:
    return [path.removeprefix("s3://bucket-1/") for path, _ in listing]


def test_photos_are_listed_and_nothing_else() -> None:
    listing = Listing(Lister((meta("a.jpg"), meta("b.txt"), meta("clip.mp4"), meta("d", 0), meta("e.jpg", 0), meta("f.HEIC"))), BUCKET)
    assert keys(listing) == ["a.jpg", "f.HEIC"]
    assert listing.whole, "what stands for a folder has no bytes"


def test_the_longest_names_are_taken_and_longer_ones_are_not() -> None:
    longest, longer = "x" * 1020 + ".jpg", "照" * 341 + ".jpg"
    assert keys(Listing(Lister((meta(longest), meta(longer))), BUCKET)) == [longest]


def test_large_objects_and_equal_etags_are_told_apart_by_their_names() -> None:
    big = 5 * 1024**3
    listing = Listing(Lister((meta("a.jpg", big), meta("b.jpg", big))), BUCKET)
    (first, facts), (second, others) = list(listing)
    assert (first, second) == ("s3://bucket-1/a.jpg", "s3://bucket-1/b.jpg")
    assert facts == others and facts[0] == big


def test_one_unreadable_name_costs_its_neighbours_and_nothing_counts_as_gone() -> None:
    folders = {
        "": ([meta("a.jpg"), meta("z.jpg")], ["m/", "odd/"]),
        "m": ([meta("m/b.jpg")], ["m/n"]),
        "m/n": ([meta("m/n/c.jpg")], []),
        "odd": BucketNamesUnreadable(),
    }
    listing = Listing(Lister(ends=BucketNamesUnreadable(), folders=folders), BUCKET)
    assert keys(listing) == ["a.jpg", "m/b.jpg", "m/n/c.jpg", "z.jpg"]
    assert not listing.whole and listing.failure is None


def test_a_name_with_a_slash_at_its_start_is_noticed_by_the_order() -> None:
    """It comes first, without its slash."""
    listing = Listing(Lister((meta("lead.jpg"), meta("a.jpg"), meta("m.jpg"))), BUCKET)
    assert keys(listing) == ["lead.jpg", "m.jpg"]
    assert not listing.whole


@pytest.mark.parametrize("ends", [BucketNotReached(), BucketNamesUnreadable()])
def test_what_came_before_a_break_is_kept_and_the_break_is_told(ends: Exception) -> None:
    listing = Listing(Lister((meta("a.jpg"),), ends=ends, folders={"": BucketNotReached()}), BUCKET)
    assert keys(listing) == ["a.jpg"]
    assert not listing.whole
    assert isinstance(listing.failure, BucketNotReached)


def test_folders_in_folders_end_somewhere() -> None:
    deep = {"/".join(["d"] * depth): ((), ["/".join(["d"] * (depth + 1)) + "/"]) for depth in range(1, 400)}
    listing = Listing(Lister(ends=BucketNamesUnreadable(), folders={"": ((), ["d/"]), **deep}), BUCKET)
    assert keys(listing) == []


def test_many_known_objects_are_compared_without_being_held() -> None:
    def names() -> Iterator[str]:
        return (f"{number:07}.jpg" for number in range(20_000))

    class Many(Lister):
        def pages(self) -> Iterator[Sequence[ObjectMeta]]:
            part = []
            for name in names():
                part.append(meta(name))
                if len(part) == 50:
                    yield part
                    part = []

    known = Listing(Many(), BUCKET)
    comparison = Comparison(Listing(Many(), BUCKET), known)
    tracemalloc.start()
    try:
        changed = 0
        while not comparison.finished:
            changed += len(comparison.step())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (changed, comparison.lost) == (0, [])
    assert most < 2_000_000, "all of them would take some 10 MB"


def test_no_size_that_is_told_is_more_than_the_library_holds() -> None:
    ((_, (size, _)),) = list(Listing(Lister((meta("a.jpg", 2**64 - 1),)), BUCKET))
    assert 0 < size < 2**63
