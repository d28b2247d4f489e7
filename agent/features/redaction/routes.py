"""Routes of covered copies: making, reviewing, editing and restoring them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import FastAPI, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from agent.domain.errors import AgentError, ApprovalAwaited, Forbidden, NotFound
from agent.domain.path_text import printable
from agent.features.library.actions import Actions, Original
from agent.features.library.originals import UNNAMED, original_response
from agent.features.redaction import api_mapping
from agent.features.redaction.batches import RedactionRequests
from agent.features.redaction.clipboard_copy import ClipboardCopy
from agent.features.redaction.copies_archive import MEDIA_TYPE, CopiesArchive, open_copy
from agent.features.redaction.copy_names import COPIES_FOLDER, place_below
from agent.features.redaction.copy_records import MADE, RedactionItem
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.features.redaction.schemas import (
    Count,
    CoverRequest,
    ItemIds,
    MarksEdit,
    Moment,
    PhotoCopiedOut,
    RedactedOut,
    RedactionBatches,
    RedactionBatchOut,
    RedactionDetail,
    RedactionItems,
    RedactLine,
    RedactRequest,
    Restored,
    RestoreRequest,
)
from agent.features.redaction.service import RedactionService
from agent.inference.engine.analyser import Analyser
from agent.infrastructure.core.abandonable_calls import close_if_cancelled
from agent.infrastructure.core.access_scope import current_scope
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.help_routes import Places
from agent.interfaces.web.schemas import Id, Problem
from agent.interfaces.web.scoped_route import Who, count_export
from agent.interfaces.web.streaming import NdjsonResponse, Parts
from agent.interfaces.web.ui_port import UiPort

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, lt=2**31)]
Side = Annotated[int, Query(ge=64, le=4_096)]
# The picture may show a face that is covered elsewhere: no cache may keep it.
_UNKEPT = {"cache-control": "private, no-store"}


async def lines(copies: RedactionRequests, request: RedactRequest, words: Texts) -> AsyncGenerator[RedactLine, None]:
    """Yield the total first, then a line per file as it ends; a last line names an error that stopped the batch, if any."""
    try:
        async with aclosing(api_mapping.lines(copies, request, words)) as told:
            async for line in told:
                yield line
    except AgentError as error:
        yield RedactLine(stopped=Problem.of(error, words))


def making_routes(
    api: FastAPI, redaction: RedactionService, photo_copy: ClipboardCopy, actions: Actions, texts: Callable[[], Texts]
) -> None:
    """Add the routes that make or restore copies to `api`."""

    @api.post("/api/redact", response_class=StreamingResponse, responses={200: {"model": RedactLine}}, openapi_extra=needs(Scope.DESKTOP))
    async def redact(request: RedactRequest) -> StreamingResponse:
        """Return a line of JSON for each file; disconnecting stops copies that were not begun."""
        return NdjsonResponse(lines(redaction.copies, request, texts()))

    @api.post("/api/restore", openapi_extra=needs(Scope.DESKTOP))
    async def restore(request: RestoreRequest) -> Restored:
        """Restore covered content from the recovery file beside the copy."""
        path = await redaction.restoring.restore(request.path, request.out, request.passphrase)
        return Restored(path=printable(path))

    @api.post("/api/images/{image_id}/copy-covered", openapi_extra=needs(Scope.DESKTOP))
    async def copy_covered(image_id: Id) -> PhotoCopiedOut:
        """Copy it to this computer's clipboard, with all faces covered and without metadata."""
        original = await actions.original(image_id)
        if original.file is not None:
            original.file.close()  # the engine opens it again
        return PhotoCopiedOut(**asdict(await photo_copy.copy(original.path)))


