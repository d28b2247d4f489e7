"""Indexes that are kept: for the reaches that asked last, as far as there is room."""

from array import array

import pytest

from agent.domain.errors import StoreBusy
from agent.features.library import index_snapshot
from agent.features.library.index_snapshot import WholeIndex, WholeIndexes
from agent.infrastructure.core.access_scope import AccessScope, current_scope, reaching
from agent.infrastructure.store.change_cursor import Moment


class Library:
    """Of two images, within every reach."""

    def __init__(self) -> None:
        self.read = list[tuple[AccessScope | None, bool]]()  # by whom, and whether anew
        self.fails = False

    def whole_index(self, before: WholeIndex | None) -> WholeIndex | None:
        self.read.append((current_scope(), before is None))
        if self.fails:
            raise StoreBusy
        columns = array("i", (2, 1)), array("H", (100, 100)), array("q", (7, 7)), array("i", (3, 4))
        return before or WholeIndex(Moment("", "", 0.0), *columns)


def faces_of(indexes: WholeIndexes, reach: AccessScope | None) -> int:
    with reaching(reach), indexes.current() as index:
        assert index is not None
        return index.faces


SCHOOL, CLINIC = AccessScope(frozenset({1})), AccessScope(frozenset({2}))


def test_each_reach_has_one_that_is_read_once() -> None:
    library = Library()
    indexes = WholeIndexes(library)
    curator = AccessScope(frozenset({1}), curates=True)
    assert [faces_of(indexes, each) for each in (SCHOOL, None, curator, SCHOOL)] == [7] * 4
    assert library.read == [(SCHOOL, True), (None, True), (SCHOOL, False), (SCHOOL, False)]
    indexes.forget()
    faces_of(indexes, None)
    assert library.read[-1] == (None, True)


def test_who_uses_one_keeps_their_own_reach() -> None:
    curator = AccessScope(frozenset({1}), curates=True)
    with reaching(curator), WholeIndexes(Library()).current():
        assert current_scope() == curator


def test_the_one_asked_for_longest_ago_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_snapshot, "_MOST_IMAGES", 4)
    library = Library()
    indexes = WholeIndexes(library)
    for each in (SCHOOL, CLINIC, SCHOOL, None, SCHOOL, CLINIC):
        faces_of(indexes, each)
    assert [anew for _, anew in library.read] == [True, True, False, True, False, True]


@pytest.mark.parametrize("count", [1, 3, 40], ids=["one", "few", "many"])
def test_those_that_changed_are_found_among_ids_whose_bytes_look_alike(count: int) -> None:
    # 1 and 256 are the same bytes, shifted: an id is also found across two others.
    ids = [0x01000000, 0x00010000, 256, 1, 0x01010101, 0, *range(1_000, 1_100)]
    columns = array("i", ids), array("H", [100] * len(ids)), array("q", [7] * len(ids)), array("i", [1] * len(ids))
    index = WholeIndex(Moment("", "", 0.0), *columns)
    changed = [256, 0, 1_050, 5, *range(1_000, 1_037)][:count]
    index.replace(frozenset(changed), (), Moment("", "", 1.0))
    assert list(index.ids) == [each for each in ids if each not in changed]
    assert index.faces == len(index.ids) == len(index.ratios) == index.days[0]


def test_after_an_error_it_is_read_anew() -> None:
    library = Library()
    indexes = WholeIndexes(library)
    faces_of(indexes, None)
    library.fails = True
    with pytest.raises(StoreBusy):
        faces_of(indexes, None)
    library.fails = False
    faces_of(indexes, None)
    assert [anew for _, anew in library.read] == [True, False, True]
