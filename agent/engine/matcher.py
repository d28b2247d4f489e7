"""Runs the matcher's process: started when first asked, filled from the library, told of changes, ended when idle."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias, TypeVar

from agent.core.child import Child, ChildGarbled, ChildGone, ChildTimeout, own_command
from agent.domain.embeddings import FacePrint, GroupMember, Near, Spread
from agent.domain.errors import AgentError, EngineBadAnswer, EngineKilled, EngineStartFailed, EngineTimeout
from agent.domain.people import Candidate
from agent.engine import matcher_wire, rpc
from agent.engine.matcher_port import Groups, Query
from agent.engine.matcher_wire import IdentifyRequest, MatcherHello, Members, NearRequest, SpreadRequest
from agent.engine.rpc import Codec
from agent.engine.worker_slot import memory_of, why_ended

T = TypeVar("T")
# All face prints of the library, page by page; blocks while it reads, always in one thread.
ReadPrints: TypeAlias = Callable[[], Iterator[Sequence[FacePrint]]]

_MOST_PARTS = 10_000_000  # the groups of a library of three million faces have fewer
_START_LIMIT_S = 60.0
_GROUP_LIMIT_S = 900.0  # for a million faces
_SHORT_S, _LOOK_S = 0.01, 0.25  # between looks whether it is done
_FOUND = 2.0  # the largest distance there is


class MatcherProcess:
    """A FaceMatcher over a child process. Use it from one event loop.

    Questions and changes are served one after the other, in the order they came, also while groups are formed from nothing. A process
    that ends, hangs or talks rubbish costs the question it was busy with; the next one fills a fresh process. So does whatever leaves it
    in doubt whether a change has arrived.
    """

    def __init__(
        self, read: ReadPrints, *, idle_s: float = 300.0, time_limit_s: float = 60.0, command: Sequence[str] | None = None
    ) -> None:
        self._read = read
        self._idle_s, self._limit_s = idle_s, time_limit_s
        self._command = list(command) if command is not None else own_command("match-worker")
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._filled = self._closed = False
        self._requests = 0
        self._idle: asyncio.TimerHandle | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self.hello: MatcherHello | None = None  # of the process that runs

    # -- the port ----------------------------------------------------------------------------------------------------------------
    async def near(self, query: Query, *, within: float, limit: int) -> list[list[Near]]:
        asked = NearRequest(query, within, limit)
        return await self._question(
            "near", matcher_wire.NEAR.dump(asked), matcher_wire.NEARS, lambda found: matcher_wire.check_near(found, asked)
        )

    async def search(self, query: Query, *, limit: int) -> list[list[Near]]:
        return await self.near(query, within=_FOUND, limit=limit)

    async def identify(self, query: Query, *, probable: float, most: int = 5) -> list[list[Candidate]]:
        asked = IdentifyRequest(query, probable, most)
        return await self._question(
            "identify", matcher_wire.IDENTIFY.dump(asked), rpc.MATCHES, lambda found: matcher_wire.check_people(found, asked)
        )

    async def group(self, members: Sequence[GroupMember], cannot: Sequence[tuple[int, int]] = ()) -> dict[int, int]:
        await self._question("group", matcher_wire.MEMBERS.dump(Members.of(members, cannot)), rpc.DONE)
        child, waited = self._child, 0.0
        while waited < _GROUP_LIMIT_S:
            pause = min(_LOOK_S, _SHORT_S + waited / 4)
            await asyncio.sleep(pause)
            waited += pause
            placed = await self._question("grouped", None, matcher_wire.PLACED, of=child)
            if placed.groups is not None:
                return dict(placed.groups)
        raise self._failed(EngineTimeout(seconds=_GROUP_LIMIT_S))

    async def place(self, fresh: Sequence[GroupMember], known: Callable[[], Groups]) -> dict[int, int]:
        body = matcher_wire.MEMBERS.dump(Members.of(fresh))
        placed = await self._question("place", body, matcher_wire.PLACED)
        if placed.groups is None:
            before = await asyncio.to_thread(known)
            await self._question("begin", matcher_wire.PAIRS.dump(before.cannot), rpc.DONE)
            child = self._child
            for part in matcher_wire.by_group(before.members):
                await self._question("restore", matcher_wire.MEMBERS.dump(part), rpc.DONE, of=child)
            placed = await self._question("place", body, matcher_wire.PLACED, of=child)
        return dict(placed.groups or ())

    async def spread(self, groups: Sequence[Sequence[int]], *, most: int) -> list[Spread]:
        asked = SpreadRequest(tuple(map(tuple, groups)), most)
        return await self._question(
            "spread", matcher_wire.SPREAD.dump(asked), matcher_wire.SPREADS, lambda found: matcher_wire.check_spread(found, asked)
        )

    async def put(self, prints: Sequence[FacePrint]) -> None:
        await self._change("put", lambda: map(matcher_wire.PRINTS.dump, matcher_wire.parts(prints)))

    async def drop(self, faces: Sequence[int]) -> None:
        await self._change("drop", lambda: iter([matcher_wire.FACES.dump(tuple(faces))]))

    async def assign(self, people: Mapping[int, int]) -> None:
        await self._change("assign", lambda: iter([matcher_wire.PAIRS.dump(tuple(people.items()))]))

    def forget(self) -> None:
        """The process is killed: what it was busy with fails with EngineKilled."""
        if (child := self._let_go()) is not None:
            self._later(child.kill())

    async def close(self) -> None:
        self._closed = True
        self.forget()
        async with self._turn:
            self.forget()  # one that was being started
        while self._endings:
            await asyncio.gather(*self._endings, return_exceptions=True)

    @property
    def memory(self) -> int:
        """Resident bytes of the process; 0 if none runs."""
        return 0 if self.hello is None else memory_of(self.hello.pid)

    # -- questions and changes ---------------------------------------------------------------------------------------------------
    async def _question(
        self, operation: str, body: object, codec: Codec[T], check: Callable[[T], T] | None = None, *, of: Child | None = None
    ) -> T:
        """`of`: the process that was asked before, if no other one can tell. Raises EngineKilled if it is no more."""
        async with self._turn:
            if of is not None and self._child is not of:
                raise EngineKilled
            self._busy()
            try:
                return await self._ask(await self._running() if of is None else of, operation, body, codec, check)
            finally:
                self._rest()

    async def _change(self, operation: str, bodies: Callable[[], Iterator[object]]) -> None:
        """Nobody holds the library: it will be read as it is then. Somebody is reading it: the turn comes when that is done."""
        if self._child is None:
            return
        try:
            async with self._turn:
                if self._child is None or not self._filled:
                    return
                self._busy()
                try:
                    for body in bodies():
                        await self._ask(self._child, operation, body, rpc.DONE)
                finally:
                    self._rest()
        except (AgentError, asyncio.CancelledError) as error:
            self.forget()  # whether it knows of the change or not: the next one reads it
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _ask(
        self,
        child: Child,
        operation: str,
        body: object,
        codec: Codec[T],
        check: Callable[[T], T] | None = None,
        limit: float | None = None,
    ) -> T:
        self._requests += 1
        limit = self._limit_s if limit is None else limit
        try:
            message = await child.request(rpc.request(self._requests, operation, body), timeout=limit)
            answer = rpc.believe(message, self._requests, codec)
            return answer if check is None else check(answer)
        except ChildGarbled as error:
            raise self._failed(EngineBadAnswer()) from error
        except ChildGone as error:
            raise self._failed(why_ended(error.exit_code)) from error
        except ChildTimeout as error:
            raise self._failed(EngineTimeout(seconds=limit)) from error
        except EngineBadAnswer as error:
            raise self._failed(error) from None  # nothing more it says can be believed

    def _failed(self, error: AgentError) -> AgentError:
        self.forget()
        return error

    # -- the process -------------------------------------------------------------------------------------------------------------
    async def _running(self) -> Child:
        """The process, started and filled if need be. Raises EngineError, or what reading the library raises."""
        if self._closed:
            raise EngineKilled
        if self._child is not None and self._child.alive and self._filled:
            return self._child
        self.forget()
        try:
            child = self._child = await Child.start(self._command, desktop=False, most_parts=_MOST_PARTS)
            self.hello = await self._ask(child, "hello", None, matcher_wire.HELLO, limit=_START_LIMIT_S)
        except EngineKilled:
            self.forget()
            raise  # from outside, or told to forget meanwhile: the next one may well start
        except (ChildGone, AgentError) as error:
            self.forget()
            raise EngineStartFailed from error
        try:
            await self._fill(child)
        except BaseException:
            self.forget()
            raise
        return child

    async def _fill(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, "face-prints")
        try:
            pages = await loop.run_in_executor(thread, lambda: _bodies(self._read()))
            coming = loop.run_in_executor(thread, next, pages, None)
            while (body := await coming) is not None:
                coming = loop.run_in_executor(thread, next, pages, None)  # read while the one before is taken in
                await self._ask(child, "put", body, rpc.DONE)
        finally:
            thread.shutdown(wait=False)
        if self._child is not child:
            raise EngineKilled  # told to forget in the meantime
        self._filled = True

    def _let_go(self) -> Child | None:
        child, self._child, self.hello, self._filled = self._child, None, None, False
        return child

    def _busy(self) -> None:
        if self._idle is not None:
            self._idle.cancel()

    def _rest(self) -> None:
        self._idle = asyncio.get_running_loop().call_later(self._idle_s, self.forget) if self._child is not None else None

    def _later(self, ending: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(ending)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


def _bodies(pages: Iterator[Sequence[FacePrint]]) -> Iterator[object]:
    return (matcher_wire.PRINTS.dump(part) for page in pages for part in matcher_wire.parts(page))
