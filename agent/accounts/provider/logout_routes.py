"""The route by which the provider says that a session ended. It has the answers of its specification, not ours."""

from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from agent.accounts.callers import From
from agent.accounts.provider.logout import ProviderLogout, token_of
from agent.accounts.provider.request import LOGOUT
from agent.domain.errors import AccountError, AgentError, BadRequest, TooManyAttempts
from agent.web.access import Scope, needs
from agent.web.request_counts import note_code

_SCHEMA: Final = {"type": "object", "required": ["logout_token"], "properties": {"logout_token": {"type": "string"}}}
_BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _SCHEMA}}}}
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {400: {"description": "The token was refused, or the sessions could not be ended."}}
_HEADERS: Final = {"cache-control": "no-store"}


def logout_routes(api: FastAPI, logout: ProviderLogout) -> None:
    """Add it to `api`."""

    @api.post(LOGOUT, response_class=Response, responses=_REFUSED, openapi_extra=_BODY | needs(Scope.OPEN))
    async def log_out(request: Request, caller: From) -> Response:
        """End the sessions that the provider's logout token names (OpenID Connect Back-Channel Logout 1.0)."""
        try:
            await logout.end(token_of(request.headers.get("content-type", ""), await request.body()))
        except TooManyAttempts:
            raise
        except (AccountError, BadRequest) as error:
            await logout.refused(caller.address, error.code, _claim(error))
            note_code(request.scope, error.code)
            # Which check failed is no secret, and helps those who set it up.
            told = {"error": "invalid_request", "error_description": f"{error.code} {_claim(error)}".strip()}
            return JSONResponse(told, 400, _HEADERS)
        return Response(headers=_HEADERS)


def _claim(error: AgentError) -> str:
    return str(error.params.get("claim", ""))
