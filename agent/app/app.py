"""The running agent: its services, assembled, started, reconfigured, and ended without losing data."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from agent.app.adapters import ExternalAdapters
from agent.app.retention_clock import RetentionClock
from agent.app.upkeep import ModelSupply, Upkeep, clean_thumbnails, expire_drafts, expire_events, witness_record
from agent.desktop.capture.capture import CaptureService
from agent.desktop.capture.service import ScreenService
from agent.desktop.capture.watch import WatchConditions, WatchService
from agent.domain.errors import AgentError, StoreDamaged, reason_of
from agent.domain.events import ImageFailed, PeopleChanged, StoredEvent
from agent.domain.face import Analysis
from agent.domain.image import FileSeen, Recipe
from agent.features.consent.service import Consents
from agent.features.library.actions import Actions, Problems
from agent.features.library.activity import WorkState
from agent.features.library.counters import Counters
from agent.features.library.do_not_disturb import DoNotDisturb
from agent.features.library.event_visibility import EventReach
from agent.features.library.index_snapshot import WholeIndexes
from agent.features.library.indexer import Indexer
from agent.features.library.ingest import Ingest
from agent.features.library.integrity_check import IntegrityCheck
from agent.features.library.job_queue import LibraryQueue
from agent.features.library.job_runner import JobRunner
from agent.features.library.library_counts import LibraryCounts
from agent.features.library.previews import Previews
from agent.features.library.recipes import areas, everything, no_longer_watched, recipe_of
from agent.features.library.scan import Scanner, ScanOutcome
from agent.features.library.status import StatusFeed
from agent.features.library.thumbnails import Thumbnails
from agent.features.people.service import PeopleService
from agent.features.people.verify import Verification, verify
from agent.features.redaction.clipboard_copy import ClipboardCopy
from agent.features.redaction.service import RedactionService
from agent.inference.engine.load_limiter import Pace
from agent.inference.engine.monitor import ResourceMonitor
from agent.infrastructure.core.memory_guard import MemoryGuard
from agent.infrastructure.core.memory_trimmer import MemoryTrimmer
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings, changed_sections

log = structlog.get_logger()

Reconfigure = Callable[[Settings], Awaitable[None]]


class App:
    """All services in one place. `reconfigure` maps settings sections to functions that apply their changes outside."""

    def __init__(
        self, environment: Environment, edges: ExternalAdapters, reconfigure: Mapping[str, Reconfigure], trimmer: MemoryTrimmer
    ) -> None:
        library, engine, work = edges.library, edges.engine, WorkState()
        self.environment, self.library, self.analyser, self.bus = environment, library, engine.analyser, environment.bus
        self.prepared = asyncio.Event()  # work left by an earlier run is finished: commands may start
        self._source = edges.source
        self.leadership = edges.leadership
        self.rescans = ChangeSignal()
        """everything is to be scanned again: by the process that leads"""
        self._supply = engine.supply
        self._reconfigure = reconfigure
        self._applying = asyncio.Lock()
        self.rest = trimmer
        self.tally = Counters()
        self.whole_indexes = WholeIndexes(library)
        self.counts, self.event_reach = LibraryCounts(library, self.whole_indexes), EventReach(library)
        self.previews = Previews(library, engine.analyser, edges.online_only)
        self.thumbnails = Thumbnails(library, self.previews, edges.thumbnails)
        trimmer.also(self.previews.forget)
        self._recognition = PeopleService(library, engine.analyser, edges.people, work, trimmer, environment, edges.leadership)
        self.people, self.face_search = self._recognition.people, self._recognition.search
        self.consents = Consents(library, self.people, trimmer, environment)
        self.sidecars, self.review = self._recognition.sidecars, self._recognition.review
        self.group_cards = self._recognition.group_cards
        self.clusters = self._recognition.clusters
        self.identification = identification = self._recognition.identification
        self.redaction = RedactionService(library, engine, edges.tools, edges.redactors, identification, work, environment)
        clipboard = edges.screen[1].clipboard if edges.screen else None
        self.photo_copy = ClipboardCopy(engine.analyser, edges.tools.renderer, clipboard, environment)
        attempts = JobRunner(library, engine.analyser, self.people, self.thumbnails, environment, online_only=edges.online_only)
        queue = edges.queue(environment) if edges.queue else LibraryQueue(library, environment.clock)
        self.indexer = Indexer(queue, attempts, engine.slots, work, environment)
        self.problems = Problems(library)
        self.actions = Actions(library, environment, online_only=edges.online_only, open_item=edges.open_item)
        self.ingest = Ingest(library, environment, online_only=edges.online_only, open_item=edges.open_item)
        self._scanner = Scanner(library, self.ingest, self.indexer, engine.analyser, environment)
        self.monitor = ResourceMonitor(
            edges.machine,
            lambda: self.settings.engine,
            working=lambda: work.running > 0,
            apply=self._throttle,
            clock=environment.clock,
            rest=trimmer.look,
        )
        self.memory = MemoryGuard(lambda: self.settings.memory, environment.monotonic, edges.guarded)
        self.quiet = DoNotDisturb(environment, library)
        self.status = StatusFeed(self.counts, self.indexer, self.ingest, self.quiet, self.monitor, environment)
        self._models = ModelSupply(engine.supply, environment)
        self._check = IntegrityCheck(edges.check_library)
        circumstances = WatchConditions(work, self.monitor, self.quiet)
        self.screen = ScreenService(
            edges.screen and CaptureService(*edges.screen, library, self.people, environment, supply=engine.supply),
            edges.watch and WatchService(*edges.watch, library, identification, circumstances, environment, supply=engine.supply),
        )
        self.witness = edges.witness
        duties = (
            partial(clean_thumbnails, self.thumbnails),
            self.consents.follow_later,
            partial(witness_record, self.witness, library),
            partial(expire_drafts, library),
            partial(expire_events, library),
        )
        deletions = RetentionClock(self.witness.folder)
        self._upkeep = Upkeep(library, self._recognition, edges.people.backups, self.redaction.folders, duties, deletions, environment)
        self._subscribe()

    def _subscribe(self) -> None:
        """Subscribe services to each other: the only place where they are connected."""
        self.ingest.queued.subscribe(self.indexer.wake)
        for paused in (self.sidecars.wake, self.screen.wake, self._paused):
            self.indexer.pausing.subscribe(paused)
        for mended in (self.problems.queued, self.actions.queued, self._models.supplied):
            mended.subscribe(self.indexer.mended)
        self._recognition.queued.subscribe(self.indexer.wake)
        self.ingest.sidecars.subscribe(self.sidecars.changed)
        self.ingest.videos.subscribe(self.redaction.folders.noted)
        self.indexer.analysed.subscribe(self._analysed)
        self._recognition.switch.blocked.subscribe(self._blocked)
        services = (self.indexer, self.ingest, self.problems, self.quiet)
        for changed in (*(each.changed for each in services), self.indexer.pausing, self.problems.queued, self.actions.queued):
            changed.subscribe(self.status.changed)
        self._recognition.changes.subscribe(self.status.people_changed.set)
        self._models.shown.subscribe(self.status.models.set)
        self._check.problem.subscribe(self.status.damage.set)
        self.memory.warning.subscribe(self.status.memory.set)
        self._upkeep.late.subscribe(self.status.backups.set)
        self.screen.tell(self.status)

    @property
    def settings(self) -> Settings:
        """The current settings."""
        return self.environment.settings.value

    def now(self) -> datetime:
        return self.environment.clock()

    def recipe(self) -> Recipe:
        """The default recipe of new analyses, unless a folder overrides it: no embedder while recognition is off."""
        return recipe_of(self.settings)

    async def run(self, *, watch: bool = True, fetch: bool = True) -> None:
        """Work until cancelled; then requeue unfinished work and end the engine. Raises StoreError at start.

        Without `watch` only requested work is done: no source, no folder rule, no screen. With it, a damaged library ends all work but
        this: the status reports it, and the Status page can offer a backup. Without `fetch` missing models stay missing.
        """
        try:
            await self._work(self._services(watch=watch, fetch=fetch))
        except Exception as error:
            damage = reason_of(error)
            if not watch or not isinstance(damage, StoreDamaged):
                raise
            log.exception("library.damaged")
            self._check.problem.set(damage)
            await self.status.run()
        finally:
            await self.analyser.close()
            await self.screen.close()
            await self._recognition.close()
            await asyncio.to_thread(self.thumbnails.close)

    async def _work(self, services: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        await asyncio.to_thread(self.library.release_leases)
        await asyncio.to_thread(self.quiet.remember)
        await self._recognition.prepare()
        await self.consents.follow()
        self.prepared.set()
        with self.bus.listening(self._noticed):
            async with asyncio.TaskGroup() as tasks:
                for work in services:
                    tasks.create_task(work())

    def _services(self, *, watch: bool, fetch: bool) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        always = [each.run for each in (self.indexer, self._recognition, self.status, self.monitor, self.memory, self.redaction.work)]
        if fetch:
            always.append(self._models.run)
        if not watch:
            return always
        watched = partial(self._source.run, self.ingest.take)
        leadership = [
            partial(self.leadership.during, each) for each in (watched, self.redaction.folders.run, self._check.run, self._upkeep.run)
        ]
        return [*always, self.screen.run, *leadership]

    async def scan(self, files: Sequence[FileSeen], *, embeddings: bool = False) -> AsyncIterator[ScanOutcome]:
        """Index files on request, see `Scanner.scan`. Raises ModelError if a model can't be had, StoreError."""
        await self._supply(everything(self.settings) if embeddings else self.recipe())
        self.indexer.mended()
        async for scanned in self._scanner.scan(files, embeddings=embeddings):
            yield scanned

    async def verify(self, one: str, other: str) -> Verification:
        """Whether two photos show the same person. Raises ImageError, UnfitReference, EngineError, ModelError."""
        await self._supply(everything(self.settings))
        return await verify(self.analyser, self.settings, one, other)

    async def cancel_burst(self) -> int:
        """Drop the waiting photos; running work finishes. A rescan finds them again. Returns their number."""
        dropped = await asyncio.to_thread(self.library.drop_waiting)
        self.status.changed()
        return dropped

    async def rescan(self) -> None:
        """Scan all watched folders now, retry files that were skipped so far, and look for missing models."""
        self.rescans.notify()
        await self.scan_again()

    async def scan_again(self) -> None:
        """As `rescan`, which another process was asked for."""
        self._models.want()
        if await asyncio.to_thread(self.library.queue_unseen, now=self.now()):
            self.indexer.wake()
            self.status.changed()
        self.sidecars.look_through()
        await self._source.rescan()

    async def apply(self, settings: Settings) -> None:
        """Apply a new valid settings snapshot: changed parts are reconfigured, the rest runs on."""
        async with self._applying:
            before, sections = self.settings, changed_sections(self.settings, settings)
            self.status.settings_problem = None
            left = no_longer_watched(before, settings)
            if left:
                await self._watch_no_more(left)
            if left or "recognition" in sections or areas(before) != areas(settings):
                # Paused, so that no analysis or naming begun under the old settings is written after the purge.
                async with self.indexer.at_rest(), self.people.at_rest():
                    await self._recognition.switch.apply_with_retry(settings, before)
                    self.screen.forget()
                    # Only now, so that "on" isn't reported together with "nothing to do", nor "off" too soon.
                    self.environment.settings.set(settings)
                self._models.want()
                self.people.doubt()  # the thresholds may have changed
            self.environment.settings.set(settings)
            self.sidecars.look_through(before)
            self.redaction.folders.check()
            for section in sorted(sections & self._reconfigure.keys()):
                await self._reconfigure[section](settings)
            if "engine" in sections:
                self.monitor.settings_changed()
            if "consent" in sections:
                await self.consents.follow_later()
            self.screen.wake()
            log.info("settings.applied", sections=sorted(sections))
            self.indexer.mended()
            self.status.changed()

    async def _watch_no_more(self, roots: frozenset[str]) -> None:
        """Stop watching these folders before applying other settings: files found meanwhile would stay in the library."""
        if "folders" in self._reconfigure:
            rest = tuple(folder for folder in self.settings.folders if folder.root not in roots)
            await self._reconfigure["folders"](self.settings.model_copy(update={"folders": rest}))

    def refuse(self, error: AgentError) -> None:
        """Report an invalid settings file: the current settings stay, and the status shows the error."""
        log.warning("settings.refused", code=error.code)
        self._blocked(error)

    def _blocked(self, error: AgentError | None) -> None:
        self.status.settings_problem = error
        self.status.changed()

    def _noticed(self, recorded: StoredEvent) -> None:
        if isinstance(recorded.event, ImageFailed):
            log.warning("image.failed", place=recorded.event.place_id, code=recorded.event.code)
            self.tally.failed(recorded.event.code)
        if isinstance(recorded.event, PeopleChanged):
            self.screen.people_changed()
        self.status.changed()

    def _paused(self, _: None) -> None:
        if not self.indexer.paused:
            self.monitor.overrule()

    def _analysed(self, analysis: Analysis) -> None:
        self.monitor.analysed()
        self.tally.analysed(analysis.ms)

    def _throttle(self, pace: Pace, warning: AgentError | None) -> None:
        self.indexer.hold(pace.paused)
        self.status.limited(pace.why, warning)
