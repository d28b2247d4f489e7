"""Stores the changes of a source: new files become jobs, moved ones keep their faces, missing ones are marked."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from functools import partial

import structlog

from agent.domain.errors import AgentError, SourceUnreachable, StoreError
from agent.domain.events import StoredEvent
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority
from agent.domain.video import is_clip
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.recipes import recipe_for
from agent.features.library.records import Noted
from agent.infrastructure.core.abandonable_calls import ANSWER_S, call_with_timeout
from agent.infrastructure.core.observable import ChangeSignal, Signal
from agent.infrastructure.core.photo_files import open_photo
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.sources.source import (
    Change,
    FileAppeared,
    FileMoved,
    FilesGone,
    SidecarChanged,
    SourceFailed,
    SourceRecovered,
    TreeMoved,
)

log = structlog.get_logger()

_CHUNK = 1 << 20
_LONGEST_S = 86_400.0


async def sha256_in_thread(path: str, open_item: Callable[[str], int] = open_photo) -> str:
    """Return the SHA-256 of an item, read as a stream; empty if it can't be read: the engine reports the reason.

    Raises TimeoutError after `ANSWER_S` seconds without progress; a slow drive may take its time.
    """
    hashing = _Hashing(open_item)
    answer = asyncio.ensure_future(call_with_timeout(partial(hashing.of, path), _LONGEST_S))
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


RETRY_AFTER_S = 3.0


class Ingest:
    """Stores changes one by one: a source that is faster than the disk waits."""

    def __init__(
        self,
        library: LibraryQueries,
        environment: Environment,
        *,
        online_only: Callable[[str], bool],
        open_item: Callable[[str], int] = open_photo,
    ) -> None:
        self.queued = ChangeSignal()
        """there are new jobs"""
        self.changed = ChangeSignal()
        """what the status shows of sources and files may be another"""
        self.sidecars = Signal[str]()
        """the path of each sidecar that changed, see `SidecarChanged`"""
        self.videos = Signal[int]()
        """the place of each new or changed video"""
        self._library = library
        self._environment = environment
        self._bus, self._clock = environment.bus, environment.clock
        self._online_only = online_only
        self._open_item = open_item
        self.folder_problems: dict[str, AgentError] = {}
        self._silent_folders: set[str] = set()  # whose drive stopped responding while a file was read
        self.problem: AgentError | None = None

    async def take(self, change: Change) -> None:
        """Accept a change from a source. While the library can't be written to, the change and its source wait: none is lost."""
        while True:
            try:
                await self.apply(change)
            except StoreError as error:
                if self.problem is None:
                    log.error("ingest.blocked", code=error.code)
                self.problem = error
                self.changed.notify()
                await asyncio.sleep(RETRY_AFTER_S)
            else:
                if self.problem is not None:
                    self.problem = None
                    self.changed.notify()
                    self.queued.notify()  # the attempt that failed may have stored it: a broken connection doesn't say
                return

    async def apply(self, change: Change) -> None:
        """Store one change and publish its events. Raises StoreError."""
        match change:
            case FileAppeared(seen, priority):
                await self.note(seen, priority)
            case FileMoved(old, new):
                await self._write(self._library.file_moved, old, new)
                await self.note(new, Priority.NEW)
            case TreeMoved(old, new_root):
                await self._write(self._library.tree_moved, old, new_root)
            case FilesGone(paths):
                await self._write(self._library.files_gone, paths)
            case SidecarChanged(path):
                self.sidecars.send(path)
            case SourceFailed(folder, error):
                self.folder_problems[folder] = error
                self.changed.notify()
            case SourceRecovered(folder):
                self.folder_problems.pop(folder, None)
                self.changed.notify()

    async def note(self, seen: FileSeen, priority: Priority) -> Noted:
        """Register one file. It is read here only if another image has its exact size, because it may be the same."""
        if seen.folder is not None and is_clip(seen.path):
            noted, place_id = await self._note_clip(seen)
            if noted is Noted.ATTACHED:
                self.videos.send(place_id)
            return noted
        noted, events = await self._note(seen, priority)
        self._bus.publish(events)
        if noted is Noted.QUEUED:
            self.queued.notify()
        self.changed.notify()  # even if nothing is to be done: the file may be back after it was missing
        return noted

    async def _note(self, seen: FileSeen, priority: Priority) -> tuple[Noted, list[StoredEvent]]:
        unread, noted, events = await asyncio.to_thread(self._note_unread, seen, priority)
        if noted is Noted.HASH_WANTED:
            write = partial(self._library.note_file, seen, self._recipe(seen), priority=priority, now=self._clock())
            return await asyncio.to_thread(write, sha256="" if unread else await self._hash(seen))
        return noted, events

    def _note_unread(self, seen: FileSeen, priority: Priority) -> tuple[bool, Noted, list[StoredEvent]]:
        unread = priority is not Priority.ASKED and self._online_only(seen.path)
        if unread:
            known = self._library.place(seen.path)
            if known is not None and known.job is JobState.DEFERRED:
                return unread, Noted.UNCHANGED, []
        return unread, *self._library.note_file(seen, self._recipe(seen), priority=priority, now=self._clock())

    def _recipe(self, seen: FileSeen) -> Recipe:
        return recipe_for(self._environment.settings.value, seen.path)

    async def _hash(self, seen: FileSeen) -> str:
        """Return the hash; empty also if the drive stops responding: the job then reports the reason, and the folder shows it at once."""
        try:
            sha256 = await sha256_in_thread(seen.path, self._open_item)
        except TimeoutError:
            log.warning("ingest.no_answer")
            self._silent(seen.folder, SourceUnreachable())
            return ""
        self._silent(seen.folder, None)
        return sha256

    def _silent(self, folder: str | None, error: AgentError | None) -> None:
        """Record whether a watched folder's files can be read; the source's own problems are left alone."""
        if folder is None or (error is None) is (folder not in self._silent_folders):
            return
        if error is None:
            self._silent_folders.discard(folder)
            self.folder_problems.pop(folder, None)
        else:
            self._silent_folders.add(folder)
            self.folder_problems[folder] = error
        self.changed.notify()

    async def _note_clip(self, seen: FileSeen) -> tuple[Noted, int]:
        """Register a video. An online-only one is reported with each scan of its folder, until it is downloaded."""
        if await asyncio.to_thread(self._online_only, seen.path):
            return Noted.UNCHANGED, 0
        write = partial(self._library.note_clip, seen, now=self._clock())
        noted, place_id = await asyncio.to_thread(write)
        if noted is Noted.HASH_WANTED:
            noted, place_id = await asyncio.to_thread(write, sha256=await self._hash(seen))
        return noted, place_id

    async def _write(self, method: Callable[..., list[StoredEvent]], *values: object) -> None:
        self._bus.publish(await asyncio.to_thread(method, *values, now=self._clock()))
