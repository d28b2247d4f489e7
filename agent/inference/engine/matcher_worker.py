"""The matcher's process: holds the library's face prints, isolated from all other processes, and answers like the engine."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from agent.domain.embeddings import ClusterInputs
from agent.inference.engine import matcher_calls as calls
from agent.inference.engine.matcher_calls import Formed, MatcherHello
from agent.inference.engine.rpc_worker import RpcWorker, serve_input
from agent.inference.engine.sandbox import SandboxPaths, enter_sandbox
from agent.inference.engine.sandbox.report import OPEN
from agent.infrastructure.core.json_child import Message

if TYPE_CHECKING:
    from agent.inference.engine.matcher_service import MatchService


class MatchWorker(RpcWorker):
    def __init__(self) -> None:
        super().__init__()
        self._beside = ThreadPoolExecutor(1, "groups")  # its thread starts inside the sandbox, when first needed
        self._forming: Future[Formed] | None = None
        self.on(calls.HELLO, self._hello)

    def wall_in(self, _: Message) -> None:
        """Enter the sandbox: it may read its program, and write nothing; it gets no files."""
        self.wall = enter_sandbox(SandboxPaths.of_matcher())

    def _hello(self, _: None) -> MatcherHello:
        # numpy starts threads when it is loaded: the sandbox applies only to those started inside it.
        from agent.inference.engine.matcher_service import MatchService

        self._offer(MatchService())
        self.greeted = True
        return MatcherHello(os.getpid(), self.wall or OPEN)

    def _offer(self, service: "MatchService") -> None:
        def group(members: ClusterInputs) -> None:
            """Start clustering: other requests are answered meanwhile."""
            self._forming = self._beside.submit(service.group(members))

        self.on(calls.PUT, service.put)
        self.on(calls.DROP, service.drop)
        self.on(calls.ALIGN, service.align)
        self.on(calls.NEAR, service.near)
        self.on(calls.IDENTIFY, service.identify)
        self.on(calls.SPREAD, service.spread)
        self.on(calls.GROUP, group)
        self.on(calls.GROUPED, self._grouped)
        self.on(calls.BEGIN, service.begin)
        self.on(calls.RESTORE, service.restore)
        self.on(calls.PLACE, service.place)

    def _grouped(self, _: None) -> Formed:
        """Return the result, or None until it is finished."""
        if self._forming is None:
            raise ValueError
        if not self._forming.done():
            return Formed(None)
        forming, self._forming = self._forming, None
        return forming.result()


def main() -> int:
    """Serve standard input until it ends."""
    return serve_input(MatchWorker())
