"""All that recognition is made of, put together: who is known, opinions, groups, search, names in sidecars, and its switch."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from agent.core.bus import Bus
from agent.core.settings import Settings
from agent.domain.edits import Step
from agent.domain.errors import AgentError
from agent.domain.image import Recipe
from agent.domain.people import Bounds
from agent.engine.analyser import Analyse, Analyser
from agent.engine.matcher_port import FaceMatcher
from agent.library.library_port import ForgottenList, Library
from agent.people.cluster_cards import GroupCards
from agent.people.clusters import Grouper
from agent.people.face_search import FaceSearch
from agent.people.identification import Opinions
from agent.people.naming import People
from agent.people.recognition_switch import Backups, RecognitionSwitch
from agent.people.review import Review
from agent.people.sidecars.sidecar_names import SidecarNames
from agent.people.sidecars.sidecar_port import SidecarStore


@dataclass(frozen=True, slots=True)
class Asked:
    """What recognition asks the rest of the agent."""

    settings: Callable[[], Settings]
    recipe: Callable[[], Recipe]  # where no folder says otherwise
    task: Callable[[str], Analyse]  # for a face print that is stored nowhere
    idle: Callable[[], bool]  # no photo is being analysed
    paused: Callable[[], bool]  # by the user
    changed: Callable[[], None]  # what is told of people is to be read anew
    queued: Callable[[], None]  # photos may be to be looked at again
    tell: Callable[[AgentError | None], None]  # what stands in the way of deleting, and None when it is over
    clock: Callable[[], datetime]
    renamed: Callable[[str, str | None], bool | None]  # has the settings follow a person's name
    clean: Callable[[], Awaitable[None]]  # frees what caches hold of a forgotten person

    def bounds(self) -> Bounds:
        recognition = self.settings().recognition
        return Bounds(recognition.certain, recognition.probable)

    def wanted(self) -> bool:
        """Recognition is on."""
        return self.recipe().embedder is not None


class Recognising:
    def __init__(
        self,
        library: Library,
        analyser: Analyser,
        matcher: FaceMatcher,
        bus: Bus,
        backups: Backups,
        forgotten: ForgottenList,
        sidecars: SidecarStore,
        asked: Asked,
    ) -> None:
        self._matcher = matcher
        self._asked = asked
        self.changes = 0  # how often groups or opinions were formed since the start
        self.opinions = Opinions(library, matcher, recipe=asked.recipe, bounds=asked.bounds, clock=asked.clock, formed=self._formed)
        self.switch = RecognitionSwitch(library, analyser, self.opinions, bus, backups, tell=asked.tell, clock=asked.clock)
        self.people = People(
            library,
            self.opinions,
            bus,
            recipe=asked.recipe,
            forgotten=forgotten,
            backups_stale=self.switch.backups_stale,
            clock=asked.clock,
            said=self._said,
            forgetting=lambda person_id: self.sidecars.forgetting(person_id),
            renamed=asked.renamed,
            clean=asked.clean,
        )
        self.sidecars = SidecarNames(library, sidecars, bus, settings=asked.settings, adopt=self.people.edit, paused=asked.paused)
        self.search = FaceSearch(library, analyser, matcher, task=asked.task, bounds=asked.bounds, wanted=asked.wanted)
        self.review = Review(library, matcher, bounds=asked.bounds)
        self.group_cards = GroupCards(library, matcher)
        self._grouper = Grouper(library, matcher, bus, wanted=asked.wanted, idle=asked.idle, formed=self._formed)

    def bounds(self) -> Bounds:
        return self._asked.bounds()

    def _formed(self) -> None:
        self.changes += 1
        self._asked.changed()

    def _said(self, step: Step) -> None:
        self.sidecars.said(step)
        self._asked.queued()  # as of somebody who is to be recognised again

    async def prepare(self) -> None:
        """Before anything else runs: delete what was left to delete. Raises StoreError."""
        await self.people.forget_again()
        await self.switch.follow(self._asked.settings())

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Work in the background, until cancelled."""
        tasks.create_task(self.people.run())
        tasks.create_task(self._grouper.run())
        tasks.create_task(self.sidecars.run())
        tasks.create_task(self.switch.run(self._asked.settings))

    async def close(self) -> None:
        await self._matcher.close()
