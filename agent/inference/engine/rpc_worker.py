"""The loop of every sandboxed process: raises its sandbox, then answers each JSON line with one JSON line until its input ends."""

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, TypeVar

from agent.domain.errors import AgentError, EngineStartFailed, ImageUnreadable, Unexpected
from agent.inference.engine import rpc
from agent.inference.engine.fd_passing import FdReceiver
from agent.inference.engine.request_log import Serving
from agent.inference.engine.rpc import Call
from agent.inference.engine.sandbox.report import Sandbox
from agent.infrastructure.core.json_child import Message, send, take_pipes
from agent.infrastructure.core.malloc_tuning import drop_code_pages, freeze_gc, mappings, mmap_large_blocks

# After the agent is gone, the current task may finish; a hanging one must not keep the process alive.
_LAST_TASK_S = 5.0
# After this many answers, code pages that only ran during loading are released: 50 MB and more for a scanning engine.
_SETTLED = (16, 128, 1024)

Q = TypeVar("Q")
A = TypeVar("A")


class RpcWorker:
    """Calls the registered handlers. The first request must be `hello` or its registered substitute."""

    def __init__(self) -> None:
        self.wall: Sandbox | None = None
        self.greeted = False
        self._handlers: dict[str, tuple[Call[Any, Any], Callable[..., Any]]] = {}
        self._taker = FdReceiver()

    def wall_in(self, message: Message) -> None:
        """Raise the sandbox that suits the first message, before it is served and before a second thread exists.

        Without a sandbox every request is refused.
        """
        raise NotImplementedError  # each kind of process has its own; handlers alone need none

    def on(self, call: Call[Q, A], handle: Callable[[Q], A]) -> None:
        """Register a handler."""
        self.on_files(call, lambda asked, _: handle(asked))

    def on_files(self, call: Call[Q, A], handle: Callable[[Q, Sequence[int]], A]) -> None:
        """Register a handler that receives as many descriptors as the call has files, and closes them."""
        self._handlers[call.name] = (call, handle)

    def serve(self, message: Message) -> Message:
        """Return the answer to a request. Never raises: any error becomes the answer."""
        number, serving = message.get("id"), Serving(message)
        files: list[int] = []
        try:
            for ticket in message.get("files", ()):
                files.append(self._taker.take(ticket))
            name, body = message["op"], message["body"]
            if self.wall is None or (name not in self._handlers and not self.greeted):
                raise EngineStartFailed
            given, files = files, []
            return serving.noted(rpc.answer(number, self.answer(name, body, given)))
        except AgentError as error:
            return serving.noted(rpc.failure(number, error))
        except Exception as error:  # a defect: the agent gets its type and place, never its text, which may hold a path
            serving.failed(error)
            return serving.noted(rpc.failure(number, Unexpected(kind=type(error).__name__)))
        finally:
            _close(files)

    def answer(self, name: str, body: object, files: Sequence[int] = ()) -> object:
        """Return the response as sent. Closes the files. Raises ImageUnreadable if their number is wrong, or as the handler does."""
        try:
            call, handle = self._handlers[name]
            if isinstance(call.files, int) and len(files) != call.files:
                raise ImageUnreadable
            asked = call.request.load(body)
            if len(files) != call.files_of(asked):
                raise ImageUnreadable
        except BaseException:
            _close(files)
            raise
        return call.response.dump(handle(asked, files))


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def serve_input(worker: RpcWorker) -> int:
    """Serve requests until standard input ends. Returns the exit code."""
    mmap_large_blocks()
    requests, answers = take_pipes()
    # Ctrl-C in a terminal reaches every process of the group: the agent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line: bytes | None = requests.readline()
    code, served = mappings(), 0
    if line:
        worker.wall_in(json.loads(line))
    waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    while line:
        try:
            send(answers, worker.serve(json.loads(line)))
        except BrokenPipeError:
            break
        served += 1
        if served == 1:  # its libraries are loaded
            freeze_gc(tidy=False)
        if served in _SETTLED:
            drop_code_pages(code)
        line = waiting.get()
    return 0


def _read(requests: BinaryIO, waiting: "queue.SimpleQueue[bytes | None]") -> None:
    """Pass the lines on; after the last one, make sure that the process ends even if its last task hangs."""
    for line in requests:
        waiting.put(line)
    waiting.put(None)
    time.sleep(_LAST_TASK_S)
    os._exit(0)
