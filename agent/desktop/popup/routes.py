"""Routes of the desktop's windows: the popup and the browser."""

from fastapi import FastAPI

from agent.desktop.popup.schemas import OpenRequest
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import Problem
from agent.interfaces.web.ui_port import UiPort


def window_routes(api: FastAPI, desk: UiPort) -> None:
    """Add the routes to `api`."""

    @api.post("/api/open", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def open_browser(request: OpenRequest | None = None) -> None:
        await desk.open_browser((request or OpenRequest()).at)

    @api.post("/api/popup/show", status_code=204, responses={503: {"model": Problem}}, openapi_extra=needs(Scope.DESKTOP))
    async def show_popup() -> None:
        await desk.show_popup()

    @api.post("/api/popup/hide", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def hide_popup() -> None:
        await desk.hide_popup()
