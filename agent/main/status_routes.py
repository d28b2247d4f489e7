"""Routes of the Status page: files with errors, health, and components."""

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeAlias

from fastapi import FastAPI, Query
from fastapi.responses import Response

from agent.core.i18n import Texts
from agent.domain.errors import FilingDue, ImageMissing, NotFound
from agent.library.actions import NOT_ANALYSED
from agent.library.records import PlacePage
from agent.library.schemas import PlaceProblem, PlaceProblems
from agent.library.watched_folders import root_meant
from agent.main import present_status
from agent.main.app import App
from agent.main.health import Health, examine, to_file
from agent.main.status_schemas import FindingOut, HealthReport
from agent.web.desk import Desk
from agent.web.remembered import Remembered
from agent.web.schemas import Id

Limit: TypeAlias = Annotated[int, Query(ge=1, le=200)]
Offset: TypeAlias = Annotated[int, Query(ge=0, lt=2**31)]


def status_routes(api: FastAPI, app: App, desk: Desk, texts: Callable[[], Texts]) -> None:
    """Add the routes of files that could not be analysed to `api`."""
    _list_routes(api, app, texts)
    _problem_routes(api, app, desk)


def _list_routes(api: FastAPI, app: App, texts: Callable[[], Texts]) -> None:
    library = app.library

    def page(read: Callable[..., PlacePage], limit: int, offset: int, folder: str | None) -> PlaceProblems:
        found = read(limit=limit, offset=offset, folder=root_meant(folder, app.settings.folders) if folder else None)
        return PlaceProblems(items=tuple(PlaceProblem.of(place, texts()) for place in found.items), total=found.total)

    @api.get("/api/problems")
    async def problems(limit: Limit = 100, offset: Offset = 0, folder: str | None = None) -> PlaceProblems:
        """Files that could not be analysed, newest first; `folder` is a watched folder, including its subfolders."""
        return await asyncio.to_thread(page, library.problems, limit, offset, folder)

    @api.get("/api/online-only")
    async def online_only(limit: Limit = 100, offset: Offset = 0, folder: str | None = None) -> PlaceProblems:
        """Files stored only in a cloud, not analysed until requested."""
        return await asyncio.to_thread(page, library.deferred, limit, offset, folder)

    @api.get("/api/problems/{place_id}")
    async def problem(place_id: Id) -> PlaceProblem:
        place = await asyncio.to_thread(library.place_by_id, place_id)
        if place is None or place.job not in NOT_ANALYSED:
            raise NotFound
        return PlaceProblem.of(place, texts())


def _problem_routes(api: FastAPI, app: App, desk: Desk) -> None:
    @api.post("/api/problems/retry", status_code=204)
    async def retry() -> None:
        await app.problems.retry()

    @api.post("/api/problems/clear", status_code=204)
    async def clear() -> None:
        await app.problems.clear()

    @api.post("/api/online-only/look", status_code=204)
    async def look_at_online_only() -> None:
        await app.problems.fetch()

    @api.post("/api/problems/{place_id}/retry", status_code=204)
    async def retry_one(place_id: Id) -> None:
        if not (await app.problems.retry([place_id]) or await app.problems.fetch(place_id)):
            raise NotFound

    @api.post("/api/problems/{place_id}/clear", status_code=204)
    async def clear_one(place_id: Id) -> None:
        if not await app.problems.clear(place_id):
            raise NotFound

    @api.post("/api/problems/{place_id}/show", status_code=204)
    async def show(place_id: Id) -> None:
        """Show the file in its folder."""
        try:
            path = await app.actions.file_of_problem(place_id)
        except ImageMissing:
            await app.problems.retry([place_id])  # an unwatched folder has no events that would remove the file from the list
            raise
        await desk.show_file(path)


def health_routes(api: FastAPI, app: App, health: Health, version: str, texts: Callable[[], Texts]) -> None:
    """Add the routes of the program's health to `api`."""
    duties: Remembered[FilingDue | None] = Remembered(app.library.version, 1)  # slow in a large library, and opened again and again

    @api.get("/api/health-report")
    async def health_report() -> HealthReport:
        app.monitor.looked()
        models, disk, backup = await asyncio.to_thread(lambda: (health.models(), health.disk(), health.last_backup()))
        filing = await asyncio.to_thread(duties.get, "filing", lambda: to_file(app.library))
        return present_status.health_report(app, models, disk, backup, filing, texts())

    @api.post("/api/doctor")
    async def doctor() -> tuple[FindingOut, ...]:
        found = await asyncio.to_thread(examine, health.checks)
        return tuple(present_status.finding(finding, texts()) for finding in found)

    @api.get("/api/support-bundle", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
    async def support_bundle() -> Response:
        bundle = await asyncio.to_thread(lambda: health.bundle(examine(health.checks)))
        name = {"content-disposition": 'attachment; filename="ai-popup-support.zip"'}
        return Response(bundle, media_type="application/zip", headers=name)

    @api.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def prometheus() -> Response:
        from agent.main.metrics import CONTENT_TYPE, metrics  # 1 MB that most agents never need

        counts = await asyncio.to_thread(app.library.counts)
        return Response(metrics(version, counts, app.monitor, app.tally), headers={"content-type": CONTENT_TYPE})
