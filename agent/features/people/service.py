"""The people room: naming, identification, clusters, review, search, names in sidecars, and the recognition switch."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from agent.domain.edits import EditStep
from agent.features.library.activity import WorkState
from agent.features.people.cluster_cards import ClusterCards
from agent.features.people.clusters import ClusterUpdater
from agent.features.people.editor import PeopleEditor
from agent.features.people.erasure_list import ErasureList
from agent.features.people.face_search import FaceFinder, FaceSearch, MatcherFinder
from agent.features.people.identification import Identification
from agent.features.people.queries.people_queries import PeopleQueries
from agent.features.people.recognition_switch import Backups, RecognitionSwitch
from agent.features.people.review import Review
from agent.features.people.sidecars.sidecar_names import SidecarNames
from agent.features.people.sidecars.sidecar_store import Sidecars
from agent.inference.engine.analyser import Analyser
from agent.inference.engine.matcher_port import FaceMatcher
from agent.infrastructure.core.leadership import Leadership
from agent.infrastructure.core.memory_trimmer import MemoryTrimmer
from agent.infrastructure.core.observable import ChangeSignal, Observable
from agent.infrastructure.core.service_context import Environment


@dataclass(frozen=True, slots=True)
class PeopleEdges:
    """Recognition's dependencies outside the library."""

    matcher: FaceMatcher
    backups: Backups
    forgotten: ErasureList
    sidecars: Sidecars
    renamed: Callable[[str, str | None], bool | None]  # updates a person's name in the settings, see `PeopleEditor`
    finder: FaceFinder | None = None  # None: the matcher


class PeopleService:
    def __init__(
        self,
        library: PeopleQueries,
        analyser: Analyser,
        edges: PeopleEdges,
        work: WorkState,
        trimmer: MemoryTrimmer,
        environment: Environment,
        leadership: Leadership,
    ) -> None:
        self.queued = ChangeSignal()
        """photos may be to be analysed again"""
        self.changes = Observable(0)
        """how often clusters or identities were formed since the start"""
        self._leadership = leadership
        self._matcher = edges.matcher
        self._environment = environment
        self.identification = Identification(library, edges.matcher, environment)
        self.switch = RecognitionSwitch(library, analyser, self.identification, edges.backups, environment)
        self.people = PeopleEditor(library, self.identification, edges.forgotten, environment, renamed=edges.renamed, trimmer=trimmer)
        self.sidecars = SidecarNames(library, edges.sidecars, work, environment, adopt=self.people.edit, reads=lambda: leadership.leads)
        self.search = FaceSearch(library, analyser, edges.matcher, edges.finder or MatcherFinder(library, edges.matcher), environment)
        self.review = Review(library, edges.matcher, environment)
        self.group_cards = ClusterCards(library, edges.matcher)
        self.clusters = ClusterUpdater(library, edges.matcher, work, environment)
        self.people.forgetting.append(self.sidecars.forgetting)
        self.people.backups_stale.subscribe(self.switch.backups_stale)
        self.people.said.subscribe(self._said)
        self.identification.formed.subscribe(self._formed)
        self.clusters.formed.subscribe(self._formed)

    def _formed(self, _: None) -> None:
        self.changes.set(self.changes.value + 1)

    def _said(self, step: EditStep) -> None:
        self.sidecars.said(step)
        self.queued.notify()  # a person may have to be recognised again

    async def prepare(self) -> None:
        """Complete pending deletions before anything else runs. Raises StoreError."""
        await self.people.reapply_forgotten()
        await self.switch.follow(self._environment.settings.value)

    async def run(self) -> None:
        """Work in the background, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for service in (self.people, self.sidecars, self.switch):
                tasks.create_task(service.run())
            tasks.create_task(self._leadership.during(self.clusters.run))

    async def close(self) -> None:
        await self._matcher.close()
