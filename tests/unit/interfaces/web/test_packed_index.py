"""The library's index as bytes, and which requests wait for one."""

import asyncio
import struct
import threading
from array import array
from datetime import date
from typing import cast
from unittest.mock import Mock

import pytest

from agent.domain.errors import StoreBusy
from agent.features.library.index_encoding import IndexAnswer, IndexAnswers, pack
from agent.features.library.index_snapshot import WholeIndex, WholeIndexes
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.records import Index, Shown
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store.change_cursor import Moment


class Slow:
    """A library whose whole index takes until it is let."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Semaphore(0), threading.Semaphore(0)
        self.asked: list[Shown] = []

    def version(self) -> int:
        return len(self.asked)  # something has always changed

    def whole_index(self, before: WholeIndex | None) -> None:
        """It can't tell what changed."""

    def large_index(self, shown: Shown) -> Index:
        self.asked.append(shown)
        if shown == Shown():
            self.begun.release()
            assert self.let.acquire(timeout=10)
        return Index((1,), (100,), ())


def answers_of(library: "Slow | Following") -> IndexAnswers:
    return IndexAnswers(cast("LibraryQueries", library), WholeIndexes(library))


async def begun(answers: IndexAnswers, slow: Slow) -> asyncio.Task[IndexAnswer]:
    task = asyncio.create_task(answers.get(Shown(), packed=True))
    assert await asyncio.to_thread(slow.begun.acquire, timeout=10)
    return task


async def test_a_search_and_a_filter_wait_for_no_index_of_all_photos() -> None:
    slow = Slow()
    answers = answers_of(slow)
    whole = await begun(answers, slow)
    assert (await answers.get(Shown(text="beach"), packed=True)).body
    assert (await answers.get(Shown(favourites=True), packed=True)).body
    slow.let.release()
    assert (await whole).body


async def test_members_of_the_same_libraries_share_an_index_whatever_their_roles() -> None:
    slow = Slow()
    answers = answers_of(slow)
    first = await begun(answers, slow)
    members: list[asyncio.Task[IndexAnswer]] = []
    for reach in (
        AccessScope(frozenset({1})),
        AccessScope(frozenset({1}), curates=True),
        AccessScope(frozenset({1}), confided=frozenset({1})),
    ):
        with reaching(reach):
            members += [asyncio.create_task(answers.get(Shown(), packed=True)) for _ in range(20)]
    await asyncio.sleep(0)
    slow.let.release(2)
    await asyncio.gather(first, *members)
    assert slow.asked == [Shown()] * 2


class Following:
    """A library that tells what changed: an image more each time that it is asked, until `most`."""

    def __init__(self, most: int) -> None:
        self.most, self.given = most, list[WholeIndex | None]()

    def version(self) -> int:
        return 0

    def whole_index(self, before: WholeIndex | None) -> WholeIndex:
        self.given.append(before)
        found = before or WholeIndex(Moment("", "", 0.0), array("i"), array("H"), array("q"), array("i"))
        number = len(found.ids) + 1
        if number <= self.most:
            found.replace(frozenset({number}), [(number, 100, 86_400_000_000 * number, 2)], found.moment)
        return found


async def test_a_followed_index_is_packed_again_only_if_it_changed() -> None:
    library = Following(most=2)
    answers = answers_of(library)
    first, second, third = [await answers.get(Shown(), packed=True) for _ in range(3)]
    assert first.body == pack(Index((1,), (100,), ((date(1970, 1, 2), 1),)))
    assert second.body == pack(Index((2, 1), (100, 100), ((date(1970, 1, 3), 1), (date(1970, 1, 2), 1))))
    assert third is second and first.etag != second.etag
    assert (await answers.get(Shown(), packed=False)).body.startswith(b'{"ids":[2,1]')
    answers.forget()
    await answers.get(Shown(), packed=True)
    assert [each is None for each in library.given] == [True, False, False, False, True]


async def test_an_index_that_could_not_be_followed_is_read_anew() -> None:
    library = Following(most=1)
    answers = answers_of(library)
    await answers.get(Shown(), packed=True)
    works, library.whole_index = library.whole_index, Mock(side_effect=StoreBusy)  # type: ignore[method-assign]
    with pytest.raises(StoreBusy):
        await answers.get(Shown(), packed=True)
    library.whole_index = works  # type: ignore[method-assign]
    await answers.get(Shown(), packed=True)
    assert library.given == [None, None]


def test_each_number_lies_where_the_page_looks_for_it() -> None:
    packed = pack(Index((7, 3_000_000_000, 1), (150, 66, 100), ((date(2026, 1, 2), 2), (date(1969, 12, 31), 1))))
    assert packed == struct.pack("<II3I2i2I3H", 3, 2, 7, 3_000_000_000, 1, 20_455, -1, 2, 1, 150, 66, 100)


def test_an_empty_library_is_two_zeros() -> None:
    assert pack(Index((), (), ())) == bytes(8)
