"""The engine's process: what it does for each request."""

import os
import time
from functools import partial
from typing import TYPE_CHECKING

from agent.core.child import Message
from agent.domain.errors import EngineStartFailed
from agent.engine import rpc
from agent.engine.open_files import Handed, Taker
from agent.engine.rpc_worker import Operation, answered, rooms_for, serve_input
from agent.engine.sandbox import raise_wall
from agent.engine.sandbox.wall import Wall

if TYPE_CHECKING:
    from agent.engine.service import Engine


class Worker:
    """Turns requests into answers. The first one must be `hello`: it says what the engine needs to know."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._wall: Wall | None = None
        self._files = Handed(Taker())

    def wall_in(self, message: Message) -> None:
        """Raise the wall that suits `hello`, before any other thread starts; without it `hello` is refused."""
        if (rooms := rooms_for(message)) is not None:
            self._wall = raise_wall(rooms)

    def serve(self, message: Message) -> Message:
        """Never raises: whatever goes wrong with a task is its answer."""
        operations: dict[str, Operation] = {
            "hello": self._hello,
            "accelerators": self._accelerators,
            "self_test": self._self_test,
            "prepare": self._prepare,
            "analyse": self._analyse,
            "preview": self._preview,
            "render": self._render,
            "restore": self._restore,
            **{name: partial(self._clip, name) for name in ("clip_probe", "clip_look", "clip_draw", "clip_join", "clip_still")},
            **{name: partial(self._film, name) for name in ("film_probe", "film_look", "film_draw", "film_join", "film_still")},
        }
        return answered(message, operations, self._files)

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

        self._engine = Engine(rpc.CONFIG.load(body), time.perf_counter)
        return rpc.HELLO.dump(rpc.Hello(self._engine.device, self._engine.precision, os.getpid(), self._wall))

    def _accelerators(self, _: object) -> object:
        """Asked in the place of `hello`, of a process that does nothing else."""
        if self._wall is None:
            raise EngineStartFailed
        from agent.engine.selftest import accelerators

        return rpc.DEVICES.dump(accelerators())

    def _self_test(self, body: object) -> object:
        """Likewise."""
        if self._wall is None:
            raise EngineStartFailed
        from agent.engine.selftest import self_test

        return rpc.TRIAL.dump(self_test(rpc.CONFIG.load(body), time.perf_counter))

    def _prepare(self, body: object) -> object:
        """Likewise: leaves the models in OpenVINO's format, and compiled, in the folders of the config."""
        if self._wall is None:
            raise EngineStartFailed
        from agent.engine.service import Engine

        Engine(rpc.CONFIG.load(body), time.perf_counter).load()
        return rpc.DONE.dump(True)

    def _analyse(self, body: object) -> object:
        return rpc.ANALYSIS.dump(self._ready.analyse(rpc.ANALYSE.load(body), *self._files.next(1)))

    def _preview(self, body: object) -> object:
        asked = rpc.PREVIEW.load(body)
        return rpc.PICTURE.dump(self._ready.preview(asked.path, asked.side, *self._files.next(1)))

    def _render(self, body: object) -> object:
        return rpc.RENDERED.dump(self._ready.render(rpc.RENDER.load(body), *self._files.next(2)))

    def _restore(self, body: object) -> object:
        asked = rpc.RESTORE.load(body)
        self._ready.restore(asked.regions, *self._files.next(2))
        return rpc.DONE.dump(True)

    def _clip(self, name: str, body: object) -> object:
        from agent.engine.video_service import answer_clip

        return answer_clip(self._ready, name, body, self._files.rest())

    def _film(self, name: str, body: object) -> object:
        from agent.engine.animation_service import answer_film

        return answer_film(self._ready, name, body, self._files.rest())


def main() -> int:
    """Serve standard input until it ends."""
    return serve_input(Worker())
