"""The process of an engine: what it does for each call."""

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.child import Message
from agent.engine import engine_calls as calls
from agent.engine.devices import Device, Trial
from agent.engine.engine_calls import EngineConfig, Hello
from agent.engine.rpc_worker import RpcWorker, serve_input
from agent.engine.sandbox import Rooms, raise_wall
from agent.engine.sandbox.wall import OPEN
from agent.engine.video_calls import CLIPS, FILMS, VideoCalls

if TYPE_CHECKING:
    from agent.engine.animation_service import FilmService
    from agent.engine.service import Engine
    from agent.engine.video_service import ClipService


def rooms_for(hello: Message) -> Rooms | None:
    """What an engine may reach by the config it is greeted with, its folders made; None if there is no sound config.

    A process that decodes unchecked files writes nothing that another engine loads. The driver of an accelerator wants to write
    kernels while it works: for that it has a folder of its kind.
    """
    try:
        config, operation = calls.HELLO.request.load(hello["body"]), hello["op"]
        folders = [Path(folder) for folder in (config.converted, config.cache) if folder]
        write = folders if operation == calls.PREPARE.name else [Path(config.scratch)] if config.scratch else []
        for folder in write:
            folder.mkdir(parents=True, exist_ok=True)
    except (KeyError, ValueError, OSError):
        return None
    read = [*(Path(file.path) for file in config.models.values()), *folders]
    return Rooms.of_engine(models=read, scratch=write, device=config.device, megapixels=config.max_megapixels)


class Worker(RpcWorker):
    """Needs to be told a config first. The libraries start threads when they are loaded: they are loaded inside the wall, which holds
    only threads that are started in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on(calls.HELLO, self._hello)
        self.on(calls.ACCELERATORS, self._accelerators)
        self.on(calls.SELF_TEST, self._self_test)
        self.on(calls.PREPARE, self._prepare)

    def wall_in(self, message: Message) -> None:
        if (rooms := rooms_for(message)) is not None:
            self.wall = raise_wall(rooms)

    def offer(self, engine: "Engine") -> None:
        """Register what can be asked after `hello`."""
        offer_photos(self, engine)
        offer_videos(self, engine)

    def _hello(self, config: EngineConfig) -> Hello:
        from agent.engine.service import Engine

        engine = Engine(config, time.perf_counter)
        self.offer(engine)
        self.greeted = True
        return Hello(engine.device, engine.precision, os.getpid(), self.wall or OPEN)

    def _accelerators(self, _: EngineConfig) -> tuple[Device, ...]:
        from agent.engine.selftest import accelerators

        return accelerators()

    def _self_test(self, config: EngineConfig) -> Trial:
        from agent.engine.selftest import self_test

        return self_test(config, time.perf_counter)

    def _prepare(self, config: EngineConfig) -> None:
        from agent.engine.service import Engine

        Engine(config, time.perf_counter).load()


def offer_photos(worker: RpcWorker, engine: "Engine") -> None:
    worker.on_files(calls.ANALYSE, lambda task, files: engine.analyse(task, *files))
    worker.on_files(calls.PREVIEW, lambda asked, files: engine.preview(asked.path, asked.side, *files))
    worker.on_files(calls.RENDER, lambda task, files: engine.render(task, *files))
    worker.on_files(calls.RESTORE, lambda asked, files: engine.restore(asked.regions, *files))


def offer_videos(worker: RpcWorker, engine: "Engine") -> None:
    """What serves them is loaded when it is first asked: most engines only see photos."""

    @cache
    def clips() -> "ClipService":
        from agent.engine.video_service import ClipService

        return ClipService(engine)

    @cache
    def films() -> "FilmService":
        from agent.engine.animation_service import FilmService

        return FilmService(engine)

    def offer(calls: VideoCalls, service: "Callable[[], ClipService | FilmService]") -> None:
        worker.on_files(calls.probe, lambda _, files: service().probe(*files))
        worker.on_files(calls.look, lambda asked, files: service().look(asked, *files))
        worker.on_files(calls.still, lambda asked, files: service().still(asked, *files))
        worker.on_files(calls.draw, lambda asked, files: service().draw(asked, *files))
        worker.on_files(calls.join, lambda asked, files: service().join(asked, *files))

    offer(CLIPS, clips)
    offer(FILMS, films)


def main() -> int:
    """Serve standard input until it ends."""
    return serve_input(Worker())
