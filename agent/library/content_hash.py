"""Hashes a file's content in a separate thread: an unresponsive drive blocks no other work."""

import asyncio
import hashlib
import os
import stat
from functools import partial

from agent.core.call_with_timeout import ANSWER_S, aside

_CHUNK = 1 << 20
_LONGEST_S = 86_400.0


def content_hash(path: str) -> str:
    """Return a file's SHA-256, read as a stream; empty if it can't be read: no content has that, and the engine reports the reason."""
    return _Hashing().of(path)


async def hash_aside(path: str) -> str:
    """Return `content_hash`. Raises TimeoutError after `ANSWER_S` seconds without progress; a slow drive may take its time."""
    hashing = _Hashing()
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
    def __init__(self) -> None:
        self.read = 0  # bytes so far

    def of(self, path: str) -> str:
        try:
            with open(path, "rb", buffering=0, opener=_without_waiting) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return ""
                digest = hashlib.sha256()
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    self.read += len(chunk)
                return digest.hexdigest()
        except (OSError, ValueError):
            return ""


def _without_waiting(path: str, flags: int) -> int:
    """Open without blocking: opening a pipe in a photo's place would wait for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
