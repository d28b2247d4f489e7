"""Keeps a server's worker processes running: one that ends is started again, and all are asked to drain at the end."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

import structlog

log = structlog.get_logger()

# After an end: the next start waits twice as long, unless the process had run for a while.
_FIRST_S, _LONGEST_S, _STEADY_S = 1.0, 60.0, 60.0


class WorkerProcesses:
    """`command` returns the command line of the worker with a name; `environment` is added to this process's."""

    def __init__(
        self, count: int, command: Callable[[str], Sequence[str]], environment: Mapping[str, str], *, to_stdout: bool = False
    ) -> None:
        """With `to_stdout` their standard output is this process's, where they log."""
        self._names = [f"worker-{number}" for number in range(1, count + 1)]
        self._command = command
        self._environment = {**os.environ, **environment}
        self._stdout = None if to_stdout else subprocess.DEVNULL
        self._ending = asyncio.Event()

    async def run(self) -> None:
        """Until `end`, and until every process has ended."""
        async with asyncio.TaskGroup() as tasks:
            for name in self._names:
                tasks.create_task(self._keep(name))

    def end(self) -> None:
        """Ask all to finish what they do and end; none is started again."""
        self._ending.set()

    async def _keep(self, name: str) -> None:
        loop, pause_s = asyncio.get_running_loop(), _FIRST_S
        while not self._ending.is_set():
            began = loop.time()
            code = await self._once(name)
            if self._ending.is_set():
                return
            pause_s = _FIRST_S if loop.time() - began > _STEADY_S else min(pause_s * 2, _LONGEST_S)
            log.warning("worker.ended", worker=name, code=code, again_s=pause_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._ending.wait()

    async def _once(self, name: str) -> int:
        """Run it until it ends. Its group is its own: signals from the terminal reach this process alone, which then asks it.

        The end of its input is this process's end.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command(name),
            stdin=subprocess.PIPE,
            stdout=self._stdout,
            env=self._environment,
            start_new_session=True,
        )
        log.info("worker.started", worker=name)
        ended, asked = asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait((ended, asked), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                process.terminate()
            return await ended
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        finally:
            ended.cancel()
            asked.cancel()
