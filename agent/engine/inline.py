"""The engine in this very process, for tools and tests: nothing walls off what it decodes."""

import asyncio
import time

from agent.app.ports import Analyse
from agent.domain.face import Analysis
from agent.engine.service import Engine
from agent.engine.wire import EngineConfig


class InlineAnalyser:
    """An Analyser without a child process; one task at a time."""

    def __init__(self, config: EngineConfig) -> None:
        self.engine = Engine(config, time.perf_counter)
        self._turn = asyncio.Lock()

    async def analyse(self, task: Analyse) -> Analysis:
        async with self._turn:
            return await asyncio.to_thread(self.engine.analyse, task)

    async def preview(self, path: str, side: int) -> bytes:
        async with self._turn:
            return await asyncio.to_thread(self.engine.preview, path, side)

    def forget(self) -> None:
        self.engine.forget()

    async def close(self) -> None:
        """Nothing to end."""
