"""Routes of the Status page: what went wrong with files, how the program fares, what it stands on."""

import asyncio

from fastapi import FastAPI
from fastapi.responses import Response

from agent.api import present, present_status
from agent.api.context import Context
from agent.api.metrics import CONTENT_TYPE, metrics
from agent.api.schemas import PlaceProblem
from agent.api.schemas_status import FindingOut, HealthReport
from agent.app.actions import PROBLEMS_SHOWN
from agent.app.health import examine
from agent.domain.errors import NotFound


def status_routes(api: FastAPI, context: Context) -> None:
    """Add them to `api`."""
    _problem_routes(api, context)
    _health_routes(api, context)


def _problem_routes(api: FastAPI, context: Context) -> None:
    app, library = context.app, context.app.library

    @api.get("/api/problems")
    async def problems() -> tuple[PlaceProblem, ...]:
        places = await asyncio.to_thread(library.problems, limit=PROBLEMS_SHOWN)
        return tuple(present.place_problem(place, context.texts()) for place in places)

    @api.post("/api/problems/retry", status_code=204)
    async def retry() -> None:
        await app.retry_problems()

    @api.post("/api/problems/clear", status_code=204)
    async def clear() -> None:
        await app.clear_problems()

    @api.get("/api/online-only")
    async def online_only() -> tuple[PlaceProblem, ...]:
        places = await asyncio.to_thread(library.deferred, limit=PROBLEMS_SHOWN)
        return tuple(present.place_problem(place, context.texts()) for place in places)

    @api.post("/api/online-only/look", status_code=204)
    async def look_at_online_only() -> None:
        await app.fetch_deferred()

    @api.post("/api/problems/{place_id}/retry", status_code=204)
    async def retry_one(place_id: int) -> None:
        if not (await app.retry_problems([place_id]) or await app.fetch_deferred(place_id)):
            raise NotFound

    @api.post("/api/problems/{place_id}/show", status_code=204)
    async def show(place_id: int) -> None:
        """In its folder."""
        await context.desk.show_file(await app.actions.file_of_problem(place_id))


def _health_routes(api: FastAPI, context: Context) -> None:
    app, health = context.app, context.health

    @api.get("/api/health-report")
    async def health_report() -> HealthReport:
        app.monitor.looked()
        models, disk, backup = await asyncio.to_thread(lambda: (health.models(), health.disk(), health.last_backup()))
        return present_status.health_report(app, models, disk, backup, context.texts())

    @api.post("/api/doctor")
    async def doctor() -> tuple[FindingOut, ...]:
        found = await asyncio.to_thread(examine, health.checks)
        return tuple(present_status.finding(finding, context.texts()) for finding in found)

    @api.get("/api/support-bundle", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
    async def support_bundle() -> Response:
        bundle = await asyncio.to_thread(lambda: health.bundle(examine(health.checks)))
        name = {"content-disposition": 'attachment; filename="ai-popup-support.zip"'}
        return Response(bundle, media_type="application/zip", headers=name)

    @api.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def prometheus() -> Response:
        counts = await asyncio.to_thread(app.library.counts)
        return Response(metrics(context.version, counts, app.monitor, app.tally), headers={"content-type": CONTENT_TYPE})
