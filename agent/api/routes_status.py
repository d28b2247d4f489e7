"""Routes of the Status page: what went wrong with files, how the program fares, what it stands on."""

import asyncio

from fastapi import FastAPI

from agent.api import present
from agent.api.context import Context
from agent.api.schemas import PlaceProblem
from agent.domain.errors import NotFound

PROBLEMS_SHOWN = 200


def status_routes(api: FastAPI, context: Context) -> None:
    """Add them to `api`."""
    _problem_routes(api, context)


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

    @api.post("/api/problems/{place_id}/retry", status_code=204)
    async def retry_one(place_id: int) -> None:
        if not await app.retry_problems([place_id]):
            raise NotFound
