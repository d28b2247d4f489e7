"""The running agent: its parts put together, started, told of new settings, and ended without losing anything."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import structlog

from agent.core.bus import Bus
from agent.core.memory_trimmer import Rest
from agent.core.settings import Settings, changed_sections, folder_of
from agent.domain.errors import AgentError
from agent.domain.events import ImageFailed, PeopleChanged, Recorded
from agent.domain.face import Analysis
from agent.domain.image import FileSeen, Recipe
from agent.engine.analyser import Analyse, Analyser
from agent.engine.governor import Pace
from agent.engine.matcher_port import FaceMatcher
from agent.engine.monitor import Machine, Monitor
from agent.engine.screen_port import ScreenGrabber
from agent.engine.watching_port import ScreenWatcher, WatchedDesktop
from agent.library.actions import Actions
from agent.library.counters import Tally
from agent.library.do_not_disturb import Quiet
from agent.library.indexer import Indexer
from agent.library.ingest import Ingest
from agent.library.integrity_check import LibraryCheck
from agent.library.library_port import ForgottenList, Library, ThumbnailStore
from agent.library.previews import Previews
from agent.library.problems import Problems
from agent.library.progress import Progress
from agent.library.recipes import areas, embedding_task, everything, no_longer_watched, recipe_for, recipe_of, task_for
from agent.library.scan import Scanned, Scanner
from agent.library.status import StatusFeed
from agent.library.thumbnails import Thumbnails
from agent.main.upkeep import ModelSupply, keep_up
from agent.people.recognition_switch import Backups
from agent.people.service import Asked, Recognising
from agent.people.sidecars.sidecar_port import SidecarStore
from agent.people.verify import Verified, verify
from agent.redaction.clipboard_copy import PhotoCopy
from agent.redaction.service import Makers, Redaction, RedactionAsked
from agent.screen.capture import Capturing, Surroundings
from agent.screen.service import ScreenWork
from agent.screen.watch import Around, Watching
from agent.sources.source import Source

log = structlog.get_logger()

Reconfigure = Callable[[Settings], Awaitable[None]]


class App:
    """Everything live, in one place.

    `supply` gets the models of a recipe, unless they are there (raises ModelError); `reconfigure` names, by settings section, what else
    must follow a change.
    """

    def __init__(
        self,
        settings: Settings,
        library: Library,
        analyser: Analyser,
        matcher: FaceMatcher,
        source: Source,
        *,
        slots: Callable[[], int],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        supply: Callable[[Recipe], Awaitable[None]],
        backups: Backups,
        forgotten: ForgottenList,
        sidecars: SidecarStore,
        makers: Makers,
        reconfigure: Mapping[str, Reconfigure],
        machine: Machine | None = None,
        online_only: Callable[[str], bool] = lambda _: False,
        thumbnails: ThumbnailStore | None = None,
        rest: Rest | None = None,
        screen: tuple[ScreenGrabber, Surroundings] | None = None,
        watch: tuple[ScreenWatcher, WatchedDesktop] | None = None,
        renamed: Callable[[str, str | None], bool | None] = lambda *_: None,
        look_through: Callable[[], bool] = lambda: True,
    ) -> None:
        self.settings = settings
        self.library = library
        self.analyser = analyser
        self.bus = Bus()
        self.prepared = asyncio.Event()  # what an earlier run left undone is done: commands may come
        self._source = source
        self._clock = clock
        self._supply = supply
        self._backups = backups
        self._reconfigure = reconfigure
        self._applying = asyncio.Lock()
        self._progress = Progress(monotonic)
        self.tally = Tally()
        self.previews = Previews(library, analyser, online_only)
        self.rest = rest or Rest()
        self.rest.also(self.previews.forget)
        self.thumbnails = Thumbnails(library, self.previews, thumbnails)
        asked = Asked(
            settings=lambda: self.settings,
            recipe=self.recipe,
            task=self._embedding_task,
            idle=lambda: self.indexer.running == 0,
            paused=lambda: self.indexer.paused,
            changed=lambda: self.status.changed(),
            queued=lambda: self.indexer.wake(),
            tell=self._blocked,
            clock=clock,
            renamed=renamed,
            clean=self.rest.now,
        )
        self._recognising = Recognising(library, analyser, matcher, self.bus, backups, forgotten, sidecars, asked)
        self.people, self.face_search = self._recognising.people, self._recognising.search
        self.sidecars, self.review = self._recognising.sidecars, self._recognising.review
        self.group_cards = self._recognising.group_cards
        covering = RedactionAsked(
            settings=lambda: self.settings,
            opinions=self._recognising.opinions.lookalikes,
            supply=supply,
            slots=slots,
            resting=lambda: self.indexer.paused or self.indexer.held,
            clock=clock,
            monotonic=monotonic,
        )
        self.redaction = Redaction(library, analyser, makers, self.bus, covering)
        self.photo_copy = PhotoCopy(
            analyser, makers.renderer, screen[1].clipboard if screen else None, task=lambda path: self.redaction.look(path, False)
        )
        self.indexer = Indexer(
            library,
            analyser,
            self.people,
            self.bus,
            self._progress,
            task=lambda path: task_for(self.settings, path),
            slots=slots,
            changed=self._status_changed,
            analysed=self._analysed,
            online_only=online_only,
            keep=self.thumbnails.keep,
            clock=clock,
        )
        self.problems = Problems(library, queued=self._queued, changed=self._status_changed)
        self.actions = Actions(library, self.bus, queued=self._queued, online_only=online_only, clock=clock)
        self.ingest = Ingest(
            library,
            self.bus,
            recipe=lambda path: recipe_for(self.settings, path),
            wake=self.indexer.wake,
            changed=self._status_changed,
            clock=clock,
            online_only=online_only,
            sidecar=self.sidecars.changed,
            clip=self.redaction.folders.noted,
        )
        self._scanner = Scanner(
            library, self.ingest, analyser, self.bus, embedding_task=self._embedding_task, stuck=lambda: self.indexer.stuck
        )
        self.monitor = Monitor(
            machine or Machine(),
            lambda: self.settings.engine,
            working=lambda: self.indexer.running > 0,
            apply=self._throttle,
            clock=clock,
            rest=self.rest.look,
        )
        self.quiet = Quiet(lambda: self.settings.popup, clock, library)
        self.status = StatusFeed(
            library,
            self.indexer,
            self.ingest,
            self._progress,
            self.quiet,
            settings=lambda: self.settings,
            device_note=lambda: self.monitor.engine.device_note,
        )
        self.status.gap = lambda: self.monitor.engine.gap
        around = Around(
            settings=lambda: self.settings,
            supply=supply,
            who=self._recognising.opinions.who,
            paused=lambda: self.indexer.paused,
            power=lambda: self.monitor.power,
            quiet=lambda: self.quiet.until() is not None,
            changed=self._status_changed,
            clock=clock,
            monotonic=monotonic,
        )
        here, changed = (lambda: self.settings), self._status_changed
        self.screen = ScreenWork(
            screen and Capturing(*screen, library, self.people, settings=here, supply=supply, changed=changed),
            watch and Watching(*watch, library, around),
        )
        self.screen.tell(self.status)
        self._models = ModelSupply(lambda: supply(self.recipe()), self.indexer.mended, self.status.changed)
        self.status.people_changed = lambda: self._recognising.changes
        self._check = LibraryCheck(look_through, self.status.changed)
        self.status.damage = lambda: self._check.problem
        self.status.fetching = lambda: self._models.busy
        self.status.unfetched = lambda: self._models.problem

    def _embedding_task(self, path: str) -> Analyse:
        return embedding_task(self.settings, path)

    def now(self) -> datetime:
        return self._clock()

    def recipe(self) -> Recipe:
        """What analyses are made with now, where no folder says otherwise: no embedder while recognition is off."""
        return recipe_of(self.settings)

    async def run(self, *, watch: bool = True) -> None:
        """Work until cancelled; then everything under way is given back and the engine ends. Raises StoreError at start."""
        try:
            await asyncio.to_thread(self.library.release_leases)
            await asyncio.to_thread(self.quiet.remember)
            await self._recognising.prepare()
            self.prepared.set()
            with self.bus.listening(self._noticed):
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self.indexer.run())
                    self._recognising.start(tasks)
                    self.redaction.start(tasks, watch=watch)
                    tasks.create_task(self.status.run())
                    tasks.create_task(self.monitor.run())
                    tasks.create_task(self._models.run())
                    if watch:
                        tasks.create_task(self._check.run())
                        self.screen.start(tasks)
                        tasks.create_task(self._source.run(self.ingest.take))
                        tasks.create_task(
                            keep_up(
                                self.library,
                                self.people,
                                self.thumbnails,
                                self._backups,
                                lambda: self.settings,
                                self._clock,
                                backups_stale=self._recognising.switch.backups_stale,
                                forget=self._recognising.opinions.forget,
                                rules=self.redaction.folders.rules,
                            )
                        )
        finally:
            await self.analyser.close()
            await self.screen.close()
            await self._recognising.close()
            await asyncio.to_thread(self.thumbnails.close)

    def pause(self) -> None:
        self.indexer.pause()
        self.screen.wake()
        self.status.changed()

    def resume(self) -> None:
        self.indexer.resume()
        self.sidecars.wake()
        self.monitor.overrule()
        self.screen.wake()
        self.status.changed()

    async def scan(self, files: Sequence[FileSeen], *, embeddings: bool = False) -> AsyncIterator[Scanned]:
        """Index files somebody asked for, see `Scanner.scan`. Raises ModelError if a model can't be had, StoreError."""
        await self._supply(everything(self.settings) if embeddings else self.recipe())
        self.indexer.mended()
        async for scanned in self._scanner.scan(files, embeddings=embeddings):
            yield scanned

    async def verify(self, one: str, other: str) -> Verified:
        """Whether two photos show the same person. Raises ImageError, UnfitReference, EngineError, ModelError."""
        await self._supply(everything(self.settings))
        return await verify(self.analyser, self._embedding_task, one, other, self._recognising.bounds())

    async def put_off(self, minutes: int | None) -> None:
        """No popup for so many minutes, also after a restart; None ends that. Raises StoreError."""
        await asyncio.to_thread(self.quiet.put_off, minutes)
        self.status.changed()

    async def loud(self, place_ids: Sequence[int]) -> list[int]:
        """Those of the files that lie in no muted folder."""
        folders = self.settings.folders
        if not any(folder.muted for folder in folders):
            return list(place_ids)

        def is_loud(place_id: int) -> bool:
            place = self.library.place_by_id(place_id)
            folder = folder_of(place.path, folders) if place is not None else None
            return folder is None or not folder.muted

        return await asyncio.to_thread(lambda: [place_id for place_id in place_ids if is_loud(place_id)])

    async def cancel_burst(self) -> int:
        """Forget the waiting photos; what is under way ends. They are looked at when somebody asks for a rescan. Returns how many."""
        dropped = await asyncio.to_thread(self.library.drop_waiting)
        self.status.changed()
        return dropped

    async def rescan(self) -> None:
        """Look through all watched folders now, at the files in them that were passed over so far, and for models that were not there."""
        self._models.want()
        if await asyncio.to_thread(self.library.queue_unseen, now=self._clock()):
            self.indexer.wake()
            self.status.changed()
        self.sidecars.look_through()
        await self._source.rescan()

    async def apply(self, settings: Settings) -> None:
        """Take over a new valid snapshot: what changed follows, the rest runs on."""
        async with self._applying:
            before, sections = self.settings, changed_sections(self.settings, settings)
            self.status.settings_problem = None
            left = no_longer_watched(self.settings, settings)
            if left:
                await self._watch_no_more(left)
            if left or "recognition" in sections or areas(self.settings) != areas(settings):
                # At rest, so that nothing begun under the old settings, an analysis or a naming, is written after the purge.
                async with self.indexer.at_rest(), self.people.at_rest():
                    await self._recognising.switch.follow_surely(settings, self.settings)
                    self.screen.forget()
                    self.settings = settings  # only now, so that nobody is told "on" and "nothing to do" at once, or "off" too soon
                self._models.want()
                self.people.doubt()  # the bounds may be others
            self.settings = settings
            self.sidecars.look_through(before)
            self.redaction.folders.look_through()
            for section in sorted(sections & self._reconfigure.keys()):
                await self._reconfigure[section](settings)
            if "engine" in sections:
                self.monitor.settings_changed()
            self.screen.wake()
            log.info("settings.applied", sections=sorted(sections))
            self.indexer.mended()
            self.status.changed()

    async def _watch_no_more(self, roots: frozenset[str]) -> None:
        """Before anything else follows new settings: whatever of these folders came in meanwhile would stay in the library."""
        if "folders" in self._reconfigure:
            rest = tuple(folder for folder in self.settings.folders if folder.root not in roots)
            await self._reconfigure["folders"](self.settings.model_copy(update={"folders": rest}))

    def refuse(self, error: AgentError) -> None:
        """The settings file is invalid: those in force stay, and the status says why."""
        log.warning("settings.refused", code=error.code)
        self.status.settings_problem = error
        self.status.changed()

    def _blocked(self, error: AgentError | None) -> None:
        self.status.settings_problem = error
        self.status.changed()

    def _noticed(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, ImageFailed):
            log.warning("image.failed", place=recorded.event.place_id, code=recorded.event.code)
            self.tally.failed(recorded.event.code)
        if isinstance(recorded.event, PeopleChanged):
            self.screen.people_changed()
        self.status.changed()

    def _analysed(self, analysis: Analysis) -> None:
        self.monitor.analysed()
        self.tally.analysed(analysis.ms)

    def _throttle(self, pace: Pace, warning: AgentError | None) -> None:
        self.indexer.hold(pace.paused)
        self.status.limited(pace.why, warning)

    def _queued(self) -> None:
        self.indexer.mended()
        self.status.changed()

    def _status_changed(self) -> None:
        self.status.changed()
