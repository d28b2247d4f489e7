"""Indexes requested files and yields the result of each, in the order they end."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeGuard

from agent.domain.errors import AgentError, ImageMissing, ImageUnsupported
from agent.domain.events import StoredEvent
from agent.domain.face import Face, StageTimes
from agent.domain.image import FileSeen
from agent.domain.jobs import JobState, Priority
from agent.domain.video import is_clip
from agent.features.library.indexer import Indexer
from agent.features.library.ingest import Ingest
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.recipes import embedding_task
from agent.features.library.records import LocationState, StoredImage
from agent.inference.engine.analyser import Analyser
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Folder

# How many files are registered ahead of the engine: enough to keep it busy, few enough to hold in memory.
WINDOW = 64
LOOK_S = 0.5  # how often a waiting scan checks whether the work is stuck
ENDED = (JobState.DONE, JobState.FAILED, JobState.QUARANTINED)


def rules(exclude: Sequence[str]) -> Folder:
    """Return the rules for scanning folders: the defaults of a watched folder, plus the given exclusions."""
    usual = Folder(path=".")
    return usual.model_copy(update={"exclude": (*usual.exclude, *exclude)})


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """One file's result: the library's record, or its error."""

    path: str
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    faces: tuple[Face, ...] = ()
    ms: StageTimes | None = None
    error: AgentError | None = None


class Scanner:
    """`scan PATH...`: the same jobs as for a watched folder, at a higher priority."""

    def __init__(
        self,
        library: LibraryQueries,
        ingest: Ingest,
        indexer: Indexer,
        analyser: Analyser,
        environment: Environment,
    ) -> None:
        self._library = library
        self._ingest = ingest
        self._analyser = analyser
        self._indexer = indexer
        self._environment = environment

    async def scan(self, files: Iterable[FileSeen], *, embeddings: bool = False) -> AsyncIterator[ScanOutcome]:
        """Index the files; with `embeddings` compute them for this output only, without storing them.

        Raises errors that stop all work (StoreError, ModelError, EngineStartFailed): the files stay in the queue.
        """
        remaining = iter(files)
        waiting: dict[int, str] = {}  # location id -> path
        ended: set[int] = set()
        something_ended = asyncio.Event()

        def listen(recorded: StoredEvent) -> None:
            place_id = getattr(recorded.event, "place_id", None)
            if place_id is not None:
                ended.add(place_id)
                something_ended.set()

        with self._environment.bus.listening(listen):
            while True:
                paths = [waiting.pop(place_id) for place_id in ended & waiting.keys()]
                ended.clear()
                something_ended.clear()
                for seen in islice(remaining, WINDOW - len(waiting) - len(paths)):
                    await self._ingest.note(seen, Priority.ASKED)
                    paths.append(seen.path)
                for path in paths:
                    state = await asyncio.to_thread(self._library.place, path)
                    if _is_live(state):  # a new one, or the event was that of an earlier job
                        waiting[state.place_id] = path
                    else:
                        yield await self._outcome(path, state, embeddings)
                if not paths:
                    if not waiting:
                        return
                    await self._wait(something_ended)

    async def _wait(self, something_ended: asyncio.Event) -> None:
        while not something_ended.is_set():
            if error := self._indexer.stuck:
                raise error
            await wait_at_most(something_ended, LOOK_S)

    async def _outcome(self, path: str, state: LocationState | None, embeddings: bool) -> ScanOutcome:
        if state is None:
            return ScanOutcome(path, error=ImageMissing())
        if state.error is not None:
            return ScanOutcome(path, error=_told(path, state.error))
        image = await asyncio.to_thread(self._library.image, state.image_id) if state.image_id is not None else None
        if image is None:
            return ScanOutcome(path, error=ImageMissing())
        if not embeddings:
            return _stored(path, image)
        try:
            analysis = await self._analyser.analyse(embedding_task(self._environment.settings.value, path))
        except AgentError as error:
            return ScanOutcome(path, error=error)
        return replace(_stored(path, image), faces=analysis.faces, ms=analysis.ms)


def _is_live(state: LocationState | None) -> TypeGuard[LocationState]:
    """Return whether a job of the file has not ended yet."""
    return state is not None and state.job is not None and state.job not in ENDED


def _stored(path: str, image: StoredImage) -> ScanOutcome:
    return ScanOutcome(path, image.sha256, image.width, image.height, tuple(stored.face for stored in image.faces), image.ms)


def _told(path: str, error: AgentError) -> AgentError:
    """Mark a video's error, so that its remedy names the right command."""
    return ImageUnsupported(video="video") if isinstance(error, ImageUnsupported) and is_clip(path) else error
