"""The screen's engine: a process that takes pictures of the screen, in which nobody else's files are decoded."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from agent.app.health import Wall
from agent.child import Message
from agent.domain.errors import AgentError, EngineStartFailed, ImageUnreadable, Unexpected
from agent.engine import screen_wire, wire
from agent.engine.files import Taker
from agent.engine.screen_grab import Grabber, NoScreen, connect
from agent.engine.wall import Rooms, raise_wall
from agent.engine.worker import serve_input

if TYPE_CHECKING:
    from agent.engine.screen_service import ScreenService

Operation: TypeAlias = Callable[[object], object]


class ScreenWorker:
    """Turns requests into answers. The first one must be `hello`."""

    def __init__(self) -> None:
        self._service: ScreenService | None = None
        self._wall: Wall | None = None
        self._screen: Grabber = NoScreen()
        self._files = Taker()
        self._file: int | None = None  # handed over with the request under way

    def wall_in(self, message: Message) -> None:
        """Connect to the screen, then shut the door: the wall refuses every other connection. Without a sound `hello` it is refused."""
        try:
            config = wire.CONFIG.load(message["body"])
            scratch = [Path(config.converted), Path(config.cache)]
            for folder in scratch:
                folder.mkdir(parents=True, exist_ok=True)
        except (KeyError, ValueError, OSError):
            return
        self._screen = connect()
        models = [Path(file.path) for file in config.models.values()]
        self._wall = raise_wall(Rooms.of_screen(models=models, scratch=scratch, device=config.device, megapixels=config.max_megapixels))

    def serve(self, message: Message) -> Message:
        """Never raises: whatever goes wrong is the answer."""
        number = message.get("id")
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
        }
        try:
            self._file = next((self._files.take(ticket) for ticket in message.get("files", ())), None)
            return wire.answer(number, operations[message["op"]](message["body"]))
        except AgentError as error:
            return wire.failure(number, error)
        except Exception as error:  # a defect: the agent is told its kind, never its text
            return wire.failure(number, Unexpected(kind=type(error).__name__))

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
        from agent.engine.service import Engine

        engine = Engine(wire.CONFIG.load(body), time.perf_counter)
        self._service = ScreenService(engine, self._screen)
        return wire.HELLO.dump(wire.Hello(engine.device, engine.precision, os.getpid(), self._wall))

    def _monitors(self, _: object) -> object:
        return screen_wire.MONITORS.dump(self._ready.monitors())

    def _grab(self, body: object) -> object:
        return screen_wire.FRAME.dump(self._ready.grab(screen_wire.GRAB.load(body)))

    def _take(self, _: object) -> object:
        if self._file is None:
            raise ImageUnreadable
        return screen_wire.FRAME.dump(self._ready.take(self._file))

    def _frame(self, body: object) -> object:
        asked = screen_wire.FRAME_OF.load(body)
        return wire.PICTURE.dump(self._ready.frame(asked.handle, asked.region))

    def _look_ahead(self, body: object) -> object:
        asked = screen_wire.LOOK.load(body)
        self._ready.ahead(asked.handle, asked.task)
        return wire.DONE.dump(True)

    def _look(self, body: object) -> object:
        asked = screen_wire.LOOK.load(body)
        return wire.ANALYSIS.dump(self._ready.look(asked.handle, asked.region, asked.task))

    def _cover(self, body: object) -> object:
        asked = screen_wire.COVER.load(body)
        return wire.PICTURE.dump(self._ready.cover(asked.handle, asked.covers, asked.format))

    def _drop(self, body: object) -> object:
        self._ready.drop(screen_wire.HANDLE.load(body))
        return wire.DONE.dump(True)


def main() -> int:
    """Serve standard input until it ends."""
    return serve_input(ScreenWorker())
