"""A worker in a process of its own. Its engine is a stand-in: each photo is its bytes, "crash" kills it, "lacks" has no model."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent.domain.errors import AgentError, EngineCrashed, ImageMissing, ModelMissing
from agent.domain.face import Analysis, Box
from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse, AnalysisEngine
from agent.infrastructure.core.process_exit import leave, loop_threads
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.column_encryption import ColumnCipher
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.postgresql import PostgreSql

if TYPE_CHECKING:
    from agent.features.people.reference_recognition import KnownReferences

SLOTS = 4
CRASH = "crash"
LACKS = "lacks"
MODEL = "centerface"


class BytesAnalyser:
    """`pause` is what a photo takes; the photos of a folder called "held" wait until it has a file "go"."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    async def analyse(self, task: Analyse) -> Analysis:
        from tests.support.in_process_agent import analysis

        await asyncio.sleep(self._pause)
        content = await asyncio.to_thread(_read, Path(task.path))
        if content.startswith(CRASH.encode()):
            raise EngineCrashed
        if content.startswith(LACKS.encode()):
            raise ModelMissing(model=MODEL)
        return analysis(content, task.recipe)

    async def preview(self, path: str, side: int, hidden: tuple[Box, ...] = ()) -> bytes:
        raise NotImplementedError

    def forget(self) -> None: ...

    async def close(self) -> None: ...


def _read(path: Path) -> bytes:
    while path.parent.name == "held" and not (path.parent / "go").exists():
        time.sleep(0.02)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageMissing from error


async def nothing(_: Recipe) -> None: ...


def engine(pause: float) -> AnalysisEngine:
    return AnalysisEngine(BytesAnalyser(pause), lambda: SLOTS, nothing)


async def main(url: str, name: str, pause: float, drain_s: float) -> None:
    from agent.app.worker_process import WorkerEdges, stopped_by_signals, work
    from agent.server.workers import worker
    from tests.support.in_process_agent import FakeMatcher

    worker.BEAT_S = 0.5  # the tests' sweepers wait less, too

    def matcher(references: "KnownReferences") -> FakeMatcher:
        return FakeMatcher(references.read)

    edges = WorkerEdges(engine(pause), matcher)
    stop = stopped_by_signals()
    database = Database(
        PostgreSql(url, bytes(32), seals=ColumnCipher(ColumnCipher.of(bytes(32)).faces, None))
    )  # as a worker, it opens no names
    with loop_threads(asyncio.get_running_loop()):
        await work(Settings(), database, url, name, edges, stop, drain_s=drain_s)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
        leave(0)
    except AgentError as ended:
        print(ended.code, file=sys.stderr)
        os._exit(1)
