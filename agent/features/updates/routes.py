"""Routes of updates: their state and the user's commands."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from fastapi import FastAPI

from agent.features.updates.releases import UpdateState
from agent.features.updates.service import Updates
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Problem


class UpdateOut(Schema):
    step: Literal["off", "current", "available", "ready", "managed"]
    """off: this build has no update server; ready: it is installed at the next quit; managed: `command` installs it"""
    wanted: bool
    """checked automatically"""
    channel: Literal["stable", "beta"]
    version: str | None
    """the newer one"""
    news: str | None
    """the changes, in the program's language"""
    command: str | None
    checked_at: datetime | None
    problem: Problem | None
    """why the check or download failed"""
    outcome: Problem | None
    """of the last installation, if it was rolled back"""


def update_routes(api: FastAPI, updates: Updates, settings: Callable[[], Settings], texts: Callable[[], Texts]) -> None:
    """Add the routes to `api`."""

    def out(state: UpdateState) -> UpdateOut:
        words = texts()
        return UpdateOut.model_validate(
            {
                "step": state.step.value,
                "wanted": settings().updates.enabled,
                "channel": state.channel,
                "version": state.version,
                "news": state.news.get(words.language) or state.news.get("en"),
                "command": state.command,
                "checked_at": state.checked_at,
                "problem": Problem.maybe(state.problem, words),
                "outcome": Problem.maybe(state.outcome, words),
            }
        )

    @api.get("/api/update", openapi_extra=needs(Scope.DESKTOP))
    async def update() -> UpdateOut:
        return out(updates.state)

    @api.post("/api/update/check", openapi_extra=needs(Scope.DESKTOP))
    async def check() -> UpdateOut:
        """Check for updates now."""
        return out(await updates.check())

    @api.post("/api/update/download", openapi_extra=needs(Scope.DESKTOP))
    async def download() -> UpdateOut:
        """Download the update; answers once it is downloaded and verified."""
        return out(await updates.download())

    @api.delete("/api/update/outcome", openapi_extra=needs(Scope.DESKTOP))
    async def dismiss_outcome() -> UpdateOut:
        """Dismiss the notice that an installation was rolled back."""
        return out(await updates.dismiss_outcome())

    @api.post("/api/update/install", status_code=202, openapi_extra=needs(Scope.DESKTOP))
    async def install() -> None:
        """End the program and restart it as the new version."""
        updates.install()
