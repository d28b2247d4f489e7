"""Takes photos from browsers part by part, and stores each content once, also when several processes share the folder."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import structlog

from agent.domain.errors import (
    UploadChecksum,
    UploadGone,
    UploadLibrary,
    UploadOffset,
    UploadTooLarge,
    UploadType,
)
from agent.infrastructure.core.access_scope import current_scope, everything
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.core.background import run_periodically
from agent.server.uploads.announcements import Announcements
from agent.server.uploads.file_sniffing import HEAD, fits
from agent.server.uploads.filename_sanitizer import safe_name
from agent.server.uploads.partial_files import Checksum, held, write
from agent.server.uploads.queries import UploadQueries
from agent.server.uploads.records import MEGABYTE, Limits, NewUpload, Outcome, Received, Upload
from agent.server.uploads.request_lock import Superseded, Turns, run_shielded
from agent.server.uploads.upload_files import UploadFiles

log = structlog.get_logger()
T = TypeVar("T")

_SWEEP_S: Final = 3_600.0
_NEW_S: Final = 3_600.0  # a part this young may be one whose row is about to be written


class UploadFolders(Protocol):
    def libraries(self) -> Sequence[tuple[int, str]]:
        """The server's libraries: their ids and names."""
        ...

    async def watch(self, root: Path, library: int | None) -> None:
        """Have a folder watched, for that library, if it isn't yet. Raises SettingsError, StoreError."""
        ...


