"""A server's answers for its operator: `/live`, `/ready` and `/metrics`, on a port of their own."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import structlog

from agent.app.server.metrics.server import ServerFigures
from agent.app.server.readiness import OK, Readiness
from agent.domain.errors import StoreError
from agent.infrastructure.core.abandonable_calls import begin
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.interfaces.web.access import Scope
from agent.interfaces.web.probe_server import Answer, Asked

log = structlog.get_logger()

T = TypeVar("T")

SHORTEST_TOKEN: Final = 16
_BEARER: Final = "Bearer "
_JSON: Final = "application/json"

# Whether an API token has a scope. Raises StoreError.
HasScope = Callable[[str, Scope], Awaitable[bool]]


class Operations:
    """Lives as long as the process; the database comes and goes with each run of the server's loop."""

    def __init__(
        self, readiness: Readiness, settings: Callable[[], Settings], draining: Callable[[], bool], figures: ServerFigures
    ) -> None:
        self.database: Database | None = None
        self.has_scope: HasScope | None = None
        self.figures = figures
        self._readiness = readiness
        self._settings = settings
        self._draining = draining

    async def respond(self, asked: Asked) -> Answer:
        """Implements `Responder`."""
        match asked.path:
            case "/live":
                return Answer(200, b"ok\n")
            case "/ready":
                return await self._ready()
            case "/metrics":
                return await self._metrics(asked.authorization)
        return Answer(404)

    def end(self) -> None:
        """Let go of what belongs to a run that ended."""
        self.database = self.has_scope = None
        self.figures.end()

    async def _ready(self) -> Answer:
        checks = await self._readiness.look(self.database)
        draining = self._draining()
        ready = not draining and all(found == OK for found in checks.values())
        told = {"ready": ready, "checks": {**checks, "draining": draining}}
        return Answer(200 if ready else 503, json.dumps(told).encode() + b"\n", _JSON)

    async def _metrics(self, authorization: str) -> Answer:
        shown = authorization.removeprefix(_BEARER).strip() if authorization.startswith(_BEARER) else ""
        try:
            if not shown or not (await _aside(partial(self._is_of_file, shown)) or await self._may_read(shown)):
                return Answer(401)
        except StoreError:  # the database that knows the tokens doesn't answer
            return Answer(503)
        # Beside each other, so that a scrape ends in time though the database hangs.
        checks, _ = await asyncio.gather(self._readiness.look(self.database), _aside(self.figures.look))
        kind, content = await _aside(partial(self.figures.render, checks, self._draining()))
        return Answer(200, content, kind)

    def _is_of_file(self, shown: str) -> bool:
        token = token_in(self._settings().server.metrics_token_file)
        return token is not None and secrets.compare_digest(token.encode(), shown.encode())

    async def _may_read(self, shown: str) -> bool:
        return self.has_scope is not None and await self.has_scope(shown, Scope.METRICS_READ)


async def _aside(work: Callable[[], T]) -> T:
    """In a thread of its own: the loop's are few, and a database that hangs takes them all."""
    return await asyncio.wrap_future(begin(work))


def token_in(path: str) -> str | None:
    """The token in a file, read anew so that it can be replaced; None without one that is long enough. Blocks."""
    if not path:
        return None
    try:
        token = Path(path).expanduser().read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        log.warning("metrics.token_unreadable")
        return None
    if len(token) < SHORTEST_TOKEN:
        log.warning("metrics.token_short", least=SHORTEST_TOKEN)
        return None
    return token
