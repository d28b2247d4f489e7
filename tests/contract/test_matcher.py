"""Every FaceMatcher keeps the port's promises: the process and the one in this process."""

import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from operator import itemgetter

import numpy as np
import pytest
import pytest_asyncio

from agent.domain.embeddings import ClusterInput, ClusterInputs, FaceEmbedding, numbers
from agent.inference.engine.matcher import MatcherProcess
from agent.inference.engine.matcher_port import ClusterMembers, FaceMatcher, Query
from tests.support.inline_engine import InlineMatcher

pytestmark = pytest.mark.asyncio

MEI, WANG = 7, 8


def embedding(person: int, number: int = 0) -> bytes:
    """The same person's are about 0.7 apart, different people's about 1.4."""
    vector = np.random.default_rng(person).standard_normal(192) + 0.6 * np.random.default_rng([person, number]).standard_normal(192)
    return (vector / np.linalg.norm(vector)).astype("<f4").tobytes()


class Store:
    """What the library holds, and how often it was read."""

    def __init__(self, *prints: FaceEmbedding) -> None:
        self.prints = {each.face_id: each for each in prints}
        self.read = 0

    def __call__(self) -> Iterator[Sequence[FaceEmbedding]]:
        self.read += 1
        for each in list(self.prints.values()):
            yield [each]


@pytest.fixture
def store() -> Store:
    return Store(
        FaceEmbedding(1, embedding(1, 1), MEI),
        FaceEmbedding(2, embedding(1, 2), MEI),
        FaceEmbedding(3, embedding(2, 1), WANG),
        FaceEmbedding(4, embedding(1, 3)),
        FaceEmbedding(5, embedding(3, 1)),
    )


@pytest_asyncio.fixture(params=["process", "inline"])
async def matcher(request: pytest.FixtureRequest, store: Store) -> AsyncIterator[FaceMatcher]:
    made: FaceMatcher
    if request.param == "inline":
        made = InlineMatcher(store)
    else:
        made = MatcherProcess(
            store, command=[sys.executable, "-c", "from agent.inference.engine.matcher_worker import main; raise SystemExit(main())"]
        )
    yield made
    await made.close()


async def ids(matcher: FaceMatcher, query: Query, within: float = 1.1, limit: int = 10) -> list[list[int]]:
    return [[face for face, _ in row] for row in await matcher.near(query, within=within, limit=limit)]


async def named(matcher: FaceMatcher, *faces: int) -> list[list[tuple[int, int, int]]]:
    return [
        [(each.person_id, each.agree, each.references) for each in row if each.distance < 1.1]
        for row in await matcher.identify(Query(faces=faces), probable=1.05)
    ]


async def test_it_is_read_when_first_asked_and_only_then(matcher: FaceMatcher, store: Store) -> None:
    await matcher.put([FaceEmbedding(9, embedding(9))])
    assert store.read == 0
    found = await matcher.near(Query((embedding(1, 9),), (5, 4, 77)), within=1.1, limit=10)
    assert [sorted(face for face, _ in row) for row in found] == [[1, 2, 4], [], [1, 2], []]
    assert all(0 < distance < 1.1 for distance in dict(found[0]).values())
    assert await ids(matcher, Query()) == [] and store.read == 1


async def test_the_nearest_come_first_and_no_more_than_asked_for(matcher: FaceMatcher) -> None:
    (found,) = await matcher.near(Query((embedding(2, 1),)), within=2.0, limit=3)
    assert found[0][0] == 3 and found[0][1] == pytest.approx(0, abs=0.02) and len(found) == 3
    assert [distance for _, distance in found] == sorted(distance for _, distance in found)


async def test_the_named_faces_among_those_near_are_found_however_many_are_nearer(matcher: FaceMatcher, store: Store) -> None:
    (found,) = await matcher.near(Query(faces=(4,)), within=1.1, limit=1, named=True)
    await matcher.put([FaceEmbedding(found[0][0], embedding(1, found[0][0]))])  # it has no name any more
    [left] = {1, 2} - {found[0][0]}
    assert [face for face, _ in (await matcher.near(Query(faces=(4,)), within=1.1, limit=9, named=True))[0]] == [left]


async def test_the_people_it_may_be_are_those_of_other_faces(matcher: FaceMatcher) -> None:
    assert await named(matcher, 4, 1, 3) == [[(MEI, 2, 2)], [(MEI, 1, 1)], []]
    (candidates,) = await matcher.identify(Query((embedding(2, 5),)), probable=1.05, most=1)
    assert [each.person_id for each in candidates] == [WANG]


