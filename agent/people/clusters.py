"""Clusters of similar unnamed faces, updated while nothing else is to be done."""

import asyncio
from operator import itemgetter

import structlog

from agent.core.environment import Environment
from agent.core.observable import Notice
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


class ClusterUpdater:
    """Places new faces shortly after the last photo; rebuilds all clusters if most faces are new."""

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

    async def run(self) -> None:
        """Run until cancelled."""
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
        while recognises(self._environment.settings.value) and (fresh := await asyncio.to_thread(self._library.ungrouped, MANY)):
            if len(fresh) >= MANY:
                everything = await asyncio.to_thread(self._library.all_members)
                await self._write_anew(await self._matcher.group(everything.members, everything.cannot))
                self.formed.notify()
                continue
            for start in range(0, len(fresh), AT_ONCE):
                some = fresh[start : start + AT_ONCE]
                changed = await self._matcher.place(some, self._library.grouped)
                alone = {member.face_id: 0 for member in some}
                await asyncio.to_thread(self._library.set_groups, alone | changed, anew=False)
            self.formed.notify()

    async def _write_anew(self, groups: dict[int, int]) -> None:
        """Write in steps, each cluster in one piece if possible. Faces left out by a crash are clustered again."""
        rows = sorted(groups.items(), key=itemgetter(1))
        for start in range(0, len(rows), WRITTEN):
            await asyncio.to_thread(self._library.set_groups, dict(rows[start : start + WRITTEN]), anew=start == 0)

    def _heard(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, ImageIndexed | PeopleChanged):
            self._news.set()

    async def _calm(self) -> None:
        """Wait for the end of a burst of photos."""
        while self._news.is_set() or self._work.running:
            self._news.clear()
            await asyncio.sleep(CALM_S)
