"""Names of faces beside photos: the engine reads and edits the XMP, and this process only finds, opens and replaces the files."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, TypeVar

import structlog

from agent.domain.errors import AgentError, EngineKilled, EngineUnavailable, ModelError, XmpChanging, XmpError, XmpUnreadable
from agent.domain.regions import Comparison, NamedArea, NamedBox, Origin, Reading, area_of, compare
from agent.domain.xmp_edits import SidecarEdit
from agent.features.people.sidecars import sidecar_files
from agent.inference.engine.fd_passing import Opener
from agent.inference.engine.rpc import Call
from agent.inference.engine.xmp_calls import (
    FAULTS,
    FORGET_NAMES,
    MOST_PHOTOS,
    READ_NAMES,
    WRITE_NAMES,
    ForgetNames,
    PhotoFiles,
    ReadNames,
    WriteNames,
)
from agent.infrastructure.core.abandonable_calls import COMMAND_ANSWER_S, call_with_timeout
from agent.infrastructure.core.photo_files import open_photo

log = structlog.get_logger()
T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

# Not the fault of a file: the same call may succeed later.
NO_ENGINE: Final = (EngineUnavailable, ModelError)
_TRIES: Final = 3
_MOST_SWEPT: Final = 1000


class Ask(Protocol):
    """Makes a call to an engine: `EnginePool.ask`, or the same code in this process (tests)."""

    async def __call__(self, call: Call[Q, A], asked: Q, files: Sequence[Opener] = ()) -> A: ...


@dataclass(frozen=True, slots=True)
class Written:
    """The number of changed regions, and the comparison afterwards: conflicts are shown. `orientation` is that of its areas."""

    changes: int
    comparison: tuple[Comparison, ...]
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class Removed:
    """The number of removed names of ours, and of regions by other programs that still have such a name."""

    changes: int
    left: int


class Sidecars:
    """One instance for the whole program, which serialises its writes.

    Without an engine every call raises EngineUnavailable or ModelError. A file that the engine crashes or hangs on is unreadable.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._writing = asyncio.Lock()
        self._swept: dict[Path, float] = {}

    async def read(self, photos: Sequence[Path]) -> list[Reading | XmpError]:
        """Return the regions of each photo: those of its newest sidecar that has any, otherwise of the photo itself."""
        found: list[Reading | XmpError] = []
        waiting = iter(photos)
        while batch := list(islice(waiting, MOST_PHOTOS)):
            found += await self._read(batch)
        return found

    async def _read(self, photos: Sequence[Path]) -> list[Reading | XmpError]:
        offers = await _offered(photos)
        asked = [(photo, files) for photo, files in zip(photos, offers, strict=True) if isinstance(files, PhotoFiles)]
        read = iter(await self._names(asked))
        return [next(read) if isinstance(files, PhotoFiles) else files for files in offers]

    async def _names(self, photos: Sequence[tuple[Path, PhotoFiles]]) -> list[Reading | XmpError]:
        """Ask about all at once; if that fails, one by one, because only one of them may be to blame."""
        if not photos:
            return []
        request = ReadNames(tuple(files for _, files in photos))
        try:
            found = await self._asked(READ_NAMES, request, [opener for photo in photos for opener in _openers(*photo)])
        except XmpError as error:
            return [error] if len(photos) == 1 else [name for photo in photos for name in await self._names([photo])]
        return [each.reading or FAULTS[each.fault or ""]() for each in found]

    async def write(
        self, photo: Path, size: tuple[int, int], faces: Sequence[NamedBox], *, orientation: int | None = None, root: Path | None = None
    ) -> Written:
        """Make the sidecar contain our known names. `size`: of the upright image, as for the boxes. Raises XmpError.

        Names by other programs stay. The photo's own regions are copied into a sidecar without regions, because readers
        use a sidecar's regions instead of the photo's. Links are followed within `root` only, by default the photo's own folder.
        `orientation` is Exif's, by default the photo's.
        """
        async with self._writing:
            await self._sweep(photo.parent)
            for _ in range(_TRIES):
                files = await _offer(photo)
                request = WriteNames(files, size, orientation, tuple(faces))
                told = await self._asked(WRITE_NAMES, request, _openers(photo, files))
                if told.edit is None or await _put(photo, told.edit, root or photo.parent):
                    ours = [NamedArea(face.name, area_of(face.box, *size, told.orientation)) for face in faces]
                    changes = told.edit.changes if told.edit else 0
                    return Written(changes, tuple(compare(ours, told.regions.items)), told.orientation)
        raise XmpChanging

    async def forget(self, photo: Path, names: Collection[str], *, by_others: bool = False) -> Removed:
        """Remove the names that we wrote from every sidecar of the photo; `by_others`: other programs' too. Raises XmpError."""
        await asyncio.to_thread(_clear, photo)
        changes = 0
        async with self._writing:
            for _ in range(_TRIES):
                files = await _offer(photo, embedded=False)
                if not files.count:
                    return Removed(changes, 0)
                told = await self._asked(FORGET_NAMES, ForgetNames(files, tuple(names), by_others), _openers(photo, files))
                done = [edit.changes for edit in told.edits if await _put(photo, edit, None)]
                changes += sum(done)
                if len(done) == len(told.edits):
                    return Removed(changes, told.left)
        raise XmpChanging

    async def _sweep(self, folder: Path) -> None:
        """Remove remains from a folder, once a day: listing a large one takes longer than writing a sidecar."""
        now = time.time()
        if now - self._swept.get(folder, 0) >= sidecar_files.LEFT_S:
            if len(self._swept) >= _MOST_SWEPT:
                self._swept.clear()
            self._swept[folder] = now
            await asyncio.to_thread(sidecar_files.sweep, folder, now)

    async def _asked(self, call: Call[Q, A], asked: Q, files: Sequence[Opener]) -> A:
        """Make a call; if the engine was killed from outside, once more. Raises XmpError, NO_ENGINE."""
        try:
            try:
                return await self._ask(call, asked, files)
            except EngineKilled:
                return await self._ask(call, asked, files)
        except (XmpError, *NO_ENGINE):
            raise
        except AgentError as error:  # the engine crashed or hung on it, or a file vanished
            log.warning("sidecars.unreadable", code=error.code)
            raise XmpUnreadable from None