async def test_changes_are_known_at_once(matcher: FaceMatcher, store: Store) -> None:
    assert await named(matcher, 4) == [[(MEI, 2, 2)]]
    await matcher.put([FaceEmbedding(1, embedding(1, 1)), FaceEmbedding(2, embedding(1, 2), WANG)])
    assert await named(matcher, 4) == [[(WANG, 1, 2)]]
    await matcher.put([FaceEmbedding(6, embedding(1, 6), MEI), FaceEmbedding(5, embedding(1, 7))])
    assert [sorted(row) for row in await named(matcher, 4, 5)] == [[(MEI, 1, 1), (WANG, 1, 2)]] * 2
    await matcher.drop([2, 3, 55])
    assert await named(matcher, 4, 5) == [[(MEI, 1, 1)]] * 2
    assert [sorted(row) for row in await ids(matcher, Query(faces=(4,)))] == [[1, 5, 6]]
    assert store.read == 1


async def test_it_takes_over_what_another_process_changed_and_says_what_it_lacks(matcher: FaceMatcher, store: Store) -> None:
    assert await matcher.align(lambda: {1: WANG}) == [], "it will read everything when it is asked"
    await matcher.put([FaceEmbedding(7, embedding(1, 7), MEI, trust=0.0)])
    assert await named(matcher, 4) == [[(MEI, 2, 2)]]
    await matcher.put([FaceEmbedding(7, embedding(1, 7), trust=0.0)])
    # The first is no longer named, the second is somebody else, the third is gone, the seventh is too poor to tell anything.
    assert sorted(await matcher.align(lambda: {1: 0, 2: WANG, 4: 0, 5: 0, 7: MEI, 8: MEI, 9: 0})) == [8, 9]
    assert await named(matcher, 4) == [[(WANG, 1, 1)]]
    assert await ids(matcher, Query((embedding(2, 1),))) == [[]]
    await matcher.put([FaceEmbedding(8, embedding(1, 8), MEI)])
    assert sorted((await named(matcher, 4))[0]) == [(MEI, 1, 1), (WANG, 1, 1)] and store.read == 1


async def test_what_it_forgot_it_reads_anew(matcher: FaceMatcher, store: Store) -> None:
    assert await named(matcher, 4) == [[(MEI, 2, 2)]]
    matcher.forget()
    store.prints = {4: FaceEmbedding(4, embedding(1, 3)), 8: FaceEmbedding(8, embedding(1, 8), WANG)}
    assert await named(matcher, 4) == [[(WANG, 1, 1)]] and store.read == 2


async def test_a_print_that_is_none_hurts_nobody(matcher: FaceMatcher, store: Store) -> None:
    store.prints |= {
        20: FaceEmbedding(20, b"short", MEI),
        21: FaceEmbedding(21, b"\xff" * 768, MEI),
        22: FaceEmbedding(22, bytes(768), MEI),
    }
    assert await named(matcher, 4) == [[(MEI, 2, 2)]]
    assert await ids(matcher, Query((b"", b"\xff" * 768, bytes(768)), (20, 21, 22)), within=2.0) == [[]] * 6


async def test_an_empty_library_is_no_trouble(matcher: FaceMatcher, store: Store) -> None:
    store.prints = {}
    assert await ids(matcher, Query((embedding(1),), (1,))) == [[], []]
    assert await matcher.identify(Query((embedding(1),)), probable=1.0) == [[]]
    await matcher.put([FaceEmbedding(1, embedding(1), MEI)])
    assert [each.person_id for each in (await matcher.identify(Query((embedding(1),)), probable=1.0))[0]] == [MEI]


async def test_faces_are_grouped_from_nothing_and_as_they_come(matcher: FaceMatcher, store: Store) -> None:
    for number in range(6):
        store.prints[10 + number] = FaceEmbedding(10 + number, embedding(7, number))
        store.prints[20 + number] = FaceEmbedding(20 + number, embedding(8, number))
    members = [ClusterInput(face, photo_id=face) for face in store.prints]
    sent = ClusterInputs.of([*members, ClusterInput(99, 99)])
    groups = dict(zip(numbers(sent.faces), numbers(await matcher.group(sent)), strict=True))
    seven, eight = {groups[10 + number] for number in range(6)}, {groups[20 + number] for number in range(6)}
    assert len(seven) == len(eight) == 1 and seven != eight and groups[5] == groups[99] == 0
    new = FaceEmbedding(30, embedding(7, 6))
    store.prints[30] = new
    await matcher.put([new])
    told = [ClusterInput(face, face, group_id=group) for face, group in sorted(groups.items(), key=itemgetter(1))]
    assert await matcher.place([ClusterInput(30, 30)], lambda: ClusterMembers(iter(told))) == {30: seven.pop()}
    assert await matcher.place([ClusterInput(30, 30)], lambda: ClusterMembers(told)) == {}, "it has its place"
