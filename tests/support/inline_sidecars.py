"""Sidecars whose XMP is read in this process, through the same calls and checks as in an engine's; and words for tests without a loop."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from agent.domain.errors import XmpError
from agent.domain.regions import NamedBox, Reading
from agent.features.people.sidecars.sidecar_store import Removed, Sidecars, Written
from agent.inference.engine.engine_worker import offer_xmp
from agent.inference.engine.fd_passing import Opener
from agent.inference.engine.rpc import Call
from agent.inference.engine.rpc_worker import RpcWorker

T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

_WORKER = RpcWorker()
offer_xmp(_WORKER)


async def ask_here(call: Call[Q, A], asked: Q, files: Sequence[Opener] = ()) -> A:
    """As `EnginePool.ask`, in this process."""

    def answered() -> object:
        opened: list[int] = []
        try:
            for opener in files:
                opened.append(opener())
        except BaseException:
            for descriptor in opened:
                os.close(descriptor)
            raise
        body = json.loads(json.dumps(call.request.dump(asked)))
        return json.loads(json.dumps(_WORKER.answer(call.name, body, opened)))

    return call.checked(call.response.load(await asyncio.to_thread(answered)), asked)


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in a loop of its own, also where this thread has one that runs."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(asyncio.run(work))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


class SidecarsNow:
    """`Sidecars` about one photo at a time, for tests that wait for each answer."""

    def __init__(self) -> None:
        self._sidecars = Sidecars(ask_here)

    def read(self, photo: Path) -> Reading:
        [found] = finished(self._sidecars.read([photo]))
        if isinstance(found, XmpError):
            raise found
        return found

    def write(
        self, photo: Path, size: tuple[int, int], orientation: int, faces: Sequence[NamedBox], *, root: Path | None = None
    ) -> Written:
        return finished(self._sidecars.write(photo, size, faces, orientation=orientation, root=root))

    def forget(self, photo: Path, names: Collection[str], *, by_others: bool = False) -> Removed:
        return finished(self._sidecars.forget(photo, names, by_others=by_others))
