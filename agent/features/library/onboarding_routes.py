"""Routes of the first run: information for a new user, and the choices so far."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from fastapi import FastAPI
from pydantic import ValidationError

from agent.domain.errors import AgentError
from agent.domain.path_text import printable
from agent.features.library.folder_schemas import FirstRun, RecoveryCode, WelcomeChoices
from agent.features.library.onboarding import Onboarding
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import Scope, needs


def first_run_routes(
    api: FastAPI,
    beginning: Onboarding,
    code: Callable[[], str],
    suggested: Callable[[], tuple[str, ...]],
    texts: Callable[[], Texts],
) -> None:
    """Add the routes to `api`.

    `code` returns the recovery code and raises KeyHomeError or StoreError; `suggested` are likely photo folders. Both block.
    """

    @api.get("/api/first-run", openapi_extra=needs(Scope.DESKTOP))
    async def first_run() -> FirstRun:
        known: str | None = None
        with suppress(AgentError):  # the keyring may be locked: the code can be shown later
            known = await asyncio.to_thread(code)
        return FirstRun(
            needed=await asyncio.to_thread(beginning.needed),
            recognition_terms=texts()("models.mobilefacenet.terms"),
            recovery_code=known,
            suggested=tuple(map(printable, await asyncio.to_thread(suggested))),
            chosen=_choices(await asyncio.to_thread(beginning.chosen)),
        )

    @api.put("/api/first-run", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def keep(body: WelcomeChoices) -> None:
        """Store the choices so far, for a later return."""
        await asyncio.to_thread(beginning.keep, body.model_dump_json())

    @api.post("/api/first-run/done", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def done() -> None:
        await asyncio.to_thread(beginning.done)

    @api.get("/api/recovery-code", openapi_extra=needs(Scope.DESKTOP))
    async def recovery_code() -> RecoveryCode:
        return RecoveryCode(code=await asyncio.to_thread(code))


def _choices(kept: str | None) -> WelcomeChoices | None:
    """Return the choices; None if there are none, or another version wrote them."""
    if kept is None:
        return None
    try:
        return WelcomeChoices.model_validate_json(kept)
    except ValidationError:
        return None