class Uploads:
    def __init__(
        self,
        queries: UploadQueries,
        files: UploadFiles,
        limits: Callable[[], Limits],
        clock: Callable[[], datetime],
        folders: UploadFolders,
        new_id: Callable[[], str],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`tell` names an upload that the server's other processes are to let go of; it blocks."""
        self._queries = queries
        self._files = files
        self._limits = limits
        self._clock = clock
        self._folders = folders
        self._new_id = new_id
        self._tell = tell
        self._announcements = Announcements(queries, files, clock)
        self._started = clock()
        self._turns = Turns()
        self._beginning = asyncio.Lock()
        self._storing = asyncio.Lock()  # of two with the same content the second is to see the first

    @property
    def limits(self) -> Limits:
        return self._limits()

    async def run(self) -> None:
        """Finish what a kill broke off, and remove what has expired, until cancelled."""
        await run_periodically(self.sweep, lambda: _SWEEP_S, event="uploads.not_swept")

    async def begin(self, member: str, new: NewUpload) -> Upload:
        """Return a new one, or the unfinished one of the same content that came by the same token.

        Raises UploadType, UploadTooLarge, UploadLibrary, UploadsTooMany, UploadNoRoom, UploadShare, UploadUnwritable,
        SettingsError, StoreError.
        """
        name, limits, now = safe_name(new.name), self.limits, self._clock()
        if new.size <= 0:
            raise UploadType
        if new.size > limits.file_bytes:
            raise UploadTooLarge(megabytes=new.size // MEGABYTE, limit=limits.file_bytes // MEGABYTE)
        until, library = now + timedelta(days=limits.days), self._library(new.library)
        upload = Upload(self._new_id(), member, library, name, new.size, new.modified_ns, now, until, new.sha256, token=new.token)
        async with self._beginning:
            with everything():  # the limits hold for all libraries together
                root = await asyncio.to_thread(self._files.make_root, upload.library)
                await self._folders.watch(root, upload.library)
                return await run_shielded(partial(self._announcements.announce, upload, limits))

    async def state(self, upload_id: str, member: str) -> Received:
        """How much has arrived; a request that still sends is ended. Raises UploadGone, and what storing raises."""

        async def settled() -> Received:
            if await asyncio.to_thread(self._files.size, upload_id) is not None:
                (await held(self._files, upload_id, self._tell)).close()
            return await self._state(upload_id, member)

        return await self._in_turn(upload_id, settled)

    async def append(
        self, upload_id: str, member: str, offset: int, parts: AsyncIterator[bytes], checksum: Checksum | None = None
    ) -> Received:
        """Add what `parts` bring; the last one stores the photo. If they break off, what came is kept, unless there is a checksum.

        Raises UploadGone, UploadOffset, UploadChecksum, UploadNoRoom, UploadUnwritable, StoreError; UploadType, and removes the upload.
        """
        return await self._in_turn(upload_id, lambda: self._append(upload_id, member, offset, parts, checksum))

    async def remove(self, upload_id: str, member: str) -> None:
        """Remove an unfinished one. Raises UploadGone."""

        async def removed() -> None:
            upload = await asyncio.to_thread(self._queries.upload, upload_id, member)
            if upload.outcome is not None:
                raise UploadGone
            await run_shielded(partial(self._drop, upload_id))

        await self._in_turn(upload_id, removed)

    async def unfinished(self, member: str, token: str | None = None) -> Sequence[Received]:
        """A member's from browsers, or those that came by one of their tokens."""

        def found() -> list[Received]:
            all_ = [Received(each, self._files.size(each.id) or 0) for each in self._queries.unfinished(member) if each.token == token]
            return [each for each in all_ if not self._announcements.is_over(each.upload, each.offset)]

        return await asyncio.to_thread(found)

    def libraries(self) -> Sequence[tuple[int, str]]:
        """Those to which the request may add photos, with their names."""
        reach = current_scope()
        return [each for each in self._folders.libraries() if reach is None or each[0] in reach.libraries]

    def let_go(self, upload_id: str) -> None:
        """Another process goes on with it."""
        self._turns.end(upload_id)

    async def sweep(self) -> None:
        """Raises StoreError."""
        now = self._clock()
        uploads = await asyncio.to_thread(self._queries.unfinished)
        for each in uploads:
            arrived = await asyncio.to_thread(self._files.size, each.id)
            if await asyncio.to_thread(self._announcements.is_over, each, arrived or 0):
                await self._in_turn(each.id, partial(asyncio.to_thread, self._drop, each.id))
            elif each.target is not None or arrived == each.size:
                try:
                    await self._in_turn(each.id, partial(self._state, each.id, each.member))
                except (UploadGone, UploadChecksum):
                    continue
        await asyncio.to_thread(self._drop_left, now)

    def _drop_left(self, now: datetime) -> None:
        """Drop what a kill left, and what was lost since."""
        with self._files.alone():
            known = {each.id for each in self._queries.unfinished()}
            oldest = max(self._started.timestamp(), now.timestamp() - _NEW_S) * 1e9
            for upload_id, changed_ns in list(self._files.left()):
                if upload_id not in known and changed_ns < oldest:
                    self._files.drop(upload_id)

    async def _in_turn(self, upload_id: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return await self._turns.take(upload_id, work)
        except Superseded:
            raise UploadOffset from None

    def _library(self, wanted: int | None) -> int | None:
        """The library that is meant; None if the server has none. Raises UploadLibrary."""
        there = [number for number, _ in self.libraries()]
        if wanted is None and len(there) < 2 and (there or current_scope() is None):
            return there[0] if there else None
        if wanted not in there:
            raise UploadLibrary
        return wanted

    async def _state(self, upload_id: str, member: str) -> Received:
        upload = await asyncio.to_thread(self._queries.upload, upload_id, member)
        if upload.outcome is not None:
            return Received(upload, upload.size)
        there = await asyncio.to_thread(self._files.size, upload_id)
        moved = there is None and upload.target is not None and await asyncio.to_thread(self._files.is_at, *_placed(upload))
        if moved or there == upload.size:
            return await self._stored(upload)
        if there is None or await asyncio.to_thread(self._announcements.is_over, upload, there):
            await run_shielded(partial(self._drop, upload_id))
            raise UploadGone
        return Received(upload, there)

    async def _append(self, upload_id: str, member: str, offset: int, parts: AsyncIterator[bytes], checksum: Checksum | None) -> Received:
        before = await self._state(upload_id, member)
        upload = before.upload
        if before.offset != offset:
            raise UploadOffset(offset=before.offset)
        if upload.outcome is not None:
            return before
        with await held(self._files, upload_id, self._tell) as file:
            there = await asyncio.to_thread(self._files.size, upload_id)
            if there != offset:  # another process wrote until now
                raise UploadOffset() if there is None else UploadOffset(offset=there)
            await write(file, offset, upload.size, parts, checksum)
        there = await asyncio.to_thread(self._files.size, upload_id) or 0
        if there >= min(HEAD, upload.size) and not fits(upload.name, await asyncio.to_thread(self._files.head, upload_id)):
            await run_shielded(partial(self._drop, upload_id))
            raise UploadType
        return await self._stored(upload) if there == upload.size else Received(upload, there)

    async def _stored(self, upload: Upload) -> Received:
        async with self._storing:
            with acting_as(upload.member):
                await run_shielded(partial(self._store_alone, upload))
        return Received(await asyncio.to_thread(self._queries.upload, upload.id, upload.member), upload.size)

    def _store_alone(self, upload: Upload) -> None:
        with self._files.alone():
            now = self._queries.upload(upload.id, upload.member)
            if now.outcome is None:  # otherwise another process stored it
                self._store(now)

    def _store(self, upload: Upload) -> None:
        """Blocks. A kill at any point leaves what the next call goes on with."""
        files, queries = self._files, self._queries
        if upload.target is None or not files.is_at(*_placed(upload)):
            sha256 = files.sha256(upload.id)
            if upload.sha256 not in (None, sha256):
                self._drop(upload.id)
                raise UploadChecksum
            if self._has(sha256, upload):
                self._end(upload, Outcome.DUPLICATE, sha256)
                return
            moved = False
            while not moved:
                target = files.target(upload.name, upload.library, self._clock())
                queries.plan(upload.id, sha256, target)
                moved = files.move(upload.id, target, upload.modified_ns)
        else:
            sha256 = upload.sha256 or ""
        self._end(upload, Outcome.STORED, sha256)

    def _has(self, sha256: str, upload: Upload) -> bool:
        """Whether its content is there, though not analysed yet or not yet known to be stored."""
        image_id, paths = self._queries.same_content(sha256, upload.library)
        return image_id is not None or any(self._files.has(path, upload.size, sha256) for path in paths)

    def _end(self, upload: Upload, outcome: Outcome, sha256: str) -> None:
        self._queries.end(upload.id, outcome, sha256, self._clock())
        self._files.drop(upload.id)

    def _drop(self, upload_id: str) -> None:
        self._queries.drop(upload_id)
        self._files.drop(upload_id)


def _placed(upload: Upload) -> tuple[str, str, int]:
    return upload.id, upload.target or "", upload.size
