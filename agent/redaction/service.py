"""All that covered copies are made with, put together."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from agent.core.bus import Bus
from agent.core.settings import Settings
from agent.domain.errors import PersonUnknown, RecognitionOff
from agent.domain.image import Recipe
from agent.domain.redaction import Choice
from agent.engine.analyser import Analyse, Analyser
from agent.engine.renderer import Renderer
from agent.library.library_port import Library
from agent.library.recipes import redaction_recipe
from agent.people.identification import Lookalikes
from agent.redaction.batches import Redacting
from agent.redaction.folder_copies import FolderCopies
from agent.redaction.ports import CopyFiles, Keeper
from agent.redaction.redact_file import Covering
from agent.redaction.restore import Restoring
from agent.redaction.video.video_copies import ClipCopies
from agent.redaction.video.video_redactor import ClipRedactor
from agent.redaction.worker import CopyWork


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
