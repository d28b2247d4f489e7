"""Answers kept for as long as the library stays as it was."""

import threading

import pytest

from agent.interfaces.web.version_cache import VersionedCache


class Shelf:
    """What is read, and how often it was."""

    def __init__(self) -> None:
        self.version = 1
        self.reads = 0

    def read(self) -> str:
        self.reads += 1
        return f"of {self.version}"


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def remembered(shelf: Shelf) -> VersionedCache[str]:
    return VersionedCache(lambda: shelf.version, 2)


def test_it_is_read_once_until_something_changes(shelf: Shelf, remembered: VersionedCache[str]) -> None:
    assert [remembered.get("a", shelf.read) for _ in range(3)] == ["of 1"] * 3
    shelf.version = 2
    assert [remembered.get("a", shelf.read) for _ in range(3)] == ["of 2"] * 3
    assert shelf.reads == 2


def test_a_change_while_it_is_read_makes_it_old(shelf: Shelf, remembered: VersionedCache[str]) -> None:
    def read() -> str:
        found = shelf.read()
        shelf.version += 1
        return found

    assert remembered.get("a", read) == "of 1"
    assert remembered.get("a", shelf.read) == "of 2"


def test_those_asked_for_last_are_kept(shelf: Shelf, remembered: VersionedCache[str]) -> None:
    for key in ("a", "b", "a", "c", "a"):
        remembered.get(key, shelf.read)
    assert shelf.reads == 3
    remembered.get("b", shelf.read)
    assert shelf.reads == 4


def test_what_could_not_be_read_is_tried_again(shelf: Shelf, remembered: VersionedCache[str]) -> None:
    def fail() -> str:
        raise LookupError

    with pytest.raises(LookupError):
        remembered.get("a", fail)
    assert remembered.get("a", shelf.read) == "of 1"


def test_what_is_forgotten_is_read_again(shelf: Shelf, remembered: VersionedCache[str]) -> None:
    remembered.get("a", shelf.read)
    remembered.forget()
    remembered.get("a", shelf.read)
    assert shelf.reads == 2


def test_forgetting_does_not_wait_for_a_reading(shelf: Shelf, remembered: VersionedCache[str]) -> None:
    def read() -> str:
        remembered.forget()
        return shelf.read()

    assert [remembered.get("a", read) for _ in range(2)] == ["of 1"] * 2
    assert shelf.reads == 1


def test_two_who_ask_at_once_cost_one_reading(shelf: Shelf, remembered: VersionedCache[str]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(10)
        return shelf.read()

    first = threading.Thread(target=remembered.get, args=("a", slow))
    second = threading.Thread(target=remembered.get, args=("a", shelf.read))
    first.start()
    assert begun.wait(10)
    second.start()
    go_on.set()
    first.join(10)
    second.join(10)
    assert shelf.reads == 1
