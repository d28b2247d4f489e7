"""The API for commands: the running agent's or, if there is none, that of the same application in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from agent.domain.errors import NotRunning, reason_of
from agent.infrastructure.core.process_exit import loop_threads
from agent.interfaces.cli.session import warn_if_damaged

if TYPE_CHECKING:
    from agent.interfaces.cli.session import Application, CommandSession
    from agent.interfaces.web.client import Client

T = TypeVar("T")


@contextmanager
def backend(session: "CommandSession", *, embeddings: bool | None = None) -> "Iterator[Client]":
    """To read photos, missing models are fetched: with True also the one for embeddings, with False what the settings need."""
    try:
        client: Client | None = session.client()
    except NotRunning:
        client = None
    if client is not None:
        try:
            yield client
            warn_if_damaged(session)  # found by the agent, which continues with the readable part
        finally:
            client.close()
        return
    with (
        session.alone(),
        session.program.application(session, embeddings) as make,
        asyncio.Runner() as runner,
        loop_threads(runner.get_loop()),
        InProcessApplication(runner).running(make) as here,
    ):
        yield here


class InProcessApplication:
    """The application and its background work, without watching. Both run only while the command waits for an answer."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._work: asyncio.Task[None] | None = None

    @contextmanager
    def running(self, make: "Callable[[], Application]") -> "Iterator[Client]":
        """`make` is called in the event loop."""
        from agent.interfaces.web.client import InProcessClient
        from agent.interfaces.web.in_process_transport import InProcess
        from agent.interfaces.web.runtime_file import RuntimeInfo

        async def start() -> "Application":
            application = make()
            self._work = asyncio.create_task(application.work())
            # An earlier edit would meet the matcher that the preparation ends. `run` reports why the work ended.
            prepared = asyncio.create_task(application.prepared.wait())
            await asyncio.wait([prepared, self._work], return_when=asyncio.FIRST_COMPLETED)
            prepared.cancel()
            return application

        async def stop() -> None:
            if self._work is not None:
                self._work.cancel()
                await asyncio.gather(self._work, return_exceptions=True)

        try:
            application = self._runner.run(start())
            where = RuntimeInfo(application.port, application.token, 0)
            yield InProcessClient(where, InProcess(application.answer, self.run))
        finally:
            self._runner.run(stop())

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run the work. Raises its error, or the one that ended the background work meanwhile."""

        async def beside() -> T:
            assert self._work is not None
            task = asyncio.ensure_future(work())
            try:
                await asyncio.wait([task, self._work], return_when=asyncio.FIRST_COMPLETED)
            finally:  # also after Ctrl-C
                unfinished = not task.done()
                if unfinished:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            if unfinished and (error := self._work.exception()):
                raise reason_of(error)
            return await task

        return self._runner.run(beside())


def absolute(paths: Sequence[str]) -> tuple[str, ...]:
    """Absolute paths for the agent, whose working directory differs."""
    return tuple(str(Path(path).absolute()) for path in paths)
