"""Makes planned covered copies: a few at a time, with retries after interruptions; notifies listeners."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain

import structlog

from agent.domain.errors import AgentError, EngineUnavailable, ModelError, PassphraseGone, StoreError, Unexpected
from agent.domain.jobs import JobState, after_error
from agent.domain.video import is_clip
from agent.features.library.activity import WorkState
from agent.features.library.recipes import redaction_recipe
from agent.features.redaction.batch_progress import ProgressTracker
from agent.features.redaction.copy_records import RedactionItem
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.features.redaction.redact_file import FileRedactor
from agent.features.redaction.work_claims import CopyClaims
from agent.inference.engine.analyser import AnalysisEngine
from agent.infrastructure.core.background import BackgroundTasks
from agent.infrastructure.core.leadership import WorkClaims
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.request_id import bound
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.spans import SpanKind, span

log = structlog.get_logger()

RETRY_AFTER_S = (2.0, 5.0, 15.0, 60.0)
# The number of long items running or waiting, beside photos; and of videos, one.
MOST_SLOW = 8
ELSEWHERE_S = 5.0
LOOK_S = 0.5  # how often a waiting caller checks whether the work is stuck
# These are not a file's fault: the work waits and retries.
BLOCKERS = (EngineUnavailable, ModelError, StoreError)


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The progress of a long copy."""

    item_id: int
    source: str
    percent: int


@dataclass(eq=False, slots=True)
class Listener:
    """A caller that waits for a batch."""

    # Ids of ended items, never more than the batch has, and up to a hundred progress messages of each video.
    news: "asyncio.Queue[int | UnderWay]" = field(default_factory=asyncio.Queue)
    request: object = None  # its request
    wanted: frozenset[int] = frozenset()  # ids of the items it waits for
    stopped: bool = False  # another listener stopped the batch


