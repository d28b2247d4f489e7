"""Routes of screen captures: take, review, copy, save or discard one. No response shows covered content."""

from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import Literal

from fastapi import FastAPI
from fastapi.responses import Response

from agent.domain.path_text import printable
from agent.screen import present_capture
from agent.screen.present_capture import Taken
from agent.screen.region_picker import Picking
from agent.screen.schemas import CaptureChange, CaptureOut, CaptureRequest, Captures, Monitors, PickStep, SavedAt, SaveRequest
from agent.screen.service import ScreenWork


def capture_routes(api: FastAPI, screen: ScreenWork, pick: Callable[[], Awaitable[Taken]]) -> None:
    """Add the routes that take a capture to `api`; `pick` has the user select a region."""

    @api.get("/api/monitors")
    async def monitors() -> Monitors:
        return Monitors(items=tuple(map(present_capture.monitor, await screen.capturing.monitors())))

    @api.post("/api/captures")
    async def capture(asked: CaptureRequest) -> CaptureOut:
        """Answer once the capture is covered, saved and copied as requested. Without a region the user selects one first."""
        return await present_capture.capture(screen.capturing, asked, pick)

    @api.get("/api/captures")
    async def captures() -> Captures:
        """Return the captures under review."""
        return Captures(items=tuple(map(present_capture.shown, screen.capturing.all())))


def review_routes(api: FastAPI, screen: ScreenWork, picking: Picking) -> None:
    """Add the routes of captures under review, and of the selection windows, to `api`."""
    _picking(api, picking)
    _reviewing(api, screen)


def _picking(api: FastAPI, picking: Picking) -> None:
    """Add the routes for the selection windows, which know their keys."""

    @api.get("/api/captures/frames/{word}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
    async def frame(word: str) -> Response:
        """Return the uncovered picture for one of these windows, once."""
        return Response(await picking.frame(word), media_type="image/jpeg")

    @api.post("/api/captures/picks/{pick}", status_code=204)
    async def tell(pick: str, asked: PickStep) -> None:
        match asked.step:
            case "ready":
                picking.ready(pick, asked.monitor)
            case "chosen":
                picking.choose(pick, asked.monitor, None if asked.region is None else present_capture.region_of(asked.region))
            case _:
                picking.cancel(pick)


def _reviewing(api: FastAPI, screen: ScreenWork) -> None:
    @api.get("/api/captures/{capture_id}")
    async def one(capture_id: str) -> CaptureOut:
        return present_capture.shown(screen.capturing.get(capture_id))

    @api.patch("/api/captures/{capture_id}")
    async def change(capture_id: str, asked: CaptureChange) -> CaptureOut:
        capturing = screen.capturing
        return present_capture.shown(capturing.change(capture_id, present_capture.change(asked, capturing.get(capture_id))))

    @api.get("/api/captures/{capture_id}/picture", response_class=Response, responses={200: {"content": {"image/*": {}}}})
    async def picture(capture_id: str, format: Literal["png", "jpeg", "webp"] = "png") -> Response:
        """Return it with its current covers."""
        picture = await screen.capturing.picture(capture_id, format)
        # The file name when the picture is dragged out of the page.
        name = f"{PurePath(await screen.capturing.usual_name()).stem}.{format}"
        return Response(picture, media_type=f"image/{format}", headers={"content-disposition": f'inline; filename="{name}"'})

    @api.post("/api/captures/{capture_id}/save")
    async def save(capture_id: str, asked: SaveRequest) -> SavedAt:
        return SavedAt(path=printable(await screen.capturing.save(capture_id, asked.path)))

    @api.post("/api/captures/{capture_id}/copy", status_code=204)
    async def copy(capture_id: str) -> None:
        await screen.capturing.copy(capture_id)

    @api.delete("/api/captures/{capture_id}", status_code=204)
    async def discard(capture_id: str) -> None:
        await screen.capturing.discard(capture_id)
