"""Open pages ask once about what they all hear of."""

import asyncio
from collections.abc import Collection
from typing import cast

from agent.features.library.event_visibility import EventReach
from agent.features.library.queries.library_queries import LibraryQueries
from agent.infrastructure.core.access_scope import AccessScope, current_scope, reaching


class Library:
    def __init__(self) -> None:
        self.asked = list[tuple[AccessScope | None, tuple[int, ...]]]()

    def events_within_reach(self, ids: Collection[int]) -> frozenset[int]:
        self.asked.append((current_scope(), tuple(ids)))
        return frozenset(each for each in ids if each != 2)


async def test_each_reach_is_asked_about_once_however_many_listen() -> None:
    library, school, clinic = Library(), AccessScope(frozenset({1})), AccessScope(frozenset({2}))
    events = EventReach(cast("LibraryQueries", library))
    asked = list[asyncio.Task[frozenset[int]]]()
    for reach in (school, clinic):
        with reaching(reach):
            asked += [asyncio.create_task(events.within((1, 2, 3))) for _ in range(25)]
    assert set(await asyncio.gather(*asked)) == {frozenset({1, 3})}
    assert sorted(library.asked, key=repr) == [(school, (1, 2, 3)), (clinic, (1, 2, 3))]
