"""The screen's engine: a process that takes screenshots and decodes no other files."""

from dataclasses import replace
from typing import TYPE_CHECKING

from agent.inference.engine import screen_calls as calls
from agent.inference.engine.engine_worker import EngineWorker, rooms_for
from agent.inference.engine.rpc_worker import serve_input
from agent.inference.engine.sandbox import enter_sandbox
from agent.inference.engine.screen_grab import Grabber, NoScreen, connect
from agent.infrastructure.core.json_child import Message

if TYPE_CHECKING:
    from agent.inference.engine.service import Engine


class ScreenWorker(EngineWorker):
    """An engine that serves calls about the screen instead of calls about files."""

    _screen: Grabber = NoScreen()

    def wall_in(self, message: Message) -> None:
        """Connect to the screen, then raise the sandbox, which refuses every other connection. Refused without a valid `hello`."""
        if (rooms := rooms_for(message)) is not None:
            self._screen = connect()
            self.wall = enter_sandbox(replace(rooms, screen=True))

    def offer(self, engine: "Engine") -> None:
        from agent.inference.engine.screen_service import ScreenEngineService
        from agent.inference.engine.screen_watch import ScreenWatch

        service, watch = ScreenEngineService(engine, self._screen), ScreenWatch(engine, self._screen)
        self.on(calls.MONITORS, lambda _: service.monitors())
        self.on(calls.GRAB, service.grab)
        self.on_files(calls.TAKE, lambda _, files: service.take(*files))
        self.on(calls.FRAME, lambda asked: service.frame(asked.handle, asked.region))
        self.on(calls.AHEAD, lambda asked: service.ahead(asked.handle, asked.task))
        self.on(calls.LOOK, lambda asked: service.look(asked.handle, asked.region, asked.task))
        self.on(calls.COVER, lambda asked: service.cover(asked.handle, asked.covers, asked.format))
        self.on(calls.DROP, service.drop)
        self.on(calls.WATCH, watch.look)
        self.on(calls.UNWATCH, lambda _: watch.forget())


def main() -> int:
    """Serve standard input until it ends."""
    return serve_input(ScreenWorker())
