"""The engine in this very process, for tools and tests: nothing walls off what it decodes."""

import asyncio
import os
import time

from agent.domain.errors import AgentError
from agent.domain.face import Analysis
from agent.engine.analyser import Analyse
from agent.engine.open_files import NewFile, new_file, open_photo
from agent.engine.renderer import Region, Render, Rendered
from agent.engine.rpc import EngineConfig
from agent.engine.service import Engine


class InlineAnalyser:
    """An Analyser and Renderer without a child process; one task at a time."""

    def __init__(self, config: EngineConfig) -> None:
        self.engine = Engine(config, time.perf_counter)
        self._turn = asyncio.Lock()

    async def analyse(self, task: Analyse) -> Analysis:
        async with self._turn:
            return await asyncio.to_thread(self.engine.analyse, task)

    async def preview(self, path: str, side: int) -> bytes:
        async with self._turn:
            return await asyncio.to_thread(self.engine.preview, path, side)

    async def render(self, task: Render) -> Rendered:
        async with self._turn, new_file(task.output) as output:
            rendered = await asyncio.to_thread(lambda: self.engine.render(task, *_both(task.path, output)))
            await asyncio.to_thread(output.settle, rendered.copy_size)
            return rendered

    async def restore(self, path: str, regions: tuple[Region, ...], output: str) -> None:
        async with self._turn, new_file(output) as made:
            await asyncio.to_thread(lambda: self.engine.restore(regions, *_both(path, made)))
            await asyncio.to_thread(made.settle)

    def forget(self) -> None:
        self.engine.forget()

    async def close(self) -> None:
        """Nothing to end."""


def _both(path: str, output: NewFile) -> tuple[int, int]:
    """What is read, and what is written."""
    source = open_photo(path)
    try:
        return source, output.open()
    except AgentError:
        os.close(source)
        raise