def batch_routes(
    api: FastAPI,
    redaction: RedactionService,
    library: RedactionQueries,
    texts: Callable[[], Texts],
    clock: Callable[[], datetime],
    places: Places,
) -> None:
    """Add the routes of batches to `api`. Members of a team have copies written below one folder in `places` alone."""
    copies, paces = redaction.copies, redaction.work.paces

    @api.get("/api/redactions", openapi_extra=needs(Scope.REDACTION_READ))
    async def batches(limit: Limit = 50, offset: Offset = 0) -> RedactionBatches:
        found = await asyncio.to_thread(library.redaction_batches, limit=limit, offset=offset)
        names = await asyncio.to_thread(library.person_names)
        return RedactionBatches(items=tuple(api_mapping.batch(each, paces.of(each), names) for each in found))

    @api.post("/api/redactions", openapi_extra=needs(Scope.REDACTION_WRITE))
    async def begin(request: CoverRequest, who: Who) -> RedactionBatchOut:
        """Plan copies; they are made even if the client disconnects, and after a restart. A member’s `out` is a name on the server."""
        if who.kind != "local":
            request = request.model_copy(update={"out": place_below(places.data / COPIES_FOLDER, request.out)})
        paths = await asyncio.to_thread(_paths, library, request.images)
        return await batch(await copies.begin(api_mapping.order_from_request(request, paths)))

    @api.get("/api/redactions/{uid}", openapi_extra=needs(Scope.REDACTION_READ))
    async def batch(uid: str) -> RedactionBatchOut:
        found = await asyncio.to_thread(library.redaction_batch, uid)
        if found is None:
            raise NotFound
        return api_mapping.batch(found, paces.of(found), await asyncio.to_thread(library.person_names))

    @api.get("/api/redactions/{uid}/items", openapi_extra=needs(Scope.REDACTION_READ))
    async def items(uid: str, limit: Limit = 100, offset: Offset = 0) -> RedactionItems:
        found = await asyncio.to_thread(library.redaction_items, uid, limit=limit, offset=offset)
        words = texts()
        shown = tuple(
            api_mapping.item(each, words, paces.percent(each.id), awaits_colleague=copies.awaits_colleague(each)) for each in found.items
        )
        return RedactionItems(items=shown, total=found.total, changed_at=found.changed_at)

    @api.post("/api/redactions/{uid}/accept", openapi_extra=needs(Scope.REDACTION_WRITE))
    async def accept(uid: str, which: ItemIds) -> Count:
        """Approve these copies: the user has reviewed them."""
        return Count(count=await copies.accept(uid, which.ids, which.seen))

    @api.post("/api/redactions/{uid}/retry", openapi_extra=needs(Scope.REDACTION_WRITE))
    async def retry(uid: str) -> Count:
        """Retry failed copies, and make stopped ones."""
        return Count(count=await copies.retry(uid))

    @api.post("/api/redactions/{uid}/stop", status_code=204, openapi_extra=needs(Scope.REDACTION_WRITE))
    async def stop(uid: str) -> None:
        """Stop making copies; finished ones stay."""
        await _check_within_reach(library, uid)
        await redaction.work.stop(uid)


async def _check_within_reach(library: RedactionQueries, uid: str) -> None:
    """Raises NotFound if it is not."""
    if current_scope() is not None and await asyncio.to_thread(library.redaction_batch, uid) is None:
        raise NotFound


async def _known(library: RedactionQueries, item_id: int) -> RedactionItem:
    found = await asyncio.to_thread(library.redaction, item_id)
    if found is None:
        raise NotFound
    return found


async def _handed_out(library: RedactionQueries, item_id: int) -> RedactionItem:
    """Return a copy whose file may be had. Raises NotFound, ApprovalAwaited."""
    made = await _known(library, item_id)
    if made.state not in MADE:
        raise NotFound
    if await asyncio.to_thread(library.withheld, made):
        raise ApprovalAwaited
    return made


