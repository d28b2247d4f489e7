"""Whatever was put into the index of faces and taken out of it, it answers as comparing one by one does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.embeddings import Near
from agent.domain.identity_matching import Candidate
from agent.inference.vision import face_index as module
from agent.inference.vision import vectors as blocks
from agent.inference.vision.embedder import DIMENSIONS
from agent.inference.vision.face_index import FaceIndex, FaceQueries
from tests.support.synthetic_embeddings import Floats, face

Library = dict[int, tuple[Floats, int]]  # face id -> vector, person

PEOPLE = 6
IDS = st.integers(1, 40)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.tuples(IDS, st.integers(0, 9_999), st.integers(0, PEOPLE)), max_size=12)),
        st.tuples(st.just("drop"), st.lists(IDS, max_size=12)),
        st.tuples(st.just("assign"), st.dictionaries(IDS, st.integers(0, PEOPLE), max_size=12)),
        st.tuples(st.just("clear"), st.none()),
    ),
    max_size=12,
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 8)
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    monkeypatch.setattr(module, "_SCORES", 50)


def put(index: FaceIndex, rows: list[tuple[int, int, int]]) -> None:
    ids, seeds, people = np.array(rows, np.int64).reshape(-1, 3).T
    index.put(ids, np.array([face(seed) for seed in seeds], np.float32).reshape(-1, DIMENSIONS), people, np.ones(len(ids), np.float32))


def near_by_hand(library: Library, query: Floats, itself: int, within: float, limit: int) -> list[Near]:
    found = [(face, float(np.linalg.norm(vector.astype(np.float64) - query))) for face, (vector, _) in library.items() if face != itself]
    return sorted((each for each in found if each[1] <= within), key=lambda each: each[1])[:limit]


def people_by_hand(library: Library, query: Floats, itself: int, probable: float, most: int) -> list[Candidate]:
    found = []
    for person in {person for _, person in library.values() if person}:
        apart = [float(np.linalg.norm(vector - query)) for face, (vector, of) in library.items() if of == person and face != itself]
        if apart:
            theirs = [vector for face, (vector, of) in library.items() if of == person and face != itself]
            middle = np.sum(theirs, axis=0)
            typical = float(np.linalg.norm(query - middle / np.linalg.norm(middle)))
            found.append(Candidate(person, min(apart), sum(distance <= probable for distance in apart), len(apart), typical, min(apart)))
    return sorted(found, key=lambda candidate: candidate.nearest)[:most]


@given(STEPS, st.lists(st.integers(0, 9_999), min_size=1, max_size=9))
@settings(max_examples=30)
def test_after_any_changes_it_answers_as_comparing_one_by_one_does(steps: list[tuple[str, object]], strangers: list[int]) -> None:
    index, library = FaceIndex(), dict[int, tuple[Floats, int]]()
    for what, how in steps:
        if what == "put":
            assert isinstance(how, list)
            put(index, how)
            library |= {face_id: (face(seed), person) for face_id, seed, person in how}
        elif what == "drop":
            assert isinstance(how, list)
            index.drop(np.array(how, np.int64))
            library = {face_id: row for face_id, row in library.items() if face_id not in how}
        elif what == "assign":
            assert isinstance(how, dict)
            index.assign(how)
            library |= {face_id: (library[face_id][0], person) for face_id, person in how.items() if face_id in library}
        else:
            index.clear()
            library = {}
    assert dict(zip(index.ids.tolist(), index.people.tolist(), strict=True)) == {face_id: row[1] for face_id, row in library.items()}
    asked = [*((face(seed), 0) for seed in strangers), *((vector, face_id) for face_id, (vector, _) in library.items())]
    queries = FaceQueries.of(np.array([face(seed) for seed in strangers]))
    inside = index.faces(np.array(list(library), np.int64))
    for within, limit in ((1.0, 3), (1.3, 50)):
        answers = index.near(queries, within, limit) + index.near(inside, within, limit)
        for answer, (query, itself) in zip(answers, asked, strict=True):
            check_near(answer, near_by_hand(library, query, itself, within, limit))
    for answer, (query, itself) in zip(index.near(queries, 2.0, 4) + index.near(inside, 2.0, 4), asked, strict=True):
        check_near(answer, near_by_hand(library, query, itself, 2.1, 4))
    for named, (query, itself) in zip(index.identify(queries, 1.05, 3) + index.identify(inside, 1.05, 3), asked, strict=True):
        check_people(named, people_by_hand(library, query, itself, 1.05, 3))


def check_near(answer: list[Near], expected: list[Near]) -> None:
    """Distances are right but for the rounding; which of two equally near ones comes first is not said."""
    assert [distance for _, distance in answer] == pytest.approx([distance for _, distance in expected], abs=2e-2)
    assert len({face_id for face_id, _ in answer}) == len(answer)


def check_people(answer: list[Candidate], expected: list[Candidate]) -> None:
    assert [each.nearest for each in answer] == pytest.approx([each.nearest for each in expected], abs=2e-2)
    if [each.person_id for each in answer] == [each.person_id for each in expected]:
        assert [(each.agree, each.references) for each in answer] == [(each.agree, each.references) for each in expected]
        assert [each.distance for each in answer] == pytest.approx([each.distance for each in expected], abs=2e-2)
        assert [each.sure_distance for each in answer] == pytest.approx([each.sure_distance for each in expected], abs=2e-2)
    else:  # two people are equally near: which comes first, or is left out, is not said
        wanted = {each.person_id: each.references for each in expected}
        assert all(each.references == wanted.get(each.person_id, each.references) for each in answer)
