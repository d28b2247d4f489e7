"""What every walled process does: stands behind its wall, and answers one JSON line with one JSON line until its input ends."""

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

from agent.core.child import Message, send, take_pipes
from agent.core.heap import here_to_stay, large_apart, let_go_of_code, mappings
from agent.domain.errors import AgentError, Unexpected
from agent.engine import rpc
from agent.engine.open_files import Handed
from agent.engine.sandbox import Rooms

# When the agent is gone, the task under way may end; one that hangs may not keep the process.
_LAST_TASK_S = 5.0
# After so many answers the code that ran only once, while things were loaded, is let go of: 50 MB and more of an engine that scans.
_SETTLED = (16, 128, 1024)

# Asked in the place of `hello`, of a process that does nothing else and sees no photo.
_PREPARE = "prepare"

Operation: TypeAlias = Callable[[object], object]


class Serving(Protocol):
    """What answers in a process of its own."""

    def wall_in(self, message: Message) -> None:
        """Before the first message is served, and before there is a second thread."""
        ...

    def serve(self, message: Message) -> Message:
        """Never raises."""
        ...


def rooms_for(hello: Message) -> Rooms | None:
    """What an engine may reach by the config it is greeted with, its folders made; None if there is no sound config.

    A process that decodes unchecked files writes nothing that another engine loads. The driver of an accelerator wants to write
    kernels while it works: for that it has a folder of its kind.
    """
    try:
        config, operation = rpc.CONFIG.load(hello["body"]), hello["op"]
        folders = [Path(folder) for folder in (config.converted, config.cache) if folder]
        write = folders if operation == _PREPARE else [Path(config.scratch)] if config.scratch else []
        for folder in write:
            folder.mkdir(parents=True, exist_ok=True)
    except (KeyError, ValueError, OSError):
        return None
    read = [*(Path(file.path) for file in config.models.values()), *folders]
    return Rooms.of_engine(models=read, scratch=write, device=config.device, megapixels=config.max_megapixels)


def answered(message: Message, operations: Mapping[str, Operation], files: Handed | None = None) -> Message:
    """The answer to a request; whatever goes wrong with it is one too. `files` holds what came with it until then."""
    number = message.get("id")
    try:
        if files is not None:
            files.take(message.get("files", ()))
        return rpc.answer(number, operations[message["op"]](message["body"]))
    except AgentError as error:
        return rpc.failure(number, error)
    except Exception as error:  # a defect: the agent is told its kind, never its text, which may hold a path
        return rpc.failure(number, Unexpected(kind=type(error).__name__))
    finally:
        if files is not None:
            files.close()


def serve_input(worker: Serving) -> int:
    """Until standard input ends. Returns the exit code."""
    large_apart()
    requests, answers = take_pipes()
    # Ctrl-C in a terminal reaches every process of the group: the agent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line: bytes | None = requests.readline()
    code, served = mappings(), 0
    if line:
        worker.wall_in(json.loads(line))
    here_to_stay()
    waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    while line:
        try:
            send(answers, worker.serve(json.loads(line)))
        except BrokenPipeError:
            break
        served += 1
        if served in _SETTLED:
            let_go_of_code(code)
        line = waiting.get()
    return 0


def _read(requests: BinaryIO, waiting: "queue.SimpleQueue[bytes | None]") -> None:
    """Hand the lines on; at their end see to it that the process ends even if its last task hangs."""
    for line in requests:
        waiting.put(line)
    waiting.put(None)
    time.sleep(_LAST_TASK_S)
    os._exit(0)
