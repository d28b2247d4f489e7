"""The two streaming responses: events (server-sent), and a scan (a JSON line per file)."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import PurePath
from typing import Literal, Self

from fastapi.sse import ServerSentEvent

from agent.app.app import App
from agent.app.member_view import FolderName, MemberView
from agent.domain.errors import AgentError
from agent.domain.events import EVENT_NAMES, StoredEvent
from agent.domain.path_text import printable
from agent.features.library.scan import rules
from agent.features.library.scan_schemas import ScanLine, Scanned, ScanRequest
from agent.features.library.status import AgentStatus as AppStatus
from agent.infrastructure.core.abandonable_calls import cancellable
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.sources.folder.folder_scan import walk_images
from agent.interfaces.web.access import LOCAL, Principal, Scope
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Burst, Finished, FolderState, Problem, Status

# A reader that falls this far behind is cut off; it reconnects and reads the missed events from the library.
MOST_WAITING = 512
MISSED_PAGE = 500


class EventOut(Schema):
    """An event; contains only references."""

    id: int
    at: datetime
    kind: Literal[
        "image_indexed",
        "place_added",
        "place_moved",
        "place_lost",
        "image_failed",
        "images_hidden",
        "favourites_changed",
        "albums_changed",
        "person_named",
        "people_changed",
        "recognition_purged",
    ]
    image_id: int | None = None
    place_id: int | None = None
    person_id: int | None = None
    faces: int | None = None
    embeddings: int | None = None
    """face prints that were deleted"""
    chips: int | None = None
    """pictures of faces that were deleted"""
    code: str | None = None

    @classmethod
    def of(cls, recorded: StoredEvent) -> Self:
        return cls.from_record(recorded.event, id=recorded.id, at=recorded.at, kind=EVENT_NAMES[type(recorded.event)])


async def event_stream(
    app: App,
    texts: Callable[[], Texts],
    version: str,
    last_seen: int | None,
    who: Principal = LOCAL,
    folder_name: FolderName = lambda _: None,
) -> AsyncGenerator[ServerSentEvent, None]:
    """First the status and the events missed since `last_seen`, then all events as they happen; of photos only for those who see them."""
    photos = Scope.PHOTOS_READ in who.scopes
    seen = MemberView(app, who, folder_name)
    waiting: asyncio.Queue[StoredEvent | AppStatus] = asyncio.Queue(MOST_WAITING)
    behind = False

    def put(item: StoredEvent | AppStatus) -> None:
        nonlocal behind
        try:
            waiting.put_nowait(item)
        except asyncio.QueueFull:
            behind = True

    stop = app.status.listen(put)
    try:
        with app.bus.listening(put):
            yield await _status(seen, await app.status.now(), texts(), version)
            sent = 0
            while photos and last_seen is not None:
                missed = await asyncio.to_thread(app.library.events, after=last_seen, limit=MISSED_PAGE)
                for recorded in await seen.events(missed):
                    yield _happened(recorded, who)
                sent = missed[-1].id if missed else sent
                last_seen = sent if len(missed) == MISSED_PAGE else None
            while not behind:
                items = [await waiting.get()]
                while not waiting.empty():
                    items.append(waiting.get_nowait())
                visible = await seen.events([each for each in items if isinstance(each, StoredEvent)]) if photos else []
                for item in items:
                    if isinstance(item, AppStatus):
                        yield await _status(seen, item, texts(), version)
                    elif item.id > sent and item in visible:
                        yield _happened(item, who)
    finally:
        stop()


async def _status(seen: MemberView, now: AppStatus, texts: Texts, version: str) -> ServerSentEvent:
    return ServerSentEvent(event="status", data=await seen.status(now, status_of(now, texts, version)))


def _happened(recorded: StoredEvent, who: Principal) -> ServerSentEvent:
    told = EventOut.of(recorded)
    if who.grants is not None:
        told = told.model_copy(update={"embeddings": None, "chips": None})  # those of all libraries
    return ServerSentEvent(event="happened", id=str(recorded.id), data=told)


async def scan(app: App, request: ScanRequest, texts: Texts) -> AsyncGenerator[ScanLine, None]:
    """The total first, then a line per finished file; a last line gives the error that stopped the scan, if any."""
    roots = [folder.root for folder in app.settings.folders]
    try:
        files = await cancellable(lambda: list(walk_images(request.paths, rules(request.exclude), roots=roots)))
        yield ScanLine(total=len(files))
        async for scanned in app.scan(files, embeddings=request.embeddings):
            yield ScanLine(image=Scanned.of(scanned, texts))
    except AgentError as error:
        yield ScanLine(stopped=Problem.of(error, texts))


def status_of(now: AppStatus, texts: Texts, version: str) -> Status:
    """The agent's current state."""
    settings, problems, done = now.settings, dict(now.folder_problems), now.finished
    return Status(
        version=version,
        state=now.state.value,
        language="zh-CN" if texts.language == "zh-CN" else "en",
        theme=settings.general.theme.value,
        letter_keys=settings.general.letter_keys,
        recognition=settings.recognition.enabled,
        popup_seconds=settings.popup.seconds,
        queued=now.queued,
        failed=now.failed,
        images=now.images,
        faces=now.faces,
        people=now.people,
        doubts=now.doubts,
        people_changed=now.people_changed,
        update=now.update,
        taken_back=Problem.maybe(now.taken_back, texts),
        captures=now.captures,
        captures_changed=now.captures_changed,
        watch=now.watch.value,
        watch_until=now.watch_until,
        watch_said=now.watch_said,
        watch_problem=Problem.maybe(now.watch_problem, texts),
        burst=Burst(**asdict(now.burst)) if now.burst and now.burst.total >= settings.popup.burst else None,
        folders=tuple(
            FolderState(
                path=printable(folder.path),
                name=PurePath(printable(folder.path)).name,
                problem=Problem.maybe(problems.get(folder.root), texts),
            )
            for folder in settings.folders
        ),
        problem=Problem.maybe(now.problem, texts),
        online_only=now.online_only,
        quiet_until=now.quiet_until,
        throttled=now.throttled.value if now.throttled else None,
        warning=Problem.maybe(now.warning, texts),
        device_note=now.device_note.text(texts) if now.device_note else None,
        finished=Finished(**asdict(done)) if done and done.photos + done.failed >= settings.popup.burst else None,
    )
