"""Clusters of similar unnamed faces, updated while nothing else is to be done."""

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, islice

import structlog

from agent.domain.embeddings import ClusterInput, ClusterInputs, numbers
from agent.domain.errors import AgentError
from agent.domain.events import ImageIndexed, PeopleChanged, StoredEvent
from agent.features.library.activity import WorkState
from agent.features.library.recipes import recognises
from agent.features.people.queries.people_queries import PeopleQueries
from agent.inference.engine.matcher_port import FaceMatcher
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment

log = structlog.get_logger()

CALM_S = 2.0  # without a new photo or name
LONGEST_S = 10.0  # that many new faces wait for calm: a scan may take a day, and a member may name without a pause
RETRY_AFTER_S = 60.0
# Each step delays naming by a quarter of a second at most: placed faces, and rewritten clusters.
AT_ONCE, WRITTEN = 50, 2_500
# Placing a face takes some milliseconds, so does clustering twenty faces from scratch: if so many are new, it is done anew.
MANY, SHARE = 2_000, 20
# Without calm, clusters are formed when such a part of the faces is new: over a scan of any length that takes about four times as long
# altogether as forming them once at its end.
SHARE_MEANWHILE = 4
FEW = 5_000  # up to this many faces in all, too: in half a second, and the order in which they came makes no difference


class ClusterUpdater:
    """Places new faces shortly after the last photo; forms all clusters anew if there are few faces, or if many are new.

    During a long scan it forms them anew whenever a good part of the faces is new.
    """

    def __init__(
        self,
        library: PeopleQueries,
        matcher: FaceMatcher,
        work: WorkState,
        environment: Environment,
    ) -> None:
        self.formed = ChangeSignal()
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
                calm = await self._calm()
                try:
                    await self.bring_up_to_date(few=calm)
                except AgentError as error:
                    log.warning("groups.failed", code=error.code)
                    self._news.set()
                    await asyncio.sleep(RETRY_AFTER_S)

    async def bring_up_to_date(self, *, few: bool = True) -> None:
        """Assign every face with a print to its cluster, or mark it as alone. Raises EngineError, StoreError.

        Without `few`, new faces that are no good part of all wait for calm.
        """
        async with self._one:
            await self._bring_up_to_date(few)

    async def _bring_up_to_date(self, few: bool) -> None:
        while recognises(self._environment.settings.value) and (fresh := await asyncio.to_thread(self._library.ungrouped, MANY)):
            every, new = await asyncio.to_thread(self._library.count_members)
            if not few and new < max(MANY, every // SHARE_MEANWHILE):
                self._news.set()
                return
            if every <= FEW or new >= max(MANY, every // SHARE):
                await self._form_anew()
            else:
                await self._place(fresh)
            self.formed.notify()

    async def _form_anew(self) -> None:
        await asyncio.to_thread(self._library.drop_without_print)
        members = await asyncio.to_thread(self._library.all_members)
        groups = await self._matcher.group(members)
        changed = await asyncio.to_thread(_changed, members, groups)
        while some := dict(islice(changed, WRITTEN)):
            await asyncio.to_thread(self._library.set_groups, some)

    async def _place(self, fresh: Sequence[ClusterInput]) -> None:
        for start in range(0, len(fresh), AT_ONCE):
            some = fresh[start : start + AT_ONCE]
            changed = await self._matcher.place(some, self._library.grouped)
            alone = {member.face_id: 0 for member in some}
            await asyncio.to_thread(self._library.set_groups, alone | changed)

    def _heard(self, recorded: StoredEvent) -> None:
        if isinstance(recorded.event, ImageIndexed | PeopleChanged):
            self._news.set()

    async def _calm(self) -> bool:
        """Wait for the end of a burst of photos or names; return False if it goes on and on."""
        latest = time.monotonic() + LONGEST_S
        while self._news.is_set() or self._work.running:
            if time.monotonic() >= latest:
                return False
            self._news.clear()
            await asyncio.sleep(CALM_S)
        return True


def _changed(members: ClusterInputs, groups: bytes) -> Iterator[tuple[int, int]]:
    """Return the faces whose cluster changed, with the new one, cluster by cluster.

    New faces come last: as long as many have no cluster, for example after a crash, all are clustered again.
    """
    faces, before = numbers(members.faces), numbers(members.groups)
    after = _numbered_as_before(before, numbers(groups))
    rows = [row for row, (were, are) in enumerate(zip(before, after, strict=True)) if were != are]
    rows.sort(key=lambda row: (before[row] < 0, after[row]))
    return ((faces[row], after[row]) for row in rows)


def _numbered_as_before(before: Sequence[int], groups: Sequence[int]) -> "array[int]":
    """Return the clusters of faces, each with the number that most of its faces had: a page that shows it stays right."""
    kept = Counter((group, were) for group, were in zip(groups, before, strict=True) if group and were > 0)
    numbered, taken = {0: 0}, {0}
    for group, were in sorted(kept, key=lambda pair: (-kept[pair], pair)):
        if group not in numbered and were not in taken:
            numbered[group] = were
            taken.add(were)
    unused = count(max(max(before, default=0), 0) + 1)
    for group in sorted(set(groups) - numbered.keys()):
        numbered[group] = next(unused)
    return array("q", (numbered[group] for group in groups))
