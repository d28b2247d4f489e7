"""All that covered copies are made with, put together."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from agent.app.bus import Bus
from agent.app.clip_copies import ClipCopies
from agent.app.clips import ClipRedactor
from agent.app.copy_work import CopyWork
from agent.app.covering import Covering
from agent.app.folder_copies import FolderCopies
from agent.app.opinions import Lookalikes
from agent.app.ports import Analyse, Analyser, CopyFiles, Keeper, Library, Renderer
from agent.app.redacting import Redacting
from agent.app.restoring import Restoring
from agent.app.rules import redaction_recipe
from agent.domain.errors import PersonUnknown, RecognitionOff
from agent.domain.image import Recipe
from agent.domain.redaction import Choice
from agent.settings import Settings


@dataclass(frozen=True, slots=True)
class Makers:
    """What writes copies."""

    renderer: Renderer
    copies: CopyFiles
    keeper: Keeper
    clips: ClipRedactor | None = None  # None: no clip can be covered
    films: ClipRedactor | None = None  # likewise


@dataclass(frozen=True, slots=True)
class RedactionAsked:
    """What covered copies ask the rest of the agent."""

    settings: Callable[[], Settings]
    opinions: Lookalikes
    supply: Callable[[Recipe], Awaitable[None]]
    slots: Callable[[], int]
    resting: Callable[[], bool]
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]


class Redaction:
    def __init__(self, library: Library, analyser: Analyser, makers: Makers, bus: Bus, asked: RedactionAsked) -> None:
        def task(path: str, who: bool) -> Analyse:
            detection = asked.settings().detection
            return Analyse(path, redaction_recipe(who), detection.min_score, detection.min_face, keep_chips=False, thorough=True)

        async def check(choice: Choice) -> None:
            if choice.names_people and not asked.settings().recognition.enabled:
                raise RecognitionOff(covering="people")  # since it was asked for
            if choice.only and not choice.only <= (await asyncio.to_thread(library.person_names)).keys():
                raise PersonUnknown  # whoever was to be covered would be left visible

        self._asked = asked
        self.look = task
        self.clips = ClipCopies(
            makers.clips,
            makers.films,
            makers.copies,
            recipe=redaction_recipe,
            check=check,
            opinions=asked.opinions,
        )
        self.covering = Covering(
            library,
            analyser,
            makers.renderer,
            self.clips,
            makers.copies,
            makers.keeper,
            task=task,
            check=check,
            opinions=asked.opinions,
            clock=asked.clock,
        )

        def supply(who: bool) -> Awaitable[None]:
            return asked.supply(redaction_recipe(who))

        self.work = CopyWork(
            library,
            self.covering,
            slots=asked.slots,
            resting=asked.resting,
            supply=supply,
            clock=asked.clock,
            monotonic=asked.monotonic,
        )
        self.copies = Redacting(
            library,
            self.work,
            makers.copies,
            recognises=lambda: asked.settings().recognition.enabled,
            supply=supply,
            clock=asked.clock,
        )
        self.folders = FolderCopies(
            library,
            makers.copies,
            bus,
            settings=asked.settings,
            known=self.copies.known,
            planned=self.work.wake,
            clock=asked.clock,
        )
        self.restoring = Restoring(makers.renderer, makers.copies, makers.keeper)

    def start(self, tasks: asyncio.TaskGroup, *, watch: bool) -> None:
        """Work in the background, until cancelled; with `watch` for the rules of folders too."""
        tasks.create_task(self.work.run())
        if watch:
            tasks.create_task(self.folders.run())
