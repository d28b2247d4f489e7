"""Files are taken once they have stopped changing."""

from agent.adapters.settle import Settling


def test_a_file_is_steady_when_two_looks_apart_show_the_same() -> None:
    settling = Settling(steady_s=0.4, limit=10)
    assert settling.hint("/a", 0.0)
    assert settling.due(0.0, 10) == ["/a"]
    assert not settling.looked("/a", (1, 1), 0.0)
    assert settling.due(0.3, 10) == []
    assert settling.next_due() == 0.4
    assert settling.due(0.4, 10) == ["/a"]
    assert settling.looked("/a", (1, 1), 0.4)
    assert len(settling) == 0


def test_a_file_that_is_written_for_long_is_taken_once_at_its_end() -> None:
    settling = Settling(steady_s=0.4, limit=10)
    steady = []
    settling.hint("/a", 0.0)
    for tenth in range(1200):
        now = tenth / 10
        settling.hint("/a", now) if now < 60 else None
        size = min(now, 60) * 1e6
        steady += [now for path in settling.due(now, 10) if settling.looked(path, (int(size), int(size)), now)]
    assert len(steady) == 1
    assert 60 <= steady[0] < 62


def test_a_change_of_time_alone_counts() -> None:
    settling = Settling(steady_s=1, limit=10)
    settling.hint("/a", 0)
    settling.looked("/a", (5, 1), 0)
    assert not settling.looked("/a", (5, 2), 1)
    assert settling.looked("/a", (5, 2), 2)


def test_a_file_that_went_is_forgotten() -> None:
    settling = Settling(steady_s=1, limit=10)
    settling.hint("/a", 0)
    assert not settling.looked("/a", None, 0)
    assert "/a" not in settling
    assert not settling.looked("/a", (1, 1), 1)
    assert settling.next_due() is None


def test_no_more_files_wait_than_the_limit() -> None:
    settling = Settling(steady_s=1, limit=2)
    assert settling.hint("/a", 0)
    assert settling.hint("/b", 0)
    assert not settling.hint("/c", 0)
    assert settling.hint("/a", 0)  # it waits already
    assert len(settling.due(0, 1)) == 1


def test_a_folder_is_forgotten_with_all_that_is_in_it() -> None:
    settling = Settling(steady_s=1, limit=9)
    for path in ("/a/b/1", "/a/b/c/2", "/a/bc/3"):
        settling.hint(path, 0)
    assert settling.forget_below("/a/b") == ["/a/b/1", "/a/b/c/2"]
    settling.forget("/a/bc/3")
    settling.clear()
    assert len(settling) == 0
