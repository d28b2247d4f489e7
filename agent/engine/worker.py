"""The engine's process: answers one JSON line with one JSON line until its input ends."""

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias

from agent.app.health import Wall
from agent.child import Message, send, take_pipes
from agent.domain.errors import AgentError, EngineStartFailed, ImageUnreadable, Unexpected
from agent.engine import wire
from agent.engine.files import Taker
from agent.engine.wall import Rooms, raise_wall
from agent.heap import large_apart

if TYPE_CHECKING:
    from agent.engine.service import Engine

# When the agent is gone, the task under way may end; one that hangs may not keep the process.
_LAST_TASK_S = 5.0

Operation: TypeAlias = Callable[[object], object]


class Worker:
    """Turns requests into answers. The first one must be `hello`: it says what the engine needs to know."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._wall: Wall | None = None
        self._files = Taker()
        self._taken: list[int] = []  # files that came with the request under way, and nobody has yet

    def wall_in(self, message: Message) -> None:
        """Raise the wall that suits `hello`, before any other thread starts; without it `hello` is refused."""
        try:
            config = wire.CONFIG.load(message["body"])
            scratch = [Path(config.converted), Path(config.cache)]
            for folder in scratch:
                folder.mkdir(parents=True, exist_ok=True)
        except (KeyError, ValueError, OSError):
            return
        models = [Path(file.path) for file in config.models.values()]
        self._wall = raise_wall(Rooms.of_engine(models=models, scratch=scratch, device=config.device, megapixels=config.max_megapixels))

    def serve(self, message: Message) -> Message:
        """Never raises: whatever goes wrong with a task is its answer."""
        number = message.get("id")
        operations: dict[str, Operation] = {
            "hello": self._hello,
            "accelerators": self._accelerators,
            "self_test": self._self_test,
            "analyse": self._analyse,
            "preview": self._preview,
            "render": self._render,
            "restore": self._restore,
            **{name: partial(self._clip, name) for name in ("clip_probe", "clip_look", "clip_draw", "clip_join")},
        }
        try:
            self._taken = [self._files.take(ticket) for ticket in message.get("files", ())]
            return wire.answer(number, operations[message["op"]](message["body"]))
        except AgentError as error:
            return wire.failure(number, error)
        except Exception as error:  # a defect: the agent is told its kind, never its text, which may hold a path
            return wire.failure(number, Unexpected(kind=type(error).__name__))
        finally:
            for descriptor in self._taken:
                os.close(descriptor)
            self._taken = []

    def _next_file(self) -> int | None:
        """Whoever asks closes it."""
        return self._taken.pop(0) if self._taken else None

    @property
    def _ready(self) -> "Engine":
        if self._engine is None:
            raise EngineStartFailed
        return self._engine

    def _hello(self, body: object) -> object:
        if self._wall is None:
            raise EngineStartFailed
        # The libraries start threads when they are loaded: only those started inside the wall are held by it.
        from agent.engine.service import Engine

        self._engine = Engine(wire.CONFIG.load(body), time.perf_counter)
        return wire.HELLO.dump(wire.Hello(self._engine.device, self._engine.precision, os.getpid(), self._wall))

    def _accelerators(self, _: object) -> object:
        """Asked in the place of `hello`, of a process that does nothing else."""
        if self._wall is None:
            raise EngineStartFailed
        from agent.engine.selftest import accelerators

        return wire.DEVICES.dump(accelerators())

    def _self_test(self, body: object) -> object:
        """Likewise."""
        if self._wall is None:
            raise EngineStartFailed
        from agent.engine.selftest import self_test

        return wire.TRIAL.dump(self_test(wire.CONFIG.load(body), time.perf_counter))

    def _analyse(self, body: object) -> object:
        return wire.ANALYSIS.dump(self._ready.analyse(wire.ANALYSE.load(body), self._next_file()))

    def _preview(self, body: object) -> object:
        asked = wire.PREVIEW.load(body)
        return wire.PICTURE.dump(self._ready.preview(asked.path, asked.side, self._next_file()))

    def _render(self, body: object) -> object:
        return wire.RENDERED.dump(self._ready.render(wire.RENDER.load(body), *self._two_files()))

    def _restore(self, body: object) -> object:
        asked = wire.RESTORE.load(body)
        self._ready.restore(asked.regions, *self._two_files())
        return wire.DONE.dump(True)

    def _clip(self, name: str, body: object) -> object:
        from agent.engine.clip_service import answer_clip

        files, self._taken = self._taken, []
        return answer_clip(self._ready, name, body, files)

    def _two_files(self) -> tuple[int, int]:
        """What is read, and what is written. Raises ImageUnreadable."""
        source, target = self._next_file(), self._next_file()
        if source is None or target is None:
            raise ImageUnreadable
        return source, target


class Serving(Protocol):
    """What answers in a process of its own."""

    def wall_in(self, message: Message) -> None:
        """Before the first message is served, and before there is a second thread."""
        ...

    def serve(self, message: Message) -> Message:
        """Never raises."""
        ...


def main() -> int:
    """Serve standard input until it ends."""
    return serve_input(Worker())


def serve_input(worker: Serving) -> int:
    """Until standard input ends. Returns the exit code."""
    large_apart()
    requests, answers = take_pipes()
    # Ctrl-C in a terminal reaches every process of the group: the agent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line: bytes | None = requests.readline()
    if line:
        worker.wall_in(json.loads(line))
    waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    while line:
        try:
            send(answers, worker.serve(json.loads(line)))
        except BrokenPipeError:
            break
        line = waiting.get()
    return 0


def _read(requests: BinaryIO, waiting: "queue.SimpleQueue[bytes | None]") -> None:
    """Hand the lines on; at their end see to it that the process ends even if its last task hangs."""
    for line in requests:
        waiting.put(line)
    waiting.put(None)
    time.sleep(_LAST_TASK_S)
    os._exit(0)
