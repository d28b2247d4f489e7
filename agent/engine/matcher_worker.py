"""The matcher's process: holds the face prints of the library, in nobody else's reach, and answers as the engine does."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from agent.core.child import Message
from agent.domain.errors import EngineStartFailed
from agent.engine import matcher_wire, rpc
from agent.engine.rpc_worker import Operation, answered, serve_input
from agent.engine.sandbox import Rooms, raise_wall
from agent.engine.sandbox.wall import Wall

if TYPE_CHECKING:
    from agent.engine.matcher_service import MatchService


class MatchWorker:
    """Turns requests into answers. The first one must be `hello`."""

    def __init__(self) -> None:
        self._service: MatchService | None = None
        self._wall: Wall | None = None
        self._beside = ThreadPoolExecutor(1, "groups")  # its thread is started inside the wall, when first needed
        self._forming: Future[matcher_wire.Placed] | None = None

    def wall_in(self, _: Message) -> None:
        """It reads its program, writes nothing, and is handed no file."""
        self._wall = raise_wall(Rooms.of_matcher())

    def serve(self, message: Message) -> Message:
        """Never raises: whatever goes wrong is the answer."""
        operations: dict[str, Operation] = {
            "hello": self._hello,
            "put": self._put,
            "drop": self._drop,
            "assign": self._assign,
            "near": self._near,
            "identify": self._identify,
            "spread": self._spread,
            "group": self._group,
            "grouped": self._grouped,
            "begin": self._begin,
            "restore": self._restore,
            "place": self._place,
        }
        return answered(message, operations)

    @property
    def _ready(self) -> "MatchService":
        if self._service is None:
            raise EngineStartFailed
        return self._service

    def _hello(self, _: object) -> object:
        if self._wall is None:
            raise EngineStartFailed
        # numpy starts threads when it is loaded: only those started inside the wall are held by it.
        from agent.engine.matcher_service import MatchService

        self._service = MatchService()
        return matcher_wire.HELLO.dump(matcher_wire.MatcherHello(os.getpid(), self._wall))

    def _put(self, body: object) -> object:
        self._ready.put(matcher_wire.PRINTS.load(body))
        return rpc.DONE.dump(True)

    def _drop(self, body: object) -> object:
        self._ready.drop(matcher_wire.FACES.load(body))
        return rpc.DONE.dump(True)

    def _assign(self, body: object) -> object:
        self._ready.assign(matcher_wire.PAIRS.load(body))
        return rpc.DONE.dump(True)

    def _near(self, body: object) -> object:
        return matcher_wire.NEARS.dump(self._ready.near(matcher_wire.NEAR.load(body)))

    def _spread(self, body: object) -> object:
        return matcher_wire.SPREADS.dump(self._ready.spread(matcher_wire.SPREAD.load(body)))

    def _group(self, body: object) -> object:
        """Begin to: whoever names somebody meanwhile is answered."""
        self._forming = self._beside.submit(self._ready.group(matcher_wire.MEMBERS.load(body)))
        return rpc.DONE.dump(True)

    def _grouped(self, _: object) -> object:
        """What came of it, or None as long as it is being done."""
        if self._forming is None:
            raise ValueError
        if not self._forming.done():
            return matcher_wire.PLACED.dump(matcher_wire.Placed(None))
        forming, self._forming = self._forming, None
        return matcher_wire.PLACED.dump(forming.result())

    def _begin(self, body: object) -> object:
        self._ready.begin(matcher_wire.PAIRS.load(body))
        return rpc.DONE.dump(True)

    def _restore(self, body: object) -> object:
        self._ready.restore(matcher_wire.MEMBERS.load(body))
        return rpc.DONE.dump(True)

    def _place(self, body: object) -> object:
        return matcher_wire.PLACED.dump(self._ready.place(matcher_wire.MEMBERS.load(body)))

    def _identify(self, body: object) -> object:
        return rpc.MATCHES.dump(self._ready.identify(matcher_wire.IDENTIFY.load(body)))


def main() -> int:
    """Serve standard input until it ends."""
    return serve_input(MatchWorker())
