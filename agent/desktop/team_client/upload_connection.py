"""Sends whole photos to the team's server, by the protocol tus 1.0: in parts, and from where the last one broke off."""

import base64
import os
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from functools import partial
from stat import S_ISREG
from typing import BinaryIO, Final

from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.team_upload_queries import UploadCandidate
from agent.domain.errors import ImageChanged, ImageMissing, ImageUnreadable, TeamUnreachable
from agent.domain.image import storable
from agent.infrastructure.core.abandonable_calls import ANSWER_S, call_with_timeout, close_if_cancelled
from agent.interfaces.web.desk_photos import ContentsAsked, ContentsKnown, ContentsRemoved, RemovedOfDesk

PART: Final = 4_000_000
"""bytes of a request: the most that is sent again after a break, and what ends before a pause"""
_BLOCK: Final = 256_000
_VERSION: Final = {"tus-resumable": "1.0.0"}
_PART_TYPE: Final = {"content-type": "application/offset+octet-stream"}
_PART_S: Final = 300.0
_STORED_S: Final = 120.0  # the server reads the whole file again


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """How far an upload is, and what became of it, once all of it is there."""

    offset: int
    outcome: str | None


class UploadConnection:
    """Raises what `TeamConnection` raises."""

    def __init__(self, server: TeamConnection) -> None:
        self._server = server

    async def known(self, contents: Collection[str], library: str) -> ContentsKnown:
        """Ask which of these photos need not be sent."""
        return await self._server.call(
            "POST", "/api/desk/uploads/known", ContentsKnown, ContentsAsked(items=tuple(contents), library=library)
        )

    async def remove(self, contents: Collection[str] | None) -> RemovedOfDesk:
        """Have the server delete what this desk sent; with None the next part of all."""
        wanted = ContentsRemoved(items=None if contents is None else tuple(contents))
        return await self._server.call("POST", "/api/desk/uploads/remove", RemovedOfDesk, wanted, wait_s=_STORED_S)

    async def remove_all(self) -> RemovedOfDesk:
        """Have the server delete all that this desk sent or told of. One that says there is more and names nothing is not believed."""
        photos = results = stays = 0
        while True:
            step = await self.remove(None)
            photos, results, stays = photos + step.photos, results + step.results, stays + step.stays
            if not step.more:
                return RemovedOfDesk(photos=photos, results=results, stays=stays)
            if not step.photos + step.results + step.stays:
                raise TeamUnreachable

    async def begin(self, photo: UploadCandidate, library: int | None) -> str:
        """Return the address of the upload: a new one, or the one that was begun before."""
        name = os.path.basename(photo.path)  # noqa: PTH119 - paths are strings throughout
        words = {"filename": name, "modified": str(photo.mtime_ns // 1_000_000), "sha256": photo.sha256}
        if library is not None:
            words["library"] = str(library)
        said = ",".join(f"{name} {base64.b64encode(value.encode('utf-8', 'replace')).decode()}" for name, value in words.items())
        headers = {**_VERSION, "upload-length": str(photo.size), "upload-metadata": said}
        answer = await self._server.headers("POST", "/api/uploads", headers)
        place = answer.get("location", "")
        if not place.startswith("/api/uploads/"):
            raise TeamUnreachable
        return place

    async def state(self, place: str) -> UploadAnswer:
        return _answered(await self._server.headers("HEAD", place, _VERSION, wait_s=_STORED_S))

    async def send(self, place: str, photo: UploadCandidate, file: BinaryIO, offset: int, passed: Callable[[int], None]) -> UploadAnswer:
        """Send the next part; `passed` is told how many bytes went. Raises ImageUnreadable as well."""
        size = min(PART, photo.size - offset)
        headers = {**_VERSION, **_PART_TYPE, "upload-offset": str(offset), "content-length": str(size)}
        parts = _read(file, offset, size, passed)
        return _answered(await self._server.headers("PATCH", place, headers, parts, wait_s=_PART_S))

    async def drop(self, place: str) -> None:
        """Give an unfinished upload up."""
        await self._server.headers("DELETE", place, _VERSION)


async def opened(photo: UploadCandidate) -> BinaryIO:
    """Open a photo's file. Raises ImageMissing, ImageUnreadable; ImageChanged if it isn't as it was when it was scanned."""
    try:
        return await close_if_cancelled(call_with_timeout(partial(_opened, photo), ANSWER_S))
    except FileNotFoundError as error:
        raise ImageMissing from error
    except (OSError, ValueError, TimeoutError) as error:
        raise ImageUnreadable from error


def _opened(photo: UploadCandidate) -> BinaryIO:
    descriptor = os.open(photo.path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))  # a pipe would block
    try:
        facts = os.fstat(descriptor)
        if not S_ISREG(facts.st_mode) or (facts.st_size, storable(facts.st_mtime_ns)) != (photo.size, photo.mtime_ns):
            raise ImageChanged
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


async def _read(file: BinaryIO, offset: int, size: int, passed: Callable[[int], None]) -> AsyncIterator[bytes]:
    end = offset + size
    while offset < end:
        try:
            block = await call_with_timeout(partial(_block, file, offset, min(_BLOCK, end - offset)), ANSWER_S)
        except (OSError, TimeoutError) as error:
            raise ImageUnreadable from error
        if not block:  # it was cut off meanwhile
            raise ImageChanged
        yield block
        offset += len(block)
        passed(len(block))


def _block(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _answered(headers: dict[str, str]) -> UploadAnswer:
    said = headers.get("upload-offset", "")
    if not (said.isascii() and said.isdigit()):
        raise TeamUnreachable
    return UploadAnswer(int(said), headers.get("upload-outcome"))
