"""Runs the matcher's process: started on first use, filled from the library, updated with changes, ended when idle."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from agent.domain.embeddings import ClusterInput, ClusterInputs, FaceEmbedding, Near, Spread, numbers
from agent.domain.errors import AgentError, EngineBadAnswer, EngineKilled, EngineStartFailed, EngineTimeout
from agent.domain.identity_matching import Candidate
from agent.inference.engine import matcher_calls as calls
from agent.inference.engine.matcher_calls import IdentifyRequest, MatcherHello, NearRequest, Roster, SpreadRequest, by_group, parts
from agent.inference.engine.matcher_port import ClusterMembers, Query
from agent.inference.engine.rpc import Call, RpcClient
from agent.inference.engine.worker_slot import memory_of
from agent.infrastructure.core.background import BackgroundTasks
from agent.infrastructure.core.json_child import Child, ChildExited, own_command

Q = TypeVar("Q")
A = TypeVar("A")
# All face prints of the library, page by page; blocks while reading, always in one thread.
ReadPrints: TypeAlias = Callable[[], Iterator[Sequence[FaceEmbedding]]]

_MOST_PARTS = 10_000_000  # the clusters of a library of three million faces have fewer
_GROUP_LIMIT_S, _GROUP_FACE_S = 300.0, 0.005  # a million faces take a few minutes if nothing else runs
_SHORT_S, _LOOK_S = 0.01, 0.25  # polling intervals


class MatcherProcess:
    """A FaceMatcher over a child process. Use it from one event loop.

    Queries and changes are served in order, also while clusters are computed from scratch. A process
    that ends, hangs or sends invalid data costs the current query; the next one fills a fresh process. The same happens if
    it is uncertain whether a change has arrived.
    """

    def __init__(
        self, read: ReadPrints, *, idle_s: float = 300.0, time_limit_s: float = 60.0, command: Sequence[str] | None = None
    ) -> None:
        self._read = read
        self._idle_s, self._limit_s = idle_s, time_limit_s
        self._command = list(command) if command is not None else own_command("match-worker")
        self._turn = asyncio.Lock()
        self._client: RpcClient | None = None
        self._filled = self._closed = False
        self._sequences = 0  # works of several queries, of which the later need what the process made of the earlier
        self._faces = 0  # about as many as the process holds: dropped ones still count
        self._idle: asyncio.TimerHandle | None = None
        self._endings = BackgroundTasks()
        self.hello: MatcherHello | None = None  # of the running process

    # -- the port ----------------------------------------------------------------------------------------------------------------
    async def near(self, query: Query, *, within: float, limit: int, named: bool = False) -> list[list[Near]]:
        return await self._question(calls.NEAR, NearRequest(query, within, limit, named))

    async def identify(self, query: Query, *, probable: float, most: int = 5) -> list[list[Candidate]]:
        return await self._question(calls.IDENTIFY, IdentifyRequest(query, probable, most))

    async def group(self, members: ClusterInputs) -> bytes:
        limit = _GROUP_LIMIT_S + _GROUP_FACE_S * len(numbers(members.faces))
        with self._sequence():
            await self._question(calls.GROUP, members, text=await asyncio.to_thread(calls.GROUP.request.text, members))
            client, waited = self._client, 0.0
            while waited < limit:
                pause = min(_LOOK_S, _SHORT_S + waited / 4)
                await asyncio.sleep(pause)
                waited += pause
                formed = await self._question(calls.GROUPED, None, of=client)
                if formed.groups is None:
                    continue
                if len(formed.groups) == len(members.faces):
                    return formed.groups
                self.forget()
                raise EngineBadAnswer
        self.forget()
        raise EngineTimeout(seconds=limit)

    async def place(self, fresh: Sequence[ClusterInput], known: Callable[[], ClusterMembers]) -> dict[int, int]:
        asked = ClusterInputs.of(fresh)
        with self._sequence():
            placed = await self._question(calls.PLACE, asked)
            if placed.groups is None:
                before = await asyncio.to_thread(known)
                await self._question(calls.BEGIN, before.cannot)
                client = self._client
                coming = by_group(before.members)
                while (part := await asyncio.to_thread(next, coming, None)) is not None:
                    await self._question(calls.RESTORE, part, of=client)
                placed = await self._question(calls.PLACE, asked, of=client)
        return dict(placed.groups or ())

    async def spread(self, groups: Sequence[Sequence[int]], *, most: int) -> list[Spread]:
        return await self._question(calls.SPREAD, SpreadRequest(tuple(map(tuple, groups)), most))

    async def put(self, prints: Sequence[FaceEmbedding]) -> None:
        self._faces += len(prints)
        await self._change(calls.PUT, parts(prints))

    async def drop(self, faces: Sequence[int]) -> None:
        await self._change(calls.DROP, [tuple(faces)])

    async def align(self, known: Callable[[], Mapping[int, int]]) -> list[int]:
        async def send(client: RpcClient) -> tuple[int, ...]:
            people = await asyncio.to_thread(known)
            return await self._ask(client, calls.ALIGN, Roster(tuple(people), tuple(people.values())))

        return list(await self._changed(send) or ())

    def forget(self) -> None:
        """Kill the process: its current query fails with EngineKilled."""
        if (client := self._let_go()) is not None:
            self._endings.start(client.child.kill())

    async def renew(self) -> bool:
        """End the process after its current query; the next one fills a fresh process. Return False while clusters are computed."""
        async with self._turn:
            if self._sequences:
                return False
            self.forget()
        return True

    async def close(self) -> None:
        self._closed = True
        self.forget()
        async with self._turn:
            self.forget()  # one that was being started
        await self._endings.ended()

    @property
    def memory(self) -> int:
        """Return the resident bytes of the process; 0 if none runs."""
        return 0 if self.hello is None else memory_of(self.hello.pid)

    @property
    def pid(self) -> int | None:
        """The process; None if none runs."""
        return self._client.child.pid if self._client is not None and self._client.child.alive else None

    @property
    def faces(self) -> int:
        """Return about how many faces the process holds."""
        return self._faces

    @contextmanager
    def _sequence(self) -> Iterator[None]:
        self._sequences += 1
        try:
            yield
        finally:
            self._sequences -= 1

    # -- queries and changes -----------------------------------------------------------------------------------------------------
    async def _question(self, call: Call[Q, A], asked: Q, *, of: RpcClient | None = None, text: bytes | None = None) -> A:
        """Send a query; `of` is the process of the previous one, if no other can answer. Raises EngineKilled if it is gone.

        For `text` see `RpcClient.ask`.
        """
        async with self._turn:
            if of is not None and self._client is not of:
                raise EngineKilled
            self._busy()
            try:
                return await self._ask(await self._running() if of is None else of, call, asked, text)
            finally:
                self._rest()

    async def _change(self, call: Call[Q, None], changes: Iterable[Q]) -> None:
        """Send changes, see `_changed`."""

        async def send(client: RpcClient) -> None:
            for change in changes:
                await self._ask(client, call, change)

        await self._changed(send)

    async def _changed(self, change: Callable[[RpcClient], Awaitable[A]]) -> A | None:
        """Make a change. Without a loaded library, the next query loads the current one. While it is being loaded, changes wait."""
        if self._client is None:
            return None
        try:
            async with self._turn:
                if self._client is None or not self._filled:
                    return None
                self._busy()
                try:
                    return await change(self._client)
                finally:
                    self._rest()
        except (AgentError, asyncio.CancelledError) as error:
            self.forget()  # whether it received the change or not: the next one reads it
            if isinstance(error, asyncio.CancelledError):
                raise
            return None

    async def _ask(self, client: RpcClient, call: Call[Q, A], asked: Q, text: bytes | None = None) -> A:
        try:
            return await client.ask(call, asked, limit=self._limit_s if call.limit is None else call.limit, text=text)
        finally:
            if client.lost:
                self.forget()

    # -- the process -------------------------------------------------------------------------------------------------------------
    async def _running(self) -> RpcClient:
        """Return the process, started and filled if necessary. Raises EngineError, or an error of reading the library."""
        if self._closed:
            raise EngineKilled
        if self._client is not None and self._client.child.alive and self._filled:
            return self._client
        self.forget()
        try:
            client = self._client = RpcClient(await Child.start(self._command, desktop=False, most_parts=_MOST_PARTS))
            self.hello = await self._ask(client, calls.HELLO, None)
        except EngineKilled:
            self.forget()
            raise  # from outside, or by `forget` meanwhile: the next one may start
        except (ChildExited, AgentError) as error:
            self.forget()
            raise EngineStartFailed from error
        try:
            await self._fill(client)
        except BaseException:
            self.forget()
            raise
        return client

    async def _fill(self, client: RpcClient) -> None:
        self._faces = 0
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, "face-prints")
        try:
            pages = await loop.run_in_executor(
                thread, lambda: ((part, calls.PUT.request.text(part)) for page in self._read() for part in parts(page))
            )
            coming = loop.run_in_executor(thread, next, pages, None)
            while (page := await coming) is not None:
                coming = loop.run_in_executor(thread, next, pages, None)  # read while the previous one is sent
                await self._ask(client, calls.PUT, *page)
                self._faces += len(page[0].faces)
        finally:
            thread.shutdown(wait=False)
        if self._client is not client:
            raise EngineKilled  # `forget` was called meanwhile
        self._filled = True

    def _let_go(self) -> RpcClient | None:
        client, self._client, self.hello, self._filled = self._client, None, None, False
        return client

    def _busy(self) -> None:
        if self._idle is not None:
            self._idle.cancel()

    def _rest(self) -> None:
        self._idle = asyncio.get_running_loop().call_later(self._idle_s, self.forget) if self._client is not None else None