def item_routes(api: FastAPI, redaction: RedactionService, library: RedactionQueries, texts: Callable[[], Texts]) -> None:
    """Add the routes of one copy to `api`."""

    @api.get("/api/redaction-items/{item_id}", openapi_extra=needs(Scope.REDACTION_READ))
    async def item(item_id: Id) -> RedactionDetail:
        found = await _known(library, item_id)
        image = await asyncio.to_thread(library.image_by_hash, found.facts.sha256) if found.facts else None
        return api_mapping.detail(found, image, texts(), awaits_colleague=redaction.copies.awaits_colleague(found))

    @api.put("/api/redaction-items/{item_id}/marks", openapi_extra=needs(Scope.REDACTION_WRITE))
    async def edit(item_id: Id, edit: MarksEdit) -> RedactedOut:
        """Make the copy again with these marks, replacing the existing one."""
        made = await redaction.copies.edit(item_id, [api_mapping.mark(each) for each in edit.marks])
        return api_mapping.item(made, texts(), awaits_colleague=redaction.copies.awaits_colleague(made))


def copy_file_routes(
    api: FastAPI,
    redaction: RedactionService,
    library: RedactionQueries,
    actions: Actions,
    analyser: Analyser,
    desk: UiPort,
    texts: Callable[[], Texts],
    clock: Callable[[], datetime],
) -> None:
    """Add the routes of copies' files to `api`."""

    @api.post("/api/redaction-items/{item_id}/show", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def show(item_id: Id) -> None:
        """Show the copy in its folder."""
        await desk.show_file((await _known(library, item_id)).target)

    @api.get(
        "/api/redaction-items/{item_id}/copy",
        response_class=FileResponse,
        responses={200: {"content": {UNNAMED: {}}}},
        openapi_extra=needs(Scope.PHOTOS_EXPORT),
    )
    async def copy(item_id: Id) -> Response:
        """Return the copy's own file."""
        target = (await _handed_out(library, item_id)).target
        file = await close_if_cancelled(asyncio.to_thread(open_copy, await actions.readable(target)))
        try:
            await _handed_out(library, item_id)  # what is open now is what was approved, if it still is
        except BaseException:
            file.close()
            raise
        return original_response(Original(target, "", file))

    @api.get(
        "/api/redactions/{uid}/copies.zip",
        response_class=StreamingResponse,
        responses={200: {"content": {MEDIA_TYPE: {}}}},
        openapi_extra=needs(Scope.PHOTOS_EXPORT),
    )
    async def all_copies(uid: str, request: Request) -> StreamingResponse:
        """Return all finished copies of a batch as one ZIP archive; a text file in it names those that are missing.

        Each copy counts as a download of its own: beyond so many in a minute the archive pauses.
        """
        archive = CopiesArchive(library, actions.readable, texts(), partial(count_export, request))
        if not await archive.has_any(uid):
            raise NotFound
        name = texts()("copies_archive.name", date=f"{clock().astimezone():%Y-%m-%d}")
        headers = _UNKEPT | {"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"}
        return Parts(archive.parts(uid), media_type=MEDIA_TYPE, headers=headers)

    @api.get(
        "/api/redaction-items/{item_id}/preview",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}},
        openapi_extra=needs(Scope.REDACTION_READ),
    )
    async def preview(
        item_id: Id, who: Who, of: Literal["copy", "original"] = "copy", side: Side = 1_280, moment: Moment | None = None
    ) -> Response:
        """Return the copy, or the original to draw on; for a video at that moment, or with most faces. Rendered now, not stored.

        The original is for those who may see photos: a token for covered copies alone gets none.
        """
        copy = of == "copy"
        if not copy and Scope.PHOTOS_READ not in who.scopes:
            raise Forbidden(scope=Scope.PHOTOS_READ)
        shown = await _known(library, item_id)
        if shown.facts is not None and shown.facts.ways is not None:
            picture = await redaction.clips.still(shown, shown.facts, side, moment, copy=copy)
        else:
            picture = await analyser.preview(shown.target if copy else shown.source, side)
        return Response(picture, media_type="image/jpeg", headers=_UNKEPT)


def _paths(library: RedactionQueries, images: Sequence[int]) -> tuple[str, ...]:
    """Return a file of each image; a missing one is reported like any other. Raises NotFound."""
    found = tuple(image.places[0][1] for image in library.images_by_id(images) if image.places)
    if not found:
        raise NotFound
    return found
