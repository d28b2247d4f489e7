"""A screen that shows the faces a test says, a desktop around it, and what watching asks the rest of the agent."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from agent.desktop.capture.face_alerts import SightingAnnouncement
from agent.desktop.capture.watch import WatchConditions, WatchService
from agent.domain.errors import AgentError
from agent.domain.face import Box, Face, Quality
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.image import Recipe
from agent.domain.scene import Scene, Window
from agent.domain.screen import WatchState
from agent.features.library.activity import WorkState
from agent.inference.engine.load_limiter import Power
from agent.inference.engine.screen_port import WatchedDesktop, WatchedScreen, WatchTask
from agent.infrastructure.core.settings import Settings
from tests.support.in_process_agent import LANDMARKS, NOW
from tests.support.service_environment import environment


def face(x: float, print: bytes | None = None) -> Face:
    return Face(Box(x, 50, 100, 100), 0.9, LANDMARKS, Quality(50, 200, 0, 0), embedding=print)


class FakeWatcher:
    """A ScreenWatcher."""

    def __init__(self) -> None:
        self.shows: tuple[Face, ...] = ()
        self.tasks: list[WatchTask] = []
        self.error: AgentError | None = None
        self.away = 0
        self._last: tuple[Face, ...] | None = None

    async def watch(self, task: WatchTask) -> WatchedScreen:
        self.tasks.append(task)
        if self.error is not None:
            raise self.error
        changed = task.anew or self.shows != self._last
        self._last = self.shows
        return WatchedScreen(changed, self.shows if changed else ())

    async def unwatch(self) -> None:
        self.away += 1
        self._last = None


class FakeDesktop:
    def __init__(self) -> None:
        self.scene = Scene()
        self.front: Window | None = None
        self.locked = False
        self.rests = 0
        self.refused: AgentError | None = None

    def told(self) -> WatchedDesktop:
        def rest() -> None:
            self.rests += 1

        return WatchedDesktop(lambda: self.front, lambda: self.scene, lambda: self.locked, lambda: self.refused, rest)


class Library:
    """Who agreed to be named, and notes."""

    def __init__(self) -> None:
        self.agreed: dict[int, str] = {}
        self.notes: dict[str, int | None] = {}

    def people_watched(self) -> dict[int, str]:
        return self.agreed

    def note(self, name: str) -> int | None:
        return self.notes.get(name)

    def set_flags(self, notes: dict[str, int | None]) -> None:
        self.notes |= notes


class Stage:
    """Watching, one look at a time: `look` lets so many seconds pass first."""

    def __init__(self, library: Library | None = None, **wishes: object) -> None:
        self.watcher, self.desktop, self.library = FakeWatcher(), FakeDesktop(), library or Library()
        on = Settings.model_validate({"watch_screen": {"enabled": True, **wishes}})
        self.environment = environment(on, clock=self.now, monotonic=lambda: self.seconds)
        self.people: dict[bytes, Identity] = {}
        self.quiet = False
        self.seconds = 0.0
        self.supplied: list[Recipe] = []
        self.asked_who = 0
        self.changed = asyncio.Event()
        self.due: float | None = None
        self.told: list[SightingAnnouncement] = []
        self.watching = self._watching()
        self.watching.shown.subscribe(lambda _: self.changed.set())
        self.watching.listen(self.told.append)

    def _watching(self) -> WatchService:
        async def supply(recipe: Recipe) -> None:
            self.supplied.append(recipe)

        async def who(faces: Sequence[Face]) -> Sequence[Identity | None]:
            self.asked_who += 1
            return [self.people.get(each.embedding or b"") for each in faces]

        identification: Any = SimpleNamespace(who=who)
        monitor: Any = SimpleNamespace(power=Power())
        quiet: Any = SimpleNamespace(until=lambda: self.now() if self.quiet else None)
        self.circumstances = WatchConditions(WorkState(), monitor, quiet)
        library: Any = self.library
        return WatchService(self.watcher, self.desktop.told(), library, identification, self.circumstances, self.environment, supply=supply)

    @property
    def settings(self) -> Settings:
        return self.environment.settings.value

    @property
    def paused(self) -> bool:
        return self.circumstances.work.paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self.circumstances.work.paused = paused

    @property
    def power(self) -> Power:
        return self.circumstances.monitor.power

    @power.setter
    def power(self, power: Power) -> None:
        self.circumstances.monitor.power = power

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def wish(self, **wishes: object) -> None:
        section = self.settings.watch_screen.model_dump() | wishes
        self.environment.settings.set(
            Settings.model_validate({"watch_screen": section, "recognition": self.settings.recognition.model_dump()})
        )

    def recognise(self, agreed: dict[int, str], people: dict[bytes, int]) -> None:
        """Recognition is on; prints are those of people."""
        on = self.settings.recognition.model_copy(update={"enabled": True})
        self.environment.settings.set(self.settings.model_copy(update={"recognition": on}))
        self.library.agreed = agreed
        self.people = {print: Identity(person, Certainty.CERTAIN, 0.5, 1, 1) for print, person in people.items()}

    async def look(self, *, after: float = 2.0) -> WatchState:
        """What came of it; `due` is when the next one is."""
        self.seconds += after
        self.due = await self.watching._step()
        return self.watching.state

    async def sees(self, *faces: Face) -> list[SightingAnnouncement]:
        """What is said of them by the second look."""
        before = len(self.told)
        self.watcher.shows = faces
        await self.look()
        await self.look()
        return self.told[before:]

    async def stopped(self) -> None:
        """Run it until its state changes, then end it."""
        run = asyncio.create_task(self.watching.run())
        await self.changed.wait()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
