"""Every route says what it is about, and each role gets what is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import MagicMock

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from agent.app.commands_api import guarded
from agent.app.server.features import add_routes
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import LOCAL, SCOPES, TOKEN_SCOPES, Role, Scope, scopes_of
from agent.interfaces.web.guard import OPEN, LocalAccess
from agent.interfaces.web.local_auth import Auth
from agent.interfaces.web.scoped_route import declared

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tests.unit.interfaces.web.conftest import Served

# Not ours, and without data: the description of the API, which is in every checkout.
DESCRIPTION = "/openapi.json"


def routes_of(api: FastAPI) -> list[APIRoute]:
    """All routes; fails on a kind that declares no scope."""
    found: list[APIRoute] = []
    for route in api.routes:
        if isinstance(route, APIRoute):
            found.append(route)
        else:
            assert isinstance(route, Mount) or (isinstance(route, Route) and route.path == DESCRIPTION), route
            assert isinstance(route, Route) or OPEN.fullmatch(f"{route.path}/app.js"), route
    return found


def everywhere(served: Served) -> list[APIRoute]:
    """The routes of the desktop agent, and those that only a team server has."""
    server = guarded(LocalAccess(Auth(lambda: 0.0), lambda: 1), "1", lambda: Texts("en"))
    add_routes(server, MagicMock())
    return [*routes_of(served.api), *routes_of(server)]


def test_every_route_declares_its_scope(served: Served) -> None:
    found = everywhere(served)
    assert len(found) > 130
    undeclared = [f"{route.methods} {route.path}" for route in found if declared(route) is None]
    assert undeclared == [], "openapi_extra=needs(Scope.…) is missing"


def test_open_routes_are_those_of_the_guards_list(served: Served) -> None:
    for route in everywhere(served):
        path = route.path.replace("{", "").replace("}", "")
        assert (declared(route) is Scope.OPEN) == bool(OPEN.fullmatch(path)), route.path


def test_the_users_own_computer_gives_every_right() -> None:
    assert LOCAL.scopes == frozenset(Scope) - {Scope.OPEN}


def test_no_role_reaches_the_servers_own_desktop() -> None:
    assert all(Scope.DESKTOP not in SCOPES[role] for role in Role)
    assert SCOPES[Role.ADMINISTRATOR] == frozenset(Scope) - {Scope.DESKTOP, Scope.OPEN}


def test_an_auditor_sees_the_record_and_no_photo() -> None:
    assert SCOPES[Role.AUDITOR] == {Scope.SELF, Scope.STATUS_READ, Scope.RECORD_READ, Scope.INCIDENTS_READ}


@pytest.mark.parametrize("role", Role)
def test_only_administrators_manage_members_and_settings(role: Role) -> None:
    managing = {Scope.MEMBERS_MANAGE, Scope.SETTINGS_READ, Scope.SETTINGS_WRITE, Scope.WORKERS_MANAGE, Scope.SYSTEM_READ}
    assert bool(SCOPES[role] & managing) == (role is Role.ADMINISTRATOR)


@pytest.mark.parametrize("role", Role)
def test_a_token_has_at_most_what_its_member_has_and_never_manages_accounts(role: Role) -> None:
    assert scopes_of(role, [each.value for each in Scope]) == SCOPES[role] & TOKEN_SCOPES
    assert not scopes_of(role, [Scope.SELF, Scope.MEMBERS_MANAGE, "made.up"])
    assert scopes_of(role, [Scope.STATUS_READ]) == {Scope.STATUS_READ}


async def test_a_route_without_a_scope_refuses_even_the_owner() -> None:
    auth = Auth(lambda: 0.0)
    api = guarded(LocalAccess(auth, lambda: 1), "1", lambda: Texts("en"))

    @api.get("/api/forgotten")
    async def forgotten() -> None: ...

    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:1", headers={"authorization": f"Bearer {auth.token}"}
    ) as owner:
        answer = await owner.get("/api/forgotten")
    assert (answer.status_code, answer.json()["code"]) == (403, "access.forbidden")


@pytest.mark.parametrize(
    "key", ["cover_page.look_first_publish", "errors.redact.approval_awaited.remedy", "settings.consent.second_person.help"]
)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_texts_about_copies_for_publishing_name_the_roles_that_approve_them(language: str, key: str) -> None:
    texts = Texts(language)
    named = {role for role in Role if texts(f"team_page.roles.{role}").casefold() in texts(key).casefold()}
    assert named == {role for role in Role if Scope.REDACTION_WRITE in SCOPES[role]}