async def _offered(photos: Sequence[Path], *, embedded: bool = True) -> list[PhotoFiles | XmpError]:
    """Return the files of each photo, or why there are none. A drive that does not respond makes them unreadable."""

    def look() -> list[PhotoFiles | XmpError]:
        return [_result(partial(sidecar_files.offered, photo, embedded=embedded)) for photo in photos]

    try:
        return await call_with_timeout(look, COMMAND_ANSWER_S)
    except TimeoutError:
        return [XmpUnreadable() for _ in photos]


def _result(call: Callable[[], T]) -> T | XmpError:
    try:
        return call()
    except XmpError as error:
        return error


async def _offer(photo: Path, *, embedded: bool = True) -> PhotoFiles:
    [files] = await _offered([photo], embedded=embedded)
    if isinstance(files, XmpError):
        raise files
    return files


def _openers(photo: Path, files: PhotoFiles) -> list[Opener]:
    return [partial(open_photo, str(path)) for path in sidecar_files.paths_of(photo, files)]


async def _put(photo: Path, edit: SidecarEdit, root: Path | None) -> bool:
    """Write an edited sidecar; False if it changed meanwhile. Raises XmpError."""
    path = sidecar_files.long_name(photo) if edit.origin is Origin.LONG else sidecar_files.short_name(photo)
    return await asyncio.to_thread(sidecar_files.replace, path, edit.packet, edit.old, photo, root)


def _clear(photo: Path) -> None:
    for path in (sidecar_files.long_name(photo), sidecar_files.short_name(photo)):
        sidecar_files.clear(path)
