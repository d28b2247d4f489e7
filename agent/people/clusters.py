"""Clusters of similar unnamed faces, updated while nothing else is to be done."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from operator import itemgetter

import structlog

from agent.core.environment import Environment
from agent.core.observable import Notice
from agent.domain.embeddings import GroupMember
from agent.domain.errors import AgentError
from agent.domain.events import ImageIndexed, PeopleChanged, Recorded
from agent.engine.matcher_port import FaceMatcher
from agent.library.recipes import recognises
from agent.library.work_state import WorkState
from agent.people.queries.people_queries import PeopleQueries

log = structlog.get_logger()

CALM_S = 2.0  # without a new photo
RETRY_AFTER_S = 60.0
# Each step delays naming by a quarter of a second at most: placed faces, and rewritten clusters.
AT_ONCE, WRITTEN = 50, 10_000
MANY = 2_000  # from this many new faces on, all are clustered from scratch
FEW = 5_000  # up to this many faces in all, too: in half a second, and the order in which they came makes no difference


class ClusterUpdater:
    """Places new faces shortly after the last photo; forms all clusters anew if there are few faces, or if many are new."""

    def __init__(
        self,
        library: PeopleQueries,
        matcher: FaceMatcher,
        work: WorkState,
        environment: Environment,
    ) -> None:
        self.formed = Notice()
        """groups were written"""
        self._library = library
        self._matcher = matcher
        self._work = work
        self._environment = environment
        self._news = asyncio.Event()
        self._news.set()
        self._one = asyncio.Lock()

    async def run(self) -> None:
        """Run until cancelled."""
        self._news.set()  # another process may have led until now
        with self._environment.bus.listening(self._heard):
            while True:
                await self._news.wait()
                await self._calm()
                try:
                    await self.bring_up_to_date()
                except AgentError as error:
                    log.warning("groups.failed", code=error.code)
                    self._news.set()
                    await asyncio.sleep(RETRY_AFTER_S)

    async def bring_up_to_date(self) -> None:
        """Assign every face with a print to its cluster, or mark it as alone. Raises EngineError, StoreError."""
        async with self._one:
            await self._bring_up_to_date()

    async def _bring_up_to_date(self) -> None:
        while recognises(self._environment.settings.value) and (fresh := await asyncio.to_thread(self._library.ungrouped, MANY)):
            if len(fresh) >= MANY or await asyncio.to_thread(self._library.count_members) <= FEW:
                await self._form_anew()
            else:
                await self._place(fresh)
            self.formed.notify()

    async def _form_anew(self) -> None:
        members, cannot = await asyncio.to_thread(self._library.all_members)
        groups = await self._matcher.group(members, cannot)
        # Write in steps, each cluster in one piece if possible. Faces left out by a crash are clustered again.
        rows = sorted(_numbered_as_before(members, groups).items(), key=itemgetter(1))
        for start in range(0, len(rows), WRITTEN):
            await asyncio.to_thread(self._library.set_groups, dict(rows[start : start + WRITTEN]), anew=start == 0)

    async def _place(self, fresh: Sequence[GroupMember]) -> None:
        for start in range(0, len(fresh), AT_ONCE):
            some = fresh[start : start + AT_ONCE]
            changed = await self._matcher.place(some, self._library.grouped)
            alone = {member.face_id: 0 for member in some}
            await asyncio.to_thread(self._library.set_groups, alone | changed, anew=False)

    def _heard(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, ImageIndexed | PeopleChanged):
            self._news.set()

    async def _calm(self) -> None:
        """Wait for the end of a burst of photos."""
        while self._news.is_set() or self._work.running:
            self._news.clear()
            await asyncio.sleep(CALM_S)


def _numbered_as_before(members: Sequence[GroupMember], groups: Mapping[int, int]) -> dict[int, int]:
    """Return the clusters of faces, each with the number that most of its faces had: a page that shows it stays right."""
    were = {member.face_id: member.group_id for member in members if member.group_id}
    kept = Counter((group, were[face]) for face, group in groups.items() if group and face in were)
    numbers, taken = {0: 0}, {0}
    for group, before in sorted(kept, key=lambda pair: (-kept[pair], pair)):
        if group not in numbers and before not in taken:
            numbers[group] = before
            taken.add(before)
    unused = count(max(were.values(), default=0) + 1)
    for group in sorted(set(groups.values()) - numbers.keys()):
        numbers[group] = next(unused)
    return {face: numbers[group] for face, group in groups.items()}
