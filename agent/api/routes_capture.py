"""Routes of captures of the screen: take one, review it, and copy, save or discard it. No answer shows what is covered."""

from typing import Literal

from fastapi import FastAPI
from fastapi.responses import Response

from agent.api import present_capture
from agent.api.context import Context
from agent.api.schemas_capture import CaptureChange, CaptureOut, CaptureRequest, Captures, Monitors, SavedAt, SaveRequest
from agent.domain.errors import NoDisplay


def capture_routes(api: FastAPI, context: Context) -> None:
    """Add them to `api`."""
    _taking(api, context)
    _reviewing(api, context)


def _taking(api: FastAPI, context: Context) -> None:
    app = context.app

    async def pick() -> present_capture.Taken:
        raise NoDisplay

    @api.get("/api/monitors")
    async def monitors() -> Monitors:
        return Monitors(items=tuple(map(present_capture.monitor, await app.capturing.monitors())))

    @api.post("/api/captures")
    async def capture(asked: CaptureRequest) -> CaptureOut:
        """Answers when it is covered, saved and copied as asked. Without a region the user chooses one first."""
        return await present_capture.capture(app.capturing, asked, pick)

    @api.get("/api/captures")
    async def captures() -> Captures:
        """Those open for review."""
        return Captures(items=tuple(map(present_capture.shown, app.capturing.all())))


def _reviewing(api: FastAPI, context: Context) -> None:
    app = context.app

    @api.get("/api/captures/{capture_id}")
    async def one(capture_id: str) -> CaptureOut:
        return present_capture.shown(app.capturing.get(capture_id))

    @api.patch("/api/captures/{capture_id}")
    async def change(capture_id: str, asked: CaptureChange) -> CaptureOut:
        capturing = app.capturing
        return present_capture.shown(capturing.change(capture_id, present_capture.change(asked, capturing.get(capture_id))))

    @api.get("/api/captures/{capture_id}/picture", response_class=Response, responses={200: {"content": {"image/*": {}}}})
    async def picture(capture_id: str, format: Literal["png", "jpeg", "webp"] = "png") -> Response:
        """With its covers as they are now."""
        return Response(await app.capturing.picture(capture_id, format), media_type=f"image/{format}")

    @api.post("/api/captures/{capture_id}/save")
    async def save(capture_id: str, asked: SaveRequest) -> SavedAt:
        return SavedAt(path=await app.capturing.save(capture_id, asked.path))

    @api.post("/api/captures/{capture_id}/copy", status_code=204)
    async def copy(capture_id: str) -> None:
        await app.capturing.copy(capture_id)

    @api.delete("/api/captures/{capture_id}", status_code=204)
    async def discard(capture_id: str) -> None:
        await app.capturing.discard(capture_id)
