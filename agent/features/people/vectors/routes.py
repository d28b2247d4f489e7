"""The route that tells how a server finds faces."""

from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import FastAPI

from agent.features.people.vectors.vector_rows import IndexState
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schema_base import Schema


class SearchIndex(Schema):
    """`exact`: every face is compared; `building`: still so, until the index is there; `index`: it is used."""

    faces: int
    state: Literal["exact", "building", "index"]
    progress: float | None
    """0 to 1, while it is being built"""

    @classmethod
    def of(cls, state: IndexState) -> "SearchIndex":
        building = state.built is False or state.progress is not None
        return cls(faces=state.faces, state="building" if building else "index" if state.built else "exact", progress=state.progress)


def vector_routes(api: FastAPI, state: Callable[[], Awaitable[IndexState]]) -> None:
    """Add the routes to `api`."""

    @api.get("/api/search/index", openapi_extra=needs(Scope.STATUS_READ))
    async def search_index() -> SearchIndex:
        """Return how many faces can be found, and whether by an index."""
        return SearchIndex.of(await state())
