"""What crosses between agent and matcher: nothing is lost, nothing is believed unchecked."""

import struct

import pytest

from agent.domain.embeddings import ClusterInput, FaceEmbedding, Spread, numbers
from agent.domain.errors import EngineBadAnswer
from agent.domain.identity_matching import Candidate
from agent.inference.engine import matcher_calls, rpc
from agent.inference.engine.matcher_calls import EMBEDDING_BYTES, IdentifyRequest, MatcherHello, NearRequest, Prints, Roster, SpreadRequest
from agent.inference.engine.matcher_port import Query
from agent.inference.engine.matcher_service import MatchService


def embedding(place: int) -> bytes:
    values = [0.0] * (EMBEDDING_BYTES // 4)
    values[place] = 1.0
    return struct.pack(f"<{len(values)}f", *values)


def test_everything_comes_back_as_it_was_sent() -> None:
    prints = Prints.of([FaceEmbedding(1, embedding(0), 5, 0.25), FaceEmbedding(2, embedding(1))])
    query = Query((b"\xfb\xff", b""), (3, 4))
    assert matcher_calls.PUT.request.load(matcher_calls.PUT.request.dump(prints)) == prints
    assert matcher_calls.NEAR.request.load(matcher_calls.NEAR.request.dump(NearRequest(query, 1.05, 10))) == NearRequest(query, 1.05, 10)
    assert matcher_calls.IDENTIFY.request.load(matcher_calls.IDENTIFY.request.dump(IdentifyRequest(query, 1.05, 5))) == IdentifyRequest(
        query, 1.05, 5
    )
    assert matcher_calls.NEAR.response.load(matcher_calls.NEAR.response.dump([[(1, 0.5)], []])) == [[(1, 0.5)], []]
    assert matcher_calls.HELLO.response.load(matcher_calls.HELLO.response.dump(MatcherHello(7))) == MatcherHello(7)
    assert matcher_calls.ALIGN.request.load(matcher_calls.ALIGN.request.dump(Roster((1, 3), (2, 0)))) == Roster((1, 3), (2, 0))
    assert matcher_calls.DROP.request.load(matcher_calls.DROP.request.dump((1, 2))) == (1, 2)
    assert len(query) == 4


def test_prints_go_by_column_and_in_parts_and_those_of_another_length_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matcher_calls, "AT_ONCE", 2)
    prints = [FaceEmbedding(1, embedding(0), 5), FaceEmbedding(2, b"short"), FaceEmbedding(3, embedding(2), trust=0.5)]
    assert list(matcher_calls.parts(prints)) == [Prints((1,), embedding(0), (5,), (1.0,)), Prints((3,), embedding(2), (0,), (0.5,))]


def test_columns_of_different_lengths_are_refused() -> None:
    for wrong in (Prints((1, 2), embedding(0), (0,), (1.0,)), Prints((1,), embedding(0)[:8], (0,), (1.0,))):
        with pytest.raises(ValueError):
            MatchService().put(wrong)
    with pytest.raises(ValueError):
        MatchService().align(Roster((1, 2), (5,)))


@pytest.mark.parametrize("found", [[], [[], []], [[(0, 0.5)]], [[(1, -0.5)]], [[(1, 2.5)]], [[(1, 0.5), (2, 0.5)]]])
def test_faces_that_can_not_be_the_answer_are_not_believed(found: list[list[tuple[int, float]]]) -> None:
    with pytest.raises(EngineBadAnswer):
        matcher_calls.NEAR.checked(found, NearRequest(Query(faces=(9,)), 1.0, 1))
    assert matcher_calls.NEAR.checked([[(1, 0.5)]], NearRequest(Query(faces=(9,)), 1.0, 1)) == [[(1, 0.5)]]


@pytest.mark.parametrize("found", [(3,), (1, 2, 1)])
def test_faces_that_it_can_not_lack_are_not_believed(found: tuple[int, ...]) -> None:
    with pytest.raises(EngineBadAnswer):
        matcher_calls.ALIGN.checked(found, Roster((1, 2), (0, 5)))
    assert matcher_calls.ALIGN.checked((2,), Roster((1, 2), (0, 5))) == (2,)


@pytest.mark.parametrize("found", [[], [[Candidate(0, 0.5, 1, 1)]], [[Candidate(1, 0.5, 2, 1)]], [[Candidate(1, 0.5, 1, 1)] * 2]])
def test_people_that_can_not_be_the_answer_are_not_believed(found: list[list[Candidate]]) -> None:
    with pytest.raises(EngineBadAnswer):
        matcher_calls.IDENTIFY.checked(found, IdentifyRequest(Query(faces=(9,)), 1.0, 1))


@pytest.mark.parametrize(
    "found", [[], [Spread((3,), (), 0.5)], [Spread((1,), (3,), 0.5)], [Spread((1, 2), (), 0.5)], [Spread((1,), (2,), 2.5)]]
)
def test_groups_that_can_not_be_the_answer_are_not_believed(found: list[Spread]) -> None:
    asked = SpreadRequest(((1, 2),), 1)
    with pytest.raises(EngineBadAnswer):
        matcher_calls.SPREAD.checked(found, asked)
    assert matcher_calls.SPREAD.checked([Spread((1,), (2,), 0.5)], asked) == [Spread((1,), (2,), 0.5)]


def test_numbers_that_are_none_are_bad_answers() -> None:
    with pytest.raises(EngineBadAnswer):
        rpc.believe(rpc.answer(1, [[[1, float("nan")]]]), 1, matcher_calls.NEAR.response)


def test_groups_are_told_whole_and_some_at_a_time() -> None:
    sizes = (1, 3, 12_000, 2, 9_000, 5)
    members = [ClusterInput(1 + face, 1, group_id=face % 7) for face in range(100)]
    members += [ClusterInput(1_000 * group + each, 1, group_id=100 + group) for group, size in enumerate(sizes) for each in range(size)]
    members.sort(key=lambda each: each.group_id)
    parts = list(matcher_calls.by_group(members))
    assert sorted(face for part in parts for face in numbers(part.faces)) == sorted(each.face_id for each in members)
    assert 2 <= len(parts) <= 4
    labelled = [{group for group in numbers(part.groups) if group} for part in parts]
    assert sum(map(len, labelled)) == len(set.union(*labelled)), "none is in two parts"
    assert list(matcher_calls.by_group([])) == []
