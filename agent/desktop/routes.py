"""Routes of the desktop: the popup, the browser, quiet times, and the program's end."""

from fastapi import FastAPI

from agent.desktop.schemas import OpenRequest
from agent.web.context import Context
from agent.web.schemas import Problem
from agent.web.settings_schemas import QuietRequest


def desk_routes(api: FastAPI, context: Context) -> None:
    """Add them to `api`."""
    app, desk = context.app, context.desk

    @api.post("/api/open", status_code=204)
    async def open_browser(request: OpenRequest | None = None) -> None:
        await desk.open_browser((request or OpenRequest()).at)

    @api.post("/api/popup/show", status_code=204, responses={503: {"model": Problem}})
    async def show_popup() -> None:
        await desk.show_popup()

    @api.post("/api/popup/hide", status_code=204)
    async def hide_popup() -> None:
        await desk.hide_popup()

    @api.post("/api/quiet", status_code=204)
    async def quiet(request: QuietRequest) -> None:
        """No popup for some time, or until the work at hand is done; neither ends a quiet time that was asked for."""
        if not request.until_done:
            await app.put_off(request.minutes)
        if request.until_done or request.minutes is not None:
            await desk.hide_popup()

    @api.post("/api/burst/cancel", status_code=204)
    async def cancel_burst() -> None:
        await app.cancel_burst()

    @api.post("/api/quit", status_code=202)
    async def quit_agent() -> None:
        context.quit()
