"""Covered copies of many files: planned first, made a few at a time, told of as they end, and gone on with after whatever stopped it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import TypeAlias

import structlog

from agent.app.covering import Covering
from agent.app.ports import CopyFiles, Library, RedactionItem
from agent.domain.errors import (
    AgentError,
    EngineStartFailed,
    ModelError,
    NotFound,
    NotRestorable,
    PassphraseGone,
    RecognitionOff,
    StoreError,
    Unexpected,
    VideoNotEditable,
)
from agent.domain.jobs import JobState, after_error
from agent.domain.names import ids_of, tidy
from agent.domain.redaction import Choice, Look
from agent.domain.wishes import Keeping, Mark, Wish

log = structlog.get_logger()

RETRY_AFTER_S = (2.0, 5.0, 15.0, 60.0)
LOOK_S = 0.5  # how often somebody who waits looks whether the work is stuck
PAGE = 500
# These are no file's fault: the work waits and tries again.
BLOCKERS = (EngineStartFailed, ModelError, StoreError)

Clock: TypeAlias = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class RedactionAsk:
    """Covered copies of the images and clips below `paths`, in `out` (a file or a folder), or in their own place (None)."""

    paths: Sequence[str]
    out: str | None
    look: Look = field(default_factory=Look)
    keep: Sequence[str] = ()  # names of people who stay visible
    only: Sequence[str] | None = None  # names of those who are covered; None: everyone
    strip: bool = False
    overwrite: bool = False
    report: bool = False
    keeping: Keeping = Keeping.NOTHING
    passphrase: str | None = None

    def wish(self, choice: Choice) -> Wish:
        in_place = self.out is None
        locked = self.passphrase is not None and self.keeping is not Keeping.NOTHING
        return Wish(choice, self.look, self.strip, self.keeping, locked, self.overwrite or in_place, self.report)


@dataclass(frozen=True, slots=True)
class UnderWay:
    """How far a copy is that takes a while."""

    item_id: int
    source: str
    percent: int


class Redacting:
    """Use it from one event loop."""

    def __init__(
        self,
        library: Library,
        covering: Covering,
        copies: CopyFiles,
        *,
        slots: Callable[[], int],
        resting: Callable[[], bool],
        recognises: Callable[[], bool],
        supply: Callable[[bool], Awaitable[None]],
        clock: Clock,
    ) -> None:
        """While it is `resting`, only what somebody waits for is done.

        `supply` gets the models, those that tell people apart too if it is told to.
        """
        self._library = library
        self._covering = covering
        self._copies = copies
        self._slots = slots
        self._resting = resting
        self._recognises = recognises
        self._supply = supply
        self._clock = clock
        self._wake = asyncio.Event()
        self._mended = asyncio.Event()
        self._running: dict[int, tuple[str, asyncio.Task[None]]] = {}  # by item: its batch, and who makes it
        self._attempts: dict[int, int] = {}
        self._passphrases: dict[str, str] = {}  # by batch
        # By batch: ids of items that ended, never more than it has, and up to a hundred words of each clip.
        self._waiting: dict[str, asyncio.Queue[int | UnderWay]] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._ended = False
        self._stopped: set[str] = set()  # batches somebody listens to, and another one stopped
        self._tries = 0  # in vain, since the work last went well
        self.problem: AgentError | None = None

    # -- what is asked for -------------------------------------------------------------------------------------------------------
    async def redact(self, ask: RedactionAsk) -> AsyncGenerator[int | UnderWay | RedactionItem, None]:
        """First how many there are, then each as it ends, and how far clips are meanwhile.

        Whoever stops listening before the end stops what was not begun.
        Raises SameFile, CopyUnsupported, CopyUnwritable, RecognitionOff, NoSuchName, and what stops all work.
        """
        uid = token_hex(16)
        ended = self._waiting[uid] = asyncio.Queue()
        try:
            total = await self._plan(uid, ask)
            yield total
            told: set[int] = set()  # ids: somebody may have one made anew before the others are made
            async for item in self._passed(uid):
                told.add(item.id)
                yield item
            while len(told) < total and uid not in self._stopped:
                if (next_one := await self._next(ended)) is not None:
                    if isinstance(next_one, RedactionItem):
                        told.add(next_one.id)
                    yield next_one
        except (asyncio.CancelledError, GeneratorExit):
            if not self._ended:  # else it is the agent that ends: the next one goes on
                await self._surely_stop(uid)
            raise
        finally:
            del self._waiting[uid]
            self._stopped.discard(uid)
            self._passphrases.pop(uid, None)

    async def begin(self, ask: RedactionAsk) -> str:
        """Plan them and go on without anybody who listens; returns the batch. A passphrase would be lost with a restart.

        Raises what `redact` raises before its first word.
        """
        uid = token_hex(16)
        await self._plan(uid, ask)
        return uid

    async def stop(self, uid: str) -> None:
        """Make no more copies of a batch; those that are made stay."""
        await asyncio.to_thread(self._library.stop_copies, uid)
        under_way = [task for batch, task in self._running.values() if batch == uid]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if uid in self._waiting:
            self._stopped.add(uid)

    async def _surely_stop(self, uid: str) -> None:
        """Also if whoever waits for it is cancelled over and over, as when a client hangs up."""

        async def stopping() -> None:
            try:
                await self.stop(uid)
            except AgentError as error:
                log.warning("redact.not_stopped", code=error.code)

        task = asyncio.create_task(stopping())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)
        await asyncio.shield(task)

    async def edit(self, item_id: int, marks: Sequence[Mark]) -> RedactionItem:
        """Make a copy anew with these marks. Raises NotFound; NotRestorable if there is no original any more to make it from.

        PassphraseGone if what is kept would have to be locked again; VideoNotEditable.
        """
        known = await asyncio.to_thread(self._library.redaction, item_id)
        if known is not None and known.facts is not None and known.facts.ways is not None:
            raise VideoNotEditable
        if known is not None and known.source == known.target:
            raise NotRestorable
        if known is not None and known.wish.locked:
            raise PassphraseGone
        item = await asyncio.to_thread(self._library.copy_edited, item_id, tuple(marks), now=self._clock())
        if item is None:
            raise NotFound
        self.wake()
        return item

    async def retry(self, uid: str) -> int:
        """Try once more what failed. Returns how many."""
        count = await asyncio.to_thread(self._library.retry_copies, uid, now=self._clock())
        self.wake()
        return count

    async def choice(self, keep: Sequence[str], only: Sequence[str] | None) -> Choice:
        """Whom names mean. Raises RecognitionOff, NoSuchName."""
        if not keep and only is None:
            return Choice()
        if not self._recognises():
            raise RecognitionOff
        people = await asyncio.to_thread(self._library.person_names)
        return Choice(ids_of(keep, people), None if only is None else ids_of(only, people))

    async def known(self, keep: Sequence[str]) -> Choice:
        """The same without those whom nobody knows, or while nobody is recognised: everyone else is covered."""
        if not keep or not self._recognises():
            return Choice()
        names = set(map(tidy, keep))
        people = await asyncio.to_thread(self._library.person_names)
        return Choice(frozenset(person_id for person_id, name in people.items() if name in names))

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def mended(self) -> None:
        """What stopped the work may be mended."""
        self._tries = 0
        self._mended.set()
        self.wake()

    async def _plan(self, uid: str, ask: RedactionAsk) -> int:
        choice = await self.choice(ask.keep, ask.only)
        wish = ask.wish(choice)
        await self._supply(choice.names_people)
        copies = await asyncio.to_thread(self._copies.plan, ask.paths, ask.out, wish, self._library.made_at)
        if wish.locked and ask.passphrase is not None:
            self._passphrases[uid] = ask.passphrase
        await asyncio.to_thread(self._library.plan_copies, uid, wish, copies, now=self._clock())
        self.mended()
        return len(copies)

    async def _passed(self, uid: str) -> AsyncIterator[RedactionItem]:
        """Copies that were there already."""
        after = 0
        while page := await asyncio.to_thread(self._library.copies_passed, uid, after=after, limit=PAGE):
            for item in page:
                yield item
            after = page[-1].id

    async def _next(self, heard: "asyncio.Queue[int | UnderWay]") -> UnderWay | RedactionItem | None:
        try:
            async with asyncio.timeout(LOOK_S):
                told = await heard.get()
        except TimeoutError:
            if self.problem is not None and self._tries > 1:
                raise self.problem from None
            return None
        return told if isinstance(told, UnderWay) else await asyncio.to_thread(self._library.redaction, told)

    # -- the work ----------------------------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Make what is planned until cancelled; what is under way then is left for the next start."""
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

    async def _pause(self) -> None:
        """Until there may be something to do; longer each time that all work is stuck."""
        stuck = self.problem is not None and not self._running
        limit = RETRY_AFTER_S[min(max(self._tries, 1), len(RETRY_AFTER_S)) - 1] if stuck else LOOK_S if self._resting() else None
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await (self._mended if stuck else self._wake).wait()
        self._mended.clear()

    async def _begin(self) -> None:
        room = (1 if self.problem is not None else self._slots()) - len(self._running)
        if room <= 0:
            return
        try:
            waiting = await asyncio.to_thread(self._library.copies_to_make, room, without=tuple(self._running))
        except StoreError as error:
            self._blocked(error)
            return
        if not waiting and not self._running:
            self.problem = None  # nothing waits any more, whatever stopped it
        for item in waiting:
            if not (item.standing and self._resting()):
                self._running[item.id] = item.batch, asyncio.create_task(self._job(item))

    async def _job(self, item: RedactionItem) -> None:
        try:
            ended = await self._attempt(item)
        except StoreError as error:
            self._blocked(error)  # it could not even be noted what became of it
        else:
            if ended:
                self._attempts.pop(item.id, None)
                self._tell(item, item.id)
        finally:
            self._running.pop(item.id, None)
            self.wake()

    async def _attempt(self, item: RedactionItem) -> bool:
        """Whether it is made, or failed for good."""
        attempt = self._attempts[item.id] = self._attempts.get(item.id, 0) + 1
        try:
            passphrase = self._passphrases.get(item.batch)
            await self._covering.make(item, passphrase, lambda percent: self._tell(item, UnderWay(item.id, item.source, percent)))
        except BLOCKERS as error:
            self._attempts[item.id] -= 1
            self._blocked(error)
            if isinstance(error, ModelError):
                with suppress(AgentError):
                    await self._supply(item.wish.choice.names_people)
            return False
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

    def _tell(self, item: RedactionItem, what: int | UnderWay) -> None:
        if (listener := self._waiting.get(item.batch)) is not None:
            listener.put_nowait(what)

    def _blocked(self, error: AgentError) -> None:
        self._tries += 1
        if self.problem is None or self.problem.code != error.code:
            log.error("redact.blocked", code=error.code)
        self.problem = error
