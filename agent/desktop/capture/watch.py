"""Watches the screen: checks it at intervals, pauses when it should, and raises alerts. Faces are held for the quiet time at most."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final

import structlog

from agent.desktop.capture.face_alerts import FaceAlert, FaceAlertTracker, FaceObservation, SightingAnnouncement, SightingKind, together
from agent.domain.errors import AgentError
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.image import Recipe
from agent.domain.scene import Scene, is_of
from agent.domain.screen import WatchShown, WatchState
from agent.features.library.activity import WorkState
from agent.features.library.do_not_disturb import DoNotDisturb, PauseUntil
from agent.features.library.recipes import recipe_of
from agent.features.people.identification import Identification
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.inference.engine.load_limiter import PAUSE_BELOW, RESUME_FROM
from agent.inference.engine.monitor import ResourceMonitor
from agent.inference.engine.screen_port import ScreenWatcher, WatchedDesktop, WatchedScreen, WatchTask
from agent.infrastructure.core.observable import Observable, wait_at_most
from agent.infrastructure.core.screen_settings import WatchSettings
from agent.infrastructure.core.service_context import Environment

log = structlog.get_logger()

# Seconds: how often the session lock is checked, and whether the reason for a pause is over.
LOCK_S: Final = 5.0
REST_S: Final = 5.0
RETRY_S: Final = 30.0
# Alerts are listed until the program ends.
KEPT: Final = 20
MORNING: Final = time(6, 0)
SWITCH: Final = "watch_screen.enabled"


@dataclass(frozen=True, slots=True)
class WatchConditions:
    """The conditions for pausing or silencing alerts."""

    work: WorkState
    monitor: ResourceMonitor
    quiet: DoNotDisturb


class WatchService:
    """Watches the screen. While off, there is no engine and no timer, and nothing is captured."""

    def __init__(
        self,
        watcher: ScreenWatcher,
        desktop: WatchedDesktop,
        library: RedactionQueries,
        identification: Identification,
        circumstances: WatchConditions,
        environment: Environment,
        *,
        supply: Callable[[Recipe], Awaitable[None]],
    ) -> None:
        """`supply` fetches the models of a recipe if they are missing (raises ModelError)."""
        self._watcher = watcher
        self._desktop = desktop
        self._library = library
        self._identification = identification
        self._circumstances = circumstances
        self._environment = environment
        self._supply = supply
        self._snooze = PauseUntil("watch_snooze", environment.clock, library)
        self._sightings = FaceAlertTracker(0.0)
        self._wake = asyncio.Event()
        self._front_at = -REST_S
        self._locked: tuple[float, bool] = (-LOCK_S, False)
        self._anew = True
        self._sharing = False
        self._supplied: Recipe | None = None
        self._known: frozenset[int] | None = None  # people who may be named; None: to be read again
        self._changes = 0  # of the known people
        self._said: deque[SightingAnnouncement] = deque(maxlen=KEPT)
        self._listeners: list[Callable[[SightingAnnouncement], None]] = []
        self.state = WatchState.OFF
        self.problem: AgentError | None = None
        self.shown = Observable(WatchShown())

    @property
    def said(self) -> tuple[SightingAnnouncement, ...]:
        """Return the alerts, the newest last."""
        return tuple(self._said)

    def _changed(self) -> None:
        until = self.snoozed_until if self.state is WatchState.SNOOZED else None
        self.shown.set(WatchShown(self.state, until, self.count, self.problem))

    @property
    def count(self) -> int:
        """Return the number of alerts since the start."""
        return self._said[-1].number if self._said else 0

    @property
    def snoozed_until(self) -> datetime | None:
        until = self._snooze.until()
        return until if until is not None and until > self._environment.clock() else None

    @property
    def refused(self) -> AgentError | None:
        """Return why watching is impossible here, whatever the settings say."""
        return self._desktop.refused()

    def listen(self, listener: Callable[[SightingAnnouncement], None]) -> None:
        """Call it in the event loop with each alert, except during Do not disturb."""
        self._listeners.append(listener)

    def wake(self) -> None:
        """Check again whether to start or stop."""
        self._wake.set()

    async def names(self) -> dict[int, str]:
        """Return the names of people who may be named now. Raises StoreError."""
        return await asyncio.to_thread(self._library.people_watched)

    async def snooze(self, minutes: int | None, *, until_tomorrow: bool = False) -> None:
        """Pause for that many minutes, or until tomorrow morning, even after a restart; without either, resume. Raises StoreError."""
        lasts = None if minutes is None else timedelta(minutes=minutes)
        if until_tomorrow:
            now = self._environment.clock().astimezone()
            lasts = datetime.combine(now.date() + timedelta(days=1), MORNING).astimezone() - now
        await asyncio.to_thread(self._snooze.ask, lasts)
        self._changed()
        self.wake()

    def people_changed(self, _: object = None) -> None:
        """Handle a change of consent or of known people."""
        self._known = None
        self._changes += 1

    def forget(self) -> None:
        """Forget the people who were seen."""
        self._sightings.forget()
        self.people_changed()
        self._anew = True

    async def run(self) -> None:
        """Run until cancelled. Raises StoreError at start."""
        await asyncio.to_thread(self._snooze.remember)
        try:
            while True:
                self._wake.clear()
                await wait_at_most(self._wake, await self._step())
        finally:
            await self._look_away()

    async def _look_away(self) -> None:
        with suppress(AgentError):
            await self._watcher.unwatch()
        await asyncio.to_thread(self._desktop.rest)

    async def _step(self) -> float | None:
        """Make one check, or none. Return the seconds until the next one; None: wait for `wake`."""
        wish = self._environment.settings.value.watch_screen
        if not wish.enabled:
            await self._stop()
            self._show(WatchState.OFF)
            return None
        try:
            state = await self._rests() or await self._look(wish)
        except AgentError as error:
            if self.problem is None or self.problem.code != error.code:
                log.warning("watch.failed", code=error.code)
            self._show(WatchState.FAILED, error)
            self._anew = True
            return RETRY_S
        self._anew = state is not WatchState.ON
        self._show(state)
        return wish.interval_s if state is WatchState.ON else max(REST_S, wish.interval_s)

    async def _stop(self) -> None:
        if self.state is not WatchState.OFF:
            self.forget()
            await self._look_away()

    async def _rests(self) -> WatchState | None:
        """Return why no check should happen now. Raises CaptureError if none ever can."""
        if (refused := self.refused) is not None:
            raise refused
        if self._circumstances.work.paused:
            return WatchState.PAUSED
        if self.snoozed_until is not None:
            return WatchState.SNOOZED
        power, bound = self._circumstances.monitor.power, RESUME_FROM if self.state is WatchState.BATTERY else PAUSE_BELOW
        if power.on_battery and power.percent is not None and power.percent < bound:
            return WatchState.BATTERY
        return WatchState.LOCKED if await self._is_locked() else None

    async def _is_locked(self) -> bool:
        looked_at, locked = self._locked
        if (now := self._environment.monotonic()) - looked_at >= LOCK_S:
            locked = await asyncio.to_thread(self._desktop.locked)
            self._locked = now, locked
        return locked

    async def _look(self, wish: WatchSettings) -> WatchState:
        """Check the screen. Raises EngineError, ModelError, CaptureError, StoreError."""
        if await self._in_call(wish, at_once=self._anew):
            return WatchState.CALL
        agreed = await self._agreed(wish)
        task = self._task(wish, bool(agreed))
        if task.recipe != self._supplied:
            await self._supply(task.recipe)
            self._supplied = task.recipe
        watched = await self._watcher.watch(replace(task, anew=self._anew))
        # A call that comes to the front is a visible change: this check causes no alert any more.
        if watched.changed and await self._in_call(wish, at_once=True):
            return WatchState.CALL
        self._sightings.quiet_s = 60.0 * wish.again_minutes
        if watched.changed:
            # A window that appears, disappears or moves is a visible change, too.
            scene = await asyncio.to_thread(self._desktop.scene)
            self._sharing = scene.shared(wish.sharing_signs)
            glimpses = await self._glimpses(watched, scene, wish, agreed)
            told = self._sightings.look(self._environment.monotonic(), glimpses, sharing=self._sharing)
        else:
            told = self._sightings.still(self._environment.monotonic(), sharing=self._sharing)
        for sighting, count in together(told):
            self._say(sighting, count, wish)
        return WatchState.ON

    async def _in_call(self, wish: WatchSettings, *, at_once: bool) -> bool:
        """Return whether a call is in front; while nothing changes, it is only checked at intervals."""
        now = self._environment.monotonic()
        if wish.in_calls or (not at_once and now - self._front_at < REST_S):
            return False
        self._front_at = now
        return is_of(await asyncio.to_thread(self._desktop.front), wish.call_programs)

    def _task(self, wish: WatchSettings, recognises: bool) -> WatchTask:
        settings = self._environment.settings.value
        recipe = recipe_of(settings)
        return WatchTask(
            recipe if recognises else replace(recipe, embedder=None),
            monitors=wish.screens,
            min_score=settings.detection.min_score,
            min_face=float(wish.min_face),
        )

    async def _agreed(self, wish: WatchSettings) -> frozenset[int]:
        """Return the people who may be named. If there are none, no face prints are computed."""
        if not wish.people or not self._environment.settings.value.recognition.enabled:
            return frozenset()
        while self._known is None:
            changes = self._changes
            known = frozenset(await asyncio.to_thread(self._library.people_watched))
            if changes == self._changes:  # otherwise a consent may have been withdrawn meanwhile, and would not be read again
                self._known = known
        return self._known

    async def _glimpses(self, watched: WatchedScreen, scene: Scene, wish: WatchSettings, agreed: frozenset[int]) -> list[FaceObservation]:
        faces = [face for face in watched.faces if scene.counts(face.box, wish.only_in, wish.not_in)]
        known = await self._identification.who(faces) if agreed and faces else [None] * len(faces)
        return [FaceObservation(face.box, _named(who, agreed)) for face, who in zip(faces, known, strict=True)]

    def _say(self, sighting: FaceAlert, count: int, wish: WatchSettings) -> None:
        wanted = {SightingKind.NEW_FACE: wish.new_faces, SightingKind.PERSON: wish.people, SightingKind.SHARED: wish.sharing}
        if not wanted[sighting.kind]:
            return
        said = SightingAnnouncement(self.count + 1, self._environment.clock(), sighting.kind, sighting.person_id, count)
        self._said.append(said)
        self._changed()
        # The audience sees what is shown on the screen: while it is shared, only the warning is shown.
        if self._circumstances.quiet.until() is None and (sighting.kind is SightingKind.SHARED or not self._sharing):
            for listener in tuple(self._listeners):
                listener(said)

    def _show(self, state: WatchState, problem: AgentError | None = None) -> None:
        if (state, problem and problem.code) != (self.state, self.problem and self.problem.code):
            self.state, self.problem = state, problem
            self._changed()


def _named(who: Identity | None, agreed: frozenset[int]) -> int | None:
    """Return the person only if certain and with consent. All people are compared, so that no one is mistaken for a person with consent."""
    return who.person_id if who is not None and who.certainty is Certainty.CERTAIN and who.person_id in agreed else None
