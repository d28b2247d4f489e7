"""One attempt at one photo: analysed, its people identified, stored, announced; or ended with its error."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import structlog

from agent.domain.errors import AgentError, EngineUnavailable, ImageOnlineOnly, ModelError, StoreError, Unexpected, WorkerFolderAway
from agent.domain.events import StoredEvent
from agent.domain.face import Analysis
from agent.domain.identity_matching import Certainty, IdentificationResult, Identity
from agent.domain.jobs import Job, JobState, Priority, after_error
from agent.features.library.progress import BurstTracker
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.recipes import task_for
from agent.features.library.thumbnails import Thumbnails
from agent.inference.engine.analyser import Analyser
from agent.infrastructure.core.abandonable_calls import is_online_only_within_timeout
from agent.infrastructure.core.observable import ChangeSignal, Signal
from agent.infrastructure.core.service_context import Environment

log = structlog.get_logger()

# These are not a file's fault: the work waits and retries, and the user is told.
BLOCKERS = (EngineUnavailable, ModelError, StoreError, WorkerFolderAway)


class Identifier(Protocol):
    """Identifies the faces of an image. The step up to the people room.

    Implementations: `agent.features.people.editor.PeopleEditor`, and a worker's
    `agent.features.people.reference_recognition.ReferenceRecognition`.
    """

    async def identify(self, analysis: Analysis) -> IdentificationResult: ...

    async def written(self, events: Sequence[StoredEvent], judged: IdentificationResult) -> None: ...

    def doubt(self) -> None: ...


class JobRunner:
    """Runs attempts. A job's result counts only while that attempt holds its lease: a second run of it changes nothing."""

    def __init__(
        self,
        library: LibraryQueries,
        analyser: Analyser,
        people: Identifier,
        thumbnails: Thumbnails,
        environment: Environment,
        *,
        online_only: Callable[[str], bool],
    ) -> None:
        self.stored = ChangeSignal()
        """an analysis reached the library: nothing blocks the work"""
        self.analysed = Signal[Analysis]()
        """an image was analysed for the first time, or anew"""
        self.progress = BurstTracker(environment.monotonic)
        self._library = library
        self._analyser = analyser
        self._people = people
        self._thumbnails = thumbnails
        self._environment = environment
        self._online_only = online_only

    async def run(self, job: Job) -> JobState:
        """Return the job's state after the attempt. Raises BLOCKERS: then the job is still leased, and to be given back."""
        try:
            await self._analyse(job)
        except BLOCKERS:
            raise
        except AgentError as error:
            return await self._end(job, error)
        except Exception as error:
            log.exception("job.unexpected", job=job.id)
            return await self._end(job, Unexpected(kind=type(error).__name__))
        return JobState.DONE

    async def _analyse(self, job: Job) -> None:
        if job.priority != Priority.ASKED and await is_online_only_within_timeout(self._online_only, job.path):
            raise ImageOnlineOnly
        analysis = await self._analyser.analyse(task_for(self._environment.settings.value, job.path))
        judged = await self._people.identify(analysis)
        with self.progress.counting():
            events = await asyncio.to_thread(self._library.commit, job, analysis, judged.identities, now=self._environment.clock())
            if events:
                self.progress.indexed(len(analysis.faces), _recognised(judged.identities))
        self.stored.notify()
        if events:
            self.analysed.send(analysis)
            log.info("image.indexed", job=job.id, faces=len(analysis.faces), format=analysis.format, ms=round(analysis.ms.total))
        try:
            if events:
                await self._thumbnails.keep(analysis)  # before the new image is announced
            await self._people.written(events, judged)
        except AgentError as error:
            log.warning("people.recheck_failed", job=job.id, code=error.code)
            self._people.doubt()  # the photo is indexed; its people are identified later
        finally:
            self._environment.bus.publish(events)

    async def _end(self, job: Job, error: AgentError) -> JobState:
        state = after_error(job.attempts, error)
        log.warning("job.failed", job=job.id, code=error.code, attempt=job.attempts, then=state.value)
        with self.progress.counting():
            events = await asyncio.to_thread(self._library.fail, job, state, error, now=self._environment.clock())
            if state not in (JobState.QUEUED, JobState.DEFERRED):
                self.progress.failed()
        self._environment.bus.publish(events)
        return state


def _recognised(identities: Iterable[Identity | None]) -> list[int]:
    """Return the people in the photo; a suggestion doesn't count as one."""
    return [each.person_id for each in identities if each is not None and each.certainty is not Certainty.PROBABLE]
