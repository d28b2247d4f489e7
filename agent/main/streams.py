"""The two answers that go on for a while: what happens (server-sent events), and a scan (a JSON line per file)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from fastapi.sse import ServerSentEvent

from agent.core.i18n import Texts
from agent.core.stoppable import stoppable
from agent.domain.errors import AgentError
from agent.domain.events import Recorded
from agent.library.scan import rules
from agent.library.scan_schemas import ScanLine, ScanRequest
from agent.library.status import Status
from agent.main.app import App
from agent.sources.folder.folder_scan import walk_images
from agent.web import present

# A reader that falls this far behind is cut off; it comes back and reads what it missed from the library.
MOST_WAITING = 512
MISSED_PAGE = 500


async def happenings(app: App, texts: Callable[[], Texts], version: str, last_seen: int | None) -> AsyncGenerator[ServerSentEvent, None]:
    """First the status and what was missed since event `last_seen`, then everything as it happens."""
    waiting: asyncio.Queue[Recorded | Status] = asyncio.Queue(MOST_WAITING)
    behind = False

    def put(item: Recorded | Status) -> None:
        nonlocal behind
        try:
            waiting.put_nowait(item)
        except asyncio.QueueFull:
            behind = True

    stop = app.status.listen(put)
    try:
        with app.bus.listening(put):
            yield _status(await app.status.now(), texts(), version)
            sent = 0
            while last_seen is not None:
                missed = await asyncio.to_thread(app.library.events, after=last_seen, limit=MISSED_PAGE)
                for recorded in missed:
                    sent = recorded.id
                    yield _happened(recorded)
                last_seen = sent if len(missed) == MISSED_PAGE else None
            while not behind:
                item = await waiting.get()
                if isinstance(item, Status):
                    yield _status(item, texts(), version)
                elif item.id > sent:
                    yield _happened(item)
    finally:
        stop()


def _status(now: Status, texts: Texts, version: str) -> ServerSentEvent:
    return ServerSentEvent(event="status", data=present.status(now, texts, version))


def _happened(recorded: Recorded) -> ServerSentEvent:
    return ServerSentEvent(event="happened", id=str(recorded.id), data=present.event(recorded))


async def scan(app: App, request: ScanRequest, texts: Texts) -> AsyncIterator[bytes]:
    """The total first, then a line per file as it ends; a last line says what stopped the scan, if anything did."""
    files = await stoppable(lambda: list(walk_images(request.paths, rules(request.exclude))))
    yield _line(ScanLine(total=len(files)))
    try:
        async for scanned in app.scan(files, embeddings=request.embeddings):
            yield _line(present.scan_line(scanned, texts))
    except AgentError as error:
        yield _line(ScanLine(stopped=present.problem(error, texts)))


def _line(line: ScanLine) -> bytes:
    return line.model_dump_json(exclude_none=False).encode() + b"\n"
