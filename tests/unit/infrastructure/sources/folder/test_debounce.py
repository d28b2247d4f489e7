"""Files are taken once they were closed, or have stopped changing."""

import pytest

from agent.infrastructure.sources.folder.debounce import Debouncer
from tests.support.native_paths import native


def test_a_file_is_steady_when_two_looks_apart_show_the_same() -> None:
    settling = Debouncer(steady_s=0.4, limit=10)
    assert settling.hint("/a", 0.0)
    assert settling.due(0.0, 10) == ["/a"]
    assert not settling.looked("/a", (1, 1), 0.0)
    assert settling.due(0.3, 10) == []
    assert settling.next_due() == 0.4
    assert settling.due(0.4, 10) == ["/a"]
    assert settling.looked("/a", (1, 1), 0.4)
    assert len(settling) == 0


def test_a_file_that_is_written_for_long_is_taken_once_at_its_end() -> None:
    settling = Debouncer(steady_s=0.4, limit=10)
    steady = []
    settling.hint("/a", 0.0)
    for tenth in range(1200):
        now = tenth / 10
        settling.hint("/a", now) if now < 60 else None
        size = min(now, 60) * 1e6
        steady += [now for path in settling.due(now, 10) if settling.looked(path, (int(size), int(size)), now)]
    assert len(steady) == 1
    assert 60 <= steady[0] < 62


def test_a_closed_file_is_taken_at_the_first_look() -> None:
    settling = Debouncer(steady_s=0.4, limit=10)
    settling.hint("/a", 0.0)
    assert not settling.looked("/a", (1, 1), 0.0)
    settling.hint("/a", 0.1, closed=True)  # long before it would be due
    settling.hint("/b", 0.1, closed=True)
    assert settling.closed("/b")
    assert settling.due(0.1, 10) == ["/a", "/b"]
    assert settling.looked("/a", (9, 9), 0.1)
    assert settling.looked("/b", (1, 1), 0.1)
    assert not settling.closed("/b")
    assert len(settling) == 0


def test_an_empty_file_is_not_complete_because_it_was_closed() -> None:
    settling = Debouncer(steady_s=0.4, limit=10)
    settling.hint("/a", 0.0, closed=True)
    assert not settling.looked("/a", (0, 1), 0.0)
    assert settling.next_due() == 0.4
    settling.hint("/a", 0.1, closed=True)
    assert settling.looked("/a", (5, 2), 0.1)


def test_where_nothing_tells_of_closing_a_file_that_keeps_still_is_taken_sooner() -> None:
    settling = Debouncer(steady_s=8, limit=10, eager=True)
    settling.hint("/a", 0)
    looks = [(now, settling.looked("/a", (5, 5), now)) for now in range(8) if settling.due(now, 10)]
    assert looks == [(0, False), (1, False), (3, True)]


@pytest.mark.parametrize("sizes", [(0, 0), (5, 6, 6)], ids=["empty", "growing"])
def test_where_nothing_tells_of_closing_a_file_that_is_written_slowly_is_waited_for(sizes: tuple[int, ...]) -> None:
    settling = Debouncer(steady_s=8, limit=10, eager=True)
    settling.hint("/a", 1)
    for size in sizes[:-1]:
        assert not settling.looked("/a", (size, 0), 1)
    assert settling.next_due() == 9
    assert settling.looked("/a", (sizes[-1], 0), 9)


def test_a_change_of_time_alone_counts() -> None:
    settling = Debouncer(steady_s=1, limit=10)
    settling.hint("/a", 0)
    settling.looked("/a", (5, 1), 0)
    assert not settling.looked("/a", (5, 2), 1)
    assert settling.looked("/a", (5, 2), 2)


def test_a_file_that_went_is_forgotten() -> None:
    settling = Debouncer(steady_s=1, limit=10)
    settling.hint("/a", 0)
    assert not settling.looked("/a", None, 0)
    assert "/a" not in settling
    assert not settling.looked("/a", (1, 1), 1)
    assert settling.next_due() is None


def test_no_more_files_wait_than_the_limit() -> None:
    settling = Debouncer(steady_s=1, limit=2)
    assert settling.hint("/a", 0)
    assert settling.hint("/b", 0)
    assert not settling.hint("/c", 0)
    assert settling.hint("/a", 0)  # it waits already
    assert len(settling.due(0, 1)) == 1


def test_a_folder_is_forgotten_with_all_that_is_in_it() -> None:
    settling = Debouncer(steady_s=1, limit=9)
    one, two, other = map(native, ("/a/b/1", "/a/b/c/2", "/a/bc/3"))
    for path in (one, two, other):
        settling.hint(path, 0)
    assert settling.forget_below(native("/a/b")) == [one, two]
    settling.forget(other)
    settling.clear()
    assert len(settling) == 0
