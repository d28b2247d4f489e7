"""The process of an engine: its handler for each call."""

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from agent.inference.engine import engine_calls as calls
from agent.inference.engine.devices import Device, Trial
from agent.inference.engine.engine_calls import EngineConfig, Hello
from agent.inference.engine.rpc_worker import RpcWorker, serve_input
from agent.inference.engine.sandbox import SandboxPaths, enter_sandbox
from agent.inference.engine.sandbox.report import OPEN
from agent.inference.engine.video_calls import CLIPS, FILMS, VideoCalls
from agent.inference.engine.xmp_calls import FORGET_NAMES, READ_NAMES, WRITE_NAMES
from agent.infrastructure.core.json_child import Message

if TYPE_CHECKING:
    from agent.inference.engine.service import Engine
    from agent.inference.engine.video_service import AnimationService, VideoService

    AnyVideoService: TypeAlias = VideoService | AnimationService


def rooms_for(hello: Message) -> SandboxPaths | None:
    """Return what an engine may access for its config, whose folders are created; None for an invalid config.

    A process that decodes untrusted files writes nothing that another engine loads. An accelerator's driver writes
    kernels while it works: each kind of engine has a folder for that.
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
    return SandboxPaths.of_engine(models=read, scratch=write, device=config.device, megapixels=config.max_megapixels)


class EngineWorker(RpcWorker):
    """Requires a config first. The libraries start threads when they are loaded, so they are loaded inside the sandbox, which applies
    only to threads started in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on(calls.HELLO, self._hello)
        self.on(calls.ACCELERATORS, self._accelerators)
        self.on(calls.SELF_TEST, self._self_test)
        self.on(calls.PREPARE, self._prepare)

    def wall_in(self, message: Message) -> None:
        if (rooms := rooms_for(message)) is not None:
            self.wall = enter_sandbox(rooms)

    def offer(self, engine: "Engine") -> None:
        """Register the calls after `hello`."""
        offer_photos(self, engine)
        offer_videos(self, engine)
        offer_xmp(self)

    def _hello(self, config: EngineConfig) -> Hello:
        from agent.inference.engine.service import Engine

        engine = Engine(config, time.perf_counter)
        self.offer(engine)
        self.greeted = True
        return Hello(engine.device, engine.precision, os.getpid(), self.wall or OPEN)

    def _accelerators(self, config: EngineConfig) -> tuple[Device, ...]:
        from agent.inference.engine.selftest import devices_for

        return devices_for(config.device)

    def _self_test(self, config: EngineConfig) -> Trial:
        from agent.inference.engine.selftest import self_test

        return self_test(config, time.perf_counter)

    def _prepare(self, config: EngineConfig) -> None:
        from agent.inference.engine.service import Engine

        Engine(config, time.perf_counter).prepare()


def offer_photos(worker: RpcWorker, engine: "Engine") -> None:
    worker.on_files(calls.ANALYSE, lambda task, files: engine.analyse(task, *files))
    worker.on_files(calls.PREVIEW, lambda asked, files: engine.preview(asked.path, asked.side, *files, hidden=asked.hidden))
    worker.on_files(calls.RENDER, lambda task, files: engine.render(task, *files))
    worker.on_files(calls.RESTORE, lambda asked, files: engine.restore(asked.regions, *files))


def offer_videos(worker: RpcWorker, engine: "Engine") -> None:
    """Register the calls for videos, whose handlers are loaded on first use: most engines only process photos."""

    @cache
    def clips() -> "AnyVideoService":
        from agent.inference.engine.video_service import VideoService

        return VideoService(engine)

    @cache
    def films() -> "AnyVideoService":
        from agent.inference.engine.video_service import AnimationService

        return AnimationService(engine)

    def offer(calls: VideoCalls, service: "Callable[[], AnyVideoService]") -> None:
        worker.on_files(calls.probe, lambda _, files: service().probe(*files))
        worker.on_files(calls.look, lambda asked, files: service().look(asked, *files))
        worker.on_files(calls.still, lambda asked, files: service().still(asked, *files))
        worker.on_files(calls.draw, lambda asked, files: service().draw(asked, *files))
        worker.on_files(calls.prove, lambda asked, files: service().prove(asked, *files))
        worker.on_files(calls.join, lambda asked, files: service().join(asked, *files))

    offer(CLIPS, clips)
    offer(FILMS, films)


def offer_xmp(worker: RpcWorker) -> None:
    from agent.inference.engine import xmp_service

    worker.on_files(READ_NAMES, xmp_service.read_names)
    worker.on_files(WRITE_NAMES, xmp_service.write_names)
    worker.on_files(FORGET_NAMES, xmp_service.forget_names)


def main() -> int:
    """Serve standard input until it ends."""
    return serve_input(EngineWorker())
