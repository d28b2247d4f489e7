"""The screen's engine: a process that takes pictures of the screen, in which nobody else's files are decoded."""

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.core.child import Message
from agent.domain.errors import EngineStartFailed
from agent.engine import rpc, screen_wire
from agent.engine.open_files import Handed, Taker
from agent.engine.rpc_worker import Operation, answered, rooms_for, serve_input
from agent.engine.sandbox import raise_wall
from agent.engine.sandbox.wall import Wall
from agent.engine.screen_grab import Grabber, NoScreen, connect

if TYPE_CHECKING:
    from agent.engine.screen_service import ScreenService
    from agent.engine.screen_watch import ScreenWatch


class ScreenWorker:
    """Turns requests into answers. The first one must be `hello`."""

    def __init__(self) -> None:
        self._service: ScreenService | None = None
        self._watch: ScreenWatch | None = None
        self._wall: Wall | None = None
        self._screen: Grabber = NoScreen()
        self._files = Handed(Taker())

    def wall_in(self, message: Message) -> None:
        """Connect to the screen, then shut the door: the wall refuses every other connection. Without a sound `hello` it is refused."""
        if (rooms := rooms_for(message)) is not None:
            self._screen = connect()
            self._wall = raise_wall(replace(rooms, screen=True))

    def serve(self, message: Message) -> Message:
        """Never raises: whatever goes wrong is the answer."""
        operations: dict[str, Operation] = {
            "hello": self._hello,
            "monitors": self._monitors,
            "grab": self._grab,
            "take": self._take,
            "frame": self._frame,
            "ahead": self._look_ahead,
            "look": self._look,
            "cover": self._cover,
            "drop": self._drop,
            "watch": self._look_on,
            "unwatch": self._look_away,
        }
        return answered(message, operations, self._files)

    @property
    def _ready(self) -> "ScreenService":
        if self._service is None:
            raise EngineStartFailed
        return self._service

    def _hello(self, body: object) -> object:
        if self._wall is None:
            raise EngineStartFailed
        # The libraries start threads when they are loaded: only those started inside the wall are held by it.
        from agent.engine.screen_service import ScreenService
        from agent.engine.screen_watch import ScreenWatch
        from agent.engine.service import Engine

        engine = Engine(rpc.CONFIG.load(body), time.perf_counter)
        self._service, self._watch = ScreenService(engine, self._screen), ScreenWatch(engine, self._screen)
        return rpc.HELLO.dump(rpc.Hello(engine.device, engine.precision, os.getpid(), self._wall))

    def _monitors(self, _: object) -> object:
        return screen_wire.MONITORS.dump(self._ready.monitors())

    def _grab(self, body: object) -> object:
        return screen_wire.FRAME.dump(self._ready.grab(screen_wire.GRAB.load(body)))

    def _take(self, _: object) -> object:
        return screen_wire.FRAME.dump(self._ready.take(*self._files.next(1)))

    def _frame(self, body: object) -> object:
        asked = screen_wire.FRAME_OF.load(body)
        return rpc.PICTURE.dump(self._ready.frame(asked.handle, asked.region))

    def _look_ahead(self, body: object) -> object:
        asked = screen_wire.LOOK.load(body)
        self._ready.ahead(asked.handle, asked.task)
        return rpc.DONE.dump(True)

    def _look(self, body: object) -> object:
        asked = screen_wire.LOOK.load(body)
        return rpc.ANALYSIS.dump(self._ready.look(asked.handle, asked.region, asked.task))

    def _cover(self, body: object) -> object:
        asked = screen_wire.COVER.load(body)
        return rpc.PICTURE.dump(self._ready.cover(asked.handle, asked.covers, asked.format))

    def _drop(self, body: object) -> object:
        self._ready.drop(screen_wire.HANDLE.load(body))
        return rpc.DONE.dump(True)

    def _look_on(self, body: object) -> object:
        if self._watch is None:
            raise EngineStartFailed
        return screen_wire.WATCHED.dump(self._watch.look(screen_wire.WATCH.load(body)))

    def _look_away(self, _: object) -> object:
        if self._watch is not None:
            self._watch.forget()
        return rpc.DONE.dump(True)


def main() -> int:
    """Serve standard input until it ends."""
    return serve_input(ScreenWorker())