class RedactionWorker:
    """Makes the copies. Use it from one event loop."""

    def __init__(
        self,
        library: RedactionQueries,
        covering: FileRedactor,
        engine: AnalysisEngine,
        work: WorkState,
        environment: Environment,
        claims: WorkClaims,
    ) -> None:
        """While the agent is paused, only the copies that a request waits for are made."""
        self._library = library
        self._covering = covering
        self._engine = engine
        self._work = work
        self._clock = environment.clock
        self._wake = asyncio.Event()
        self._mended = asyncio.Event()
        self._running: dict[int, tuple[str, asyncio.Task[None]]] = {}  # by item: its batch, and its task
        self._clips: set[int] = set()  # running ones
        self.paces = ProgressTracker(environment.monotonic)
        self._attempts: dict[int, int] = {}
        self._listeners: dict[str, list[Listener]] = {}  # by batch
        self._stopping = BackgroundTasks()
        self._ended = False
        self._tries = 0  # failed attempts since the last success
        self.passphrases: dict[str, str] = {}  # by batch
        self.copies = CopyClaims(library, claims, self.passphrases)
        self.problem: AgentError | None = None

    # -- calls from outside ------------------------------------------------------------------------------------------------------
    def wake(self, _: object = None) -> None:
        """Check for new work."""
        self._wake.set()

    def mended(self) -> None:
        """Retry, because the cause of an interruption may be gone."""
        self._tries = 0
        self._mended.set()
        self.wake()

    @contextmanager
    def listening(self, uid: str, request: object) -> Iterator[Listener]:
        """Yield a listener of a batch. Its passphrase is kept no longer than that."""
        listener = Listener(request=request)
        self._listeners.setdefault(uid, []).append(listener)
        try:
            yield listener
        finally:
            self._listeners[uid].remove(listener)
            if not self._listeners[uid]:
                del self._listeners[uid]
                self.passphrases.pop(uid, None)

    async def keep_passphrase(self, uid: str, passphrase: str) -> None:
        """Keep it as long as there is a listener: the copies can be made in this process alone. Raises StoreError."""
        self.passphrases[uid] = passphrase
        await self.copies.keep(uid)

    def requests(self, uid: str) -> list[object]:
        """Return the requests of a batch's listeners."""
        return [each.request for each in self._listeners.get(uid, ())]

    async def next_news(self, listener: Listener) -> int | UnderWay | None:
        """Return the next message; None if there is none yet. Raises an error that stops all work, after a failed retry."""
        try:
            async with asyncio.timeout(LOOK_S):
                return await listener.news.get()
        except TimeoutError:
            if self.problem is not None and self._tries > 1:
                raise self.problem from None
            return None

    async def stop(self, uid: str) -> None:
        """Stop making copies of a batch; finished ones stay."""
        await asyncio.to_thread(self._library.stop_copies, uid)
        under_way = [task for batch, task in self._running.values() if batch == uid]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        for listener in self._listeners.get(uid, ()):
            listener.stopped = True

    async def on_listener_gone(self, uid: str) -> None:
        """Handle a listener's disconnection: stop its batch unless another one waits for it, even if this is cancelled repeatedly."""
        if self._ended or len(self._listeners.get(uid, ())) > 1:
            return  # the next agent, or the batch for the other listener, continues
        await asyncio.shield(self._stopping.start(self.stop(uid), event="redact.not_stopped"))

    # -- the work ----------------------------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Make planned copies until cancelled; running ones are left for the next start."""
        self._ended = False
        try:
            while True:
                self._wake.clear()
                await self._begin()
                await self._pause()
        finally:
            self._ended = True
            under_way = [task for _, task in self._running.values()]
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, *self._stopping, return_exceptions=True)
            await self.copies.claims.close()

    async def _pause(self) -> None:
        """Wait until there may be work; longer each time that all work is stuck."""
        stuck = self.problem is not None and not self._running
        limit = RETRY_AFTER_S[min(max(self._tries, 1), len(RETRY_AFTER_S)) - 1] if stuck else LOOK_S if self._work.resting else None
        if self.copies.elsewhere and limit is None:
            limit = ELSEWHERE_S  # that process may end
        await wait_at_most(self._mended if stuck else self._wake, limit)
        self._mended.clear()

    async def _begin(self) -> None:
        slow = min(self.paces.long, MOST_SLOW)
        room = (1 if self.problem is not None else self._engine.slots() + slow) - len(self._running)
        if room <= 0:
            return
        try:
            waiting = await self.copies.waiting(room, tuple(self._running), clips=not self._clips)
        except StoreError as error:
            self._blocked(error)
            return
        if not waiting and not self._running:
            self.problem = None  # nothing waits any more, whatever stopped it
            self.paces.idle()
            self._attempts.clear()  # stopped items were attempted, too, and never ended
        for item in waiting:
            if item.standing and self._work.resting:
                await self.copies.give_back(item)
                continue
            if is_clip(item.source):
                if self._clips:
                    await self.copies.give_back(item)
                    continue  # one at a time, or photos behind them would wait
                self._clips.add(item.id)
                self.wake()
            self.paces.begun(item.batch)
            self._running[item.id] = item.batch, asyncio.create_task(self._job(item))

    async def _job(self, item: RedactionItem) -> None:
        ended = False
        try:
            with bound(item.request_id or f"copy-{item.id}"), span("copy", SpanKind.CONSUMER, copy=item.id):
                ended = await self._attempt(item)
        except StoreError as error:
            self._blocked(error)  # even the result could not be stored
        finally:
            self.paces.ended(item.batch, item.id, for_good=ended)
            if ended:
                self._attempts.pop(item.id, None)
                self._tell(item, item.id)
            self._running.pop(item.id, None)
            self._clips.discard(item.id)
            self.wake()
            await self.copies.give_back(item)

    async def _attempt(self, item: RedactionItem) -> bool:
        """Return whether it is made, or failed permanently."""
        attempt = self._attempts[item.id] = self._attempts.get(item.id, 0) + 1
        try:
            passphrase = self.passphrases.get(item.batch)
            await self._covering.make(item, passphrase, lambda percent: self._hear(item, percent))
        except BLOCKERS as error:
            self._attempts[item.id] -= 1
            self._blocked(error)
            if isinstance(error, ModelError):
                with suppress(AgentError):
                    await self._engine.supply(redaction_recipe(item.wish.choice.names_people))
            return False
        except PassphraseGone as error:
            if item.batch in self.passphrases:
                return False  # it was entered again meanwhile
            await asyncio.to_thread(self._library.copy_failed, item.id, error, now=self._clock())
        except AgentError as error:
            log.warning("redact.failed", item=item.id, code=error.code, attempt=attempt)
            if after_error(attempt, error) is JobState.QUEUED:
                return False
            await asyncio.to_thread(self._library.copy_failed, item.id, error, now=self._clock())
        except Exception as error:
            log.exception("redact.unexpected", item=item.id)
            await asyncio.to_thread(self._library.copy_failed, item.id, Unexpected(kind=type(error).__name__), now=self._clock())
        else:
            log.info("redact.made", item=item.id)
        self.problem, self._tries = None, 0
        return True

    def _hear(self, item: RedactionItem, percent: int) -> None:
        self.paces.heard(item.batch, item.id, percent)
        if percent:
            self._tell(item, UnderWay(item.id, item.source, percent))
        else:
            self.wake()  # there is a free slot

    def _tell(self, item: RedactionItem, what: int | UnderWay) -> None:
        for listener in chain.from_iterable(self._listeners.values()):
            if item.id in listener.wanted:
                listener.news.put_nowait(what)

    def _blocked(self, error: AgentError) -> None:
        self._tries += 1
        if self.problem is None or self.problem.code != error.code:
            log.error("redact.blocked", code=error.code)
        self.problem = error
