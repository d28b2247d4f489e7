"""Which faces the card of a cluster shows."""

from collections.abc import Sequence
from typing import cast

from agent.domain.embeddings import Spread
from agent.domain.errors import EngineTimeout
from agent.features.people.cluster_cards import SHOWN, ClusterCards
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.inference.engine.matcher_port import FaceMatcher
from tests.contract.test_people import photo


class Compared:
    """A matcher that finds the given faces the least alike, or can't answer."""

    def __init__(self, *least_alike: int, fails: bool = False) -> None:
        self._least_alike, self._fails = least_alike, fails

    async def spread(self, groups: Sequence[Sequence[int]], *, most: int) -> list[Spread]:
        if self._fails:
            raise EngineTimeout
        return [Spread(tuple(each for each in self._least_alike if each in group)[:most], (), 0.0) for group in groups]


async def shown(library: RedactionQueries, matcher: Compared) -> list[list[int]]:
    cards, _ = await ClusterCards(library, cast(FaceMatcher, matcher)).page(limit=9)
    return [[face.id for face in card.faces] for card in cards]


async def test_the_least_similar_faces_come_first_and_the_best_complete_them(library: RedactionQueries) -> None:
    faces = photo(library, "a", 6)
    library.set_groups(dict.fromkeys(faces, 1))
    assert await shown(library, Compared(*reversed(faces))) == [faces[:1:-1]]
    assert await shown(library, Compared(faces[5])) == [[faces[5], *faces[: SHOWN - 1]]]


async def test_a_matcher_that_fails_leaves_the_best_of_each_cluster(library: RedactionQueries) -> None:
    faces, pair = photo(library, "a", 6), photo(library, "b", 2)
    library.set_groups(dict.fromkeys(faces, 1) | dict.fromkeys(pair, 2))
    assert await shown(library, Compared(fails=True)) == [faces[:SHOWN], pair]
