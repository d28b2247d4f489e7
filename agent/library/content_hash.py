"""Hashes a file's content in a separate thread: an unresponsive drive blocks no other work."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from functools import partial

from agent.core.call_with_timeout import ANSWER_S, aside
from agent.domain.errors import AgentError
from agent.engine.open_files import open_photo

_CHUNK = 1 << 20
_LONGEST_S = 86_400.0


async def hash_aside(path: str, open_item: Callable[[str], int] = open_photo) -> str:
    """Return the SHA-256 of an item, read as a stream; empty if it can't be read: the engine reports the reason.

    Raises TimeoutError after `ANSWER_S` seconds without progress; a slow drive may take its time.
    """
    hashing = _Hashing(open_item)
    answer = asyncio.ensure_future(aside(partial(hashing.of, path), _LONGEST_S))
    try:
        while True:
            before = hashing.read
            done, _ = await asyncio.wait([answer], timeout=ANSWER_S)
            if done:
                return await answer
            if hashing.read == before:
                raise TimeoutError
    finally:
        answer.cancel()


class _Hashing:
    def __init__(self, open_item: Callable[[str], int]) -> None:
        self._open = open_item
        self.read = 0  # bytes so far

    def of(self, path: str) -> str:
        try:
            with os.fdopen(self._open(path), "rb", buffering=0) as file:
                digest = hashlib.sha256()
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    self.read += len(chunk)
                return digest.hexdigest()
        except (AgentError, OSError, ValueError):
            return ""
