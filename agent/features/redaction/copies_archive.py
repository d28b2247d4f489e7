"""Sends a batch's finished copies as one ZIP archive, which is written while it is sent: neither memory nor disk ever holds it."""

import asyncio
import os
import re
import stat
import time
import unicodedata
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import PurePath
from typing import IO, Final

from agent.domain.errors import AgentError, ImageMissing
from agent.domain.path_text import printable
from agent.features.redaction.copy_records import ItemState, RedactionItem
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.abandonable_calls import close_if_cancelled
from agent.infrastructure.core.i18n import Texts

MEDIA_TYPE: Final = "application/zip"
_CHUNK: Final = 1 << 20
_PAGE: Final = 200
_REFUSED: Final = re.compile(r'[<>:"/\\|?*]')  # by some system on which it may be unpacked
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)  # in a ZIP archive
_LINE: Final = "\r\n"  # every editor shows it


class CopiesArchive:
    def __init__(
        self,
        library: RedactionQueries,
        readable: Callable[[str], Awaitable[str]],
        texts: Texts,
        handed_out: Callable[[int], Awaitable[None]],
    ) -> None:
        """`readable` returns the path, or raises ImageError. `handed_out` is awaited before each copy, with its item's id."""
        self._library = library
        self._readable = readable
        self._texts = texts
        self._handed_out = handed_out

    async def has_any(self, uid: str) -> bool:
        """Whether the batch is there and has a finished copy."""
        batch = await asyncio.to_thread(self._library.redaction_batch, uid)
        return batch is not None and batch.counts.get(ItemState.DONE, 0) > 0

    async def parts(self, uid: str) -> AsyncGenerator[bytes, None]:
        """Yield the archive. Copies that are not in it, such as those to be reviewed, are named in a text file at its end."""
        sink = _Sink()
        names, left_out = _Names(), list[str]()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
            after = 0
            while page := await asyncio.to_thread(self._library.copies_ended, uid, after=after, limit=_PAGE):
                for item in page:
                    # Closed with this one: an archive can't be ended while one of its entries is open.
                    async with aclosing(self._entry(archive, sink, names, item.id, left_out)) as parts:
                        async for part in parts:
                            yield part
                after = page[-1].id
            if left_out:
                lines = (self._texts("copies_archive.left_out_text", count=len(left_out)), "", *left_out, "")
                name = names.free(self._texts("copies_archive.left_out_file"))
                archive.writestr(_info(name, time.time()), _LINE.join(lines).encode())
        yield sink.take()

    async def _entry(
        self, archive: zipfile.ZipFile, sink: "_Sink", names: "_Names", item_id: int, left_out: list[str]
    ) -> AsyncGenerator[bytes, None]:
        item = await asyncio.to_thread(self._library.redaction, item_id)  # as it is now: the archive may take minutes
        if item is None:
            return
        name = PurePath(printable(item.target)).name
        if why := await asyncio.to_thread(self._left_out, item):
            left_out.append(self._line(name, why))
            return
        await self._handed_out(item_id)  # which may pause for a minute
        try:
            file = await close_if_cancelled(asyncio.to_thread(open_copy, await self._readable(item.target)))
        except AgentError as error:
            left_out.append(self._line(name, self._texts.cause(error)))
            return
        with file:
            # An edit is noted before its copy takes the file's place: what is open now is what was approved, if it still is.
            if why := await asyncio.to_thread(self._left_out, await asyncio.to_thread(self._library.redaction, item_id)):
                left_out.append(self._line(name, why))
                return
            facts = os.fstat(file.fileno())
            info = _info(names.free(name), facts.st_mtime)
            info.file_size = left = facts.st_size
            with archive.open(info, "w") as entry:
                while left and (chunk := await asyncio.to_thread(file.read, min(_CHUNK, left))):
                    await asyncio.to_thread(entry.write, chunk)
                    left -= len(chunk)
                    yield sink.take()

    def _left_out(self, item: RedactionItem | None) -> str:
        """Return why a copy is not handed out now; empty if it is."""
        if item is None:
            return "not_made"
        if self._library.withheld(item):
            return "approval"
        return {ItemState.DONE: "", ItemState.NEEDS_REVIEW: "review"}.get(item.state, "not_made")

    def _line(self, name: str, reason: str) -> str:
        told = reason if reason.endswith((".", "。")) else self._texts(f"copies_archive.reason.{reason}")
        return self._texts("copies_archive.line", name=name, reason=told)


def open_copy(path: str) -> IO[bytes]:
    """Return a copy's open file. Raises ImageMissing: it may have vanished since it was found readable."""
    try:
        file = open(path, "rb")  # noqa: SIM115, PTH123 - the caller closes it; the path may hold surrogate escapes
    except OSError as error:
        raise ImageMissing from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ImageMissing
    return file


def _info(name: str, changed: float) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, max(_OLDEST, time.localtime(changed)[:6]))
    info.external_attr = 0o644 << 16
    return info


class _Names:
    """Names within one archive: copies in different folders may be called the same, also on systems that ignore case."""

    def __init__(self) -> None:
        self._taken = set[str]()

    def free(self, wanted: str) -> str:
        name = _REFUSED.sub("_", unicodedata.normalize("NFC", wanted))
        stem, dot, ending = name.rpartition(".")
        found, number = name, 1
        while found.casefold() in self._taken:
            number += 1
            found = f"{stem if dot else name} ({number}){dot}{ending if dot else ''}"
        self._taken.add(found.casefold())
        return found


class _Sink:
    """What the archive writes into, until it is sent."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken
