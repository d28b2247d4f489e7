"""Routes of screen captures (take, review, copy, save, discard) and of screen watching. No response shows covered content."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import Literal, TypeAlias

from fastapi import FastAPI
from fastapi.responses import Response

from agent.desktop.capture.capture import Capture, CaptureService, ScreenChange
from agent.desktop.capture.region_picker import RegionPicker
from agent.desktop.capture.schemas import (
    CaptureChange,
    CaptureOut,
    CaptureRequest,
    Captures,
    MonitorOut,
    Monitors,
    PickStep,
    SavedAt,
    SaveRequest,
    WatchOut,
    WatchSnooze,
    WatchSwitch,
)
from agent.desktop.capture.service import ScreenService
from agent.desktop.capture.watch import SWITCH
from agent.domain.errors import BadRequest
from agent.domain.face import Box
from agent.domain.path_text import printable
from agent.domain.redaction import Look, Shape, Style
from agent.domain.screen import ALL_MONITORS, ScreenRef, ScreenRegion
from agent.inference.engine.screen_port import GrabbedFrame
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import Scope, needs

Taken: TypeAlias = tuple[GrabbedFrame, ScreenRegion | None]


def capture_routes(api: FastAPI, screen: ScreenService, pick: Callable[[], Awaitable[Taken]]) -> None:
    """Add the routes that take a capture to `api`; `pick` has the user select a region."""

    @api.get("/api/monitors", openapi_extra=needs(Scope.DESKTOP))
    async def monitors() -> Monitors:
        return Monitors(items=tuple(map(MonitorOut.of, await screen.capturing.monitors())))

    @api.post("/api/captures", openapi_extra=needs(Scope.DESKTOP))
    async def capture(asked: CaptureRequest) -> CaptureOut:
        """Answer once the capture is covered, saved and copied as requested. Without a region the user selects one first."""
        return await _captured(screen.capturing, asked, pick)

    @api.get("/api/captures", openapi_extra=needs(Scope.DESKTOP))
    async def captures() -> Captures:
        """Return the captures under review."""
        return Captures(items=tuple(map(CaptureOut.of, screen.capturing.all())))


def review_routes(api: FastAPI, screen: ScreenService, picking: RegionPicker) -> None:
    """Add the routes of captures under review, and of the selection windows, to `api`."""
    _picking(api, picking)
    _reviewing(api, screen)


def _picking(api: FastAPI, picking: RegionPicker) -> None:
    """Add the routes for the selection windows, which know their keys."""

    @api.get(
        "/api/captures/frames/{word}",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}},
        openapi_extra=needs(Scope.DESKTOP),
    )
    async def frame(word: str) -> Response:
        """Return the uncovered picture for one of these windows, once."""
        return Response(await picking.frame(word), media_type="image/jpeg")

    @api.post("/api/captures/picks/{pick}", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def tell(pick: str, asked: PickStep) -> None:
        match asked.step:
            case "ready":
                picking.ready(pick, asked.monitor)
            case "chosen":
                picking.choose(pick, asked.monitor, None if asked.region is None else _region(asked.region))
            case _:
                picking.cancel(pick)


def _reviewing(api: FastAPI, screen: ScreenService) -> None:
    @api.get("/api/captures/{capture_id}", openapi_extra=needs(Scope.DESKTOP))
    async def one(capture_id: str) -> CaptureOut:
        return CaptureOut.of(screen.capturing.get(capture_id))

    @api.patch("/api/captures/{capture_id}", openapi_extra=needs(Scope.DESKTOP))
    async def change(capture_id: str, asked: CaptureChange) -> CaptureOut:
        capturing = screen.capturing
        return CaptureOut.of(capturing.change(capture_id, _change(asked, capturing.get(capture_id))))

    @api.get(
        "/api/captures/{capture_id}/picture",
        response_class=Response,
        responses={200: {"content": {"image/*": {}}}},
        openapi_extra=needs(Scope.DESKTOP),
    )
    async def picture(capture_id: str, format: Literal["png", "jpeg", "webp"] = "png") -> Response:
        """Return it with its current covers."""
        picture = await screen.capturing.picture(capture_id, format)
        # The file name when the picture is dragged out of the page.
        name = f"{PurePath(await screen.capturing.usual_name()).stem}.{format}"
        return Response(picture, media_type=f"image/{format}", headers={"content-disposition": f'inline; filename="{name}"'})

    @api.post("/api/captures/{capture_id}/save", openapi_extra=needs(Scope.DESKTOP))
    async def save(capture_id: str, asked: SaveRequest) -> SavedAt:
        return SavedAt(path=printable(await screen.capturing.save(capture_id, asked.path)))

    @api.post("/api/captures/{capture_id}/copy", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def copy(capture_id: str) -> None:
        await screen.capturing.copy(capture_id)

    @api.delete("/api/captures/{capture_id}", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def discard(capture_id: str) -> None:
        await screen.capturing.discard(capture_id)


def watch_routes(api: FastAPI, screen: ScreenService, file: SettingsFile, texts: Callable[[], Texts]) -> None:
    """Add the routes to `api`."""

    @api.get("/api/watch", openapi_extra=needs(Scope.DESKTOP))
    async def watch() -> WatchOut:
        return WatchOut.of(screen.watching, await screen.watching.names(), texts())

    @api.put("/api/watch", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def switch(asked: WatchSwitch) -> None:
        """Change the setting. Refused if watching is impossible."""
        if asked.on and (refused := screen.watching.refused) is not None:
            raise refused
        await asyncio.to_thread(file.put, SWITCH, asked.on)

    @api.post("/api/watch/snooze", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def snooze(asked: WatchSnooze) -> None:
        await screen.watching.snooze(asked.minutes, until_tomorrow=asked.until_tomorrow)


async def _captured(capturing: CaptureService, asked: CaptureRequest, pick: Callable[[], Awaitable[Taken]]) -> CaptureOut:
    """Take a capture, cover it, and process it as requested; `pick` lets the user select a region. Raises what `CaptureService` raises."""
    frame, region = await _taken(capturing, asked, pick)
    made = await capturing.review(frame, region, asked.keep, Look(Style(asked.style), Shape(asked.shape)))
    ends = asked.copy_it or asked.save or asked.output is not None
    try:
        path = await capturing.save(made.id, asked.output) if asked.save or asked.output is not None else None
        if asked.copy_it:
            await capturing.copy(made.id)
    finally:
        if ends:
            await capturing.discard(made.id)
    return CaptureOut.of(made).model_copy(
        update={"path": None if path is None else printable(path), "copied": asked.copy_it, "open": not ends}
    )


async def _taken(capturing: CaptureService, asked: CaptureRequest, pick: Callable[[], Awaitable[Taken]]) -> Taken:
    match asked.what:
        case "window":
            return await capturing.freeze_window()
        case "screen":
            return await capturing.freeze(ScreenRef(asked.screen))
        case "all":
            return await capturing.freeze(ScreenRef(ALL_MONITORS))
        case _ if asked.region is not None:
            return await capturing.freeze(ScreenRef(ALL_MONITORS, _region(asked.region)))
        case _ if capturing.desktop_chooses:
            return await capturing.freeze(ScreenRef(ALL_MONITORS), choosing=True)
        case _:
            return await pick()


def _region(text: str) -> ScreenRegion:
    """Parse a region. Raises BadRequest."""
    try:
        return ScreenRegion.parse(text)
    except ValueError:
        raise BadRequest(reason="region") from None


def _change(asked: CaptureChange, now: Capture) -> ScreenChange:
    drawn = None if asked.drawn is None else tuple(Box(*box) for box in asked.drawn)
    look = Look(Style(asked.style or now.look.style), Shape(asked.shape or now.look.shape))
    return ScreenChange(asked.covered, drawn, look)
