"""Routes of captures of the screen: take one, review it, and copy, save or discard it. No answer shows what is covered."""

from pathlib import PurePath
from typing import Literal

from fastapi import FastAPI
from fastapi.responses import Response

from agent.domain.path_text import printable
from agent.screen import present_capture
from agent.screen.schemas import CaptureChange, CaptureOut, CaptureRequest, Captures, Monitors, PickStep, SavedAt, SaveRequest
from agent.web.context import Context


def capture_routes(api: FastAPI, context: Context) -> None:
    """Add them to `api`."""
    _taking(api, context)
    _picking(api, context)
    _reviewing(api, context)


def _taking(api: FastAPI, context: Context) -> None:
    app = context.app

    @api.get("/api/monitors")
    async def monitors() -> Monitors:
        return Monitors(items=tuple(map(present_capture.monitor, await app.screen.capturing.monitors())))

    @api.post("/api/captures")
    async def capture(asked: CaptureRequest) -> CaptureOut:
        """Answers when it is covered, saved and copied as asked. Without a region the user chooses one first."""
        return await present_capture.capture(app.screen.capturing, asked, context.picking.pick)

    @api.get("/api/captures")
    async def captures() -> Captures:
        """Those open for review."""
        return Captures(items=tuple(map(present_capture.shown, app.screen.capturing.all())))


def _picking(api: FastAPI, context: Context) -> None:
    """For the windows in which a region is chosen, which know the words for it."""

    @api.get("/api/captures/frames/{word}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
    async def frame(word: str) -> Response:
        """What one of these windows shows, uncovered: once."""
        return Response(await context.picking.frame(word), media_type="image/jpeg")

    @api.post("/api/captures/picks/{pick}", status_code=204)
    async def tell(pick: str, asked: PickStep) -> None:
        match asked.step:
            case "ready":
                context.picking.ready(pick, asked.monitor)
            case "chosen":
                context.picking.choose(pick, asked.monitor, None if asked.region is None else present_capture.region_of(asked.region))
            case _:
                context.picking.cancel(pick)


def _reviewing(api: FastAPI, context: Context) -> None:
    app = context.app

    @api.get("/api/captures/{capture_id}")
    async def one(capture_id: str) -> CaptureOut:
        return present_capture.shown(app.screen.capturing.get(capture_id))

    @api.patch("/api/captures/{capture_id}")
    async def change(capture_id: str, asked: CaptureChange) -> CaptureOut:
        capturing = app.screen.capturing
        return present_capture.shown(capturing.change(capture_id, present_capture.change(asked, capturing.get(capture_id))))

    @api.get("/api/captures/{capture_id}/picture", response_class=Response, responses={200: {"content": {"image/*": {}}}})
    async def picture(capture_id: str, format: Literal["png", "jpeg", "webp"] = "png") -> Response:
        """With its covers as they are now."""
        picture = await app.screen.capturing.picture(capture_id, format)
        # The name of the file that it becomes when it is dragged out of the page.
        name = f"{PurePath(await app.screen.capturing.usual_name()).stem}.{format}"
        return Response(picture, media_type=f"image/{format}", headers={"content-disposition": f'inline; filename="{name}"'})

    @api.post("/api/captures/{capture_id}/save")
    async def save(capture_id: str, asked: SaveRequest) -> SavedAt:
        return SavedAt(path=printable(await app.screen.capturing.save(capture_id, asked.path)))

    @api.post("/api/captures/{capture_id}/copy", status_code=204)
    async def copy(capture_id: str) -> None:
        await app.screen.capturing.copy(capture_id)

    @api.delete("/api/captures/{capture_id}", status_code=204)
    async def discard(capture_id: str) -> None:
        await app.screen.capturing.discard(capture_id)
