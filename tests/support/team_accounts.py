"""A team server's accounts in tests: quick password hashes, clocks that stand still, and members who are signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from agent.app.commands_api import guarded
from agent.infrastructure.core.i18n import Texts
from agent.server.accounts.member_auth import MemberAuth
from agent.server.accounts.passwords import Passwords
from agent.server.accounts.queries import AccountQueries
from agent.server.accounts.routes import account_routes
from agent.server.accounts.second_factor import SecondFactor
from agent.server.accounts.service import Accounts, Caller
from agent.server.accounts.sign_in_throttle import SignInAttempts

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from agent.infrastructure.store.database import Database
    from agent.interfaces.web.access import Principal, Role
    from agent.server.accounts.records import Member
    from agent.server.accounts.sessions import OpenedSession

ORIGIN = "https://photos.example:8443"
LOCAL_TOKEN = "local-token"
PASSWORD = "correct horse battery"
HERE = Caller("Firefox", "10.0.0.1")
START = datetime(2026, 11, 29, 10, tzinfo=UTC)


class Team:
    """A server's accounts over a database, and its API. `later` moves both clocks."""

    def __init__(self, database: Database) -> None:
        self.time = START
        self.origins = {ORIGIN}
        self.queries = AccountQueries(database)
        attempts = SignInAttempts(self.queries, lambda: self.time)
        passwords, second_factor = Passwords(memory_kib=8, passes=1), SecondFactor(database.key_for(b"second factors"))
        self.accounts = Accounts(self.queries, passwords, second_factor, attempts, lambda: self.time)
        self.placed: Callable[[Principal, str | None], Principal] = lambda everywhere, _: everywhere
        self.api = self.over()

    def later(self, by: timedelta) -> None:
        self.time += by

    def access(self) -> MemberAuth:
        return MemberAuth(self.accounts, LOCAL_TOKEN, lambda: self.origins, lambda who, chosen: self.placed(who, chosen))

    def over(self) -> FastAPI:
        """An API of the accounts' routes alone."""
        api = guarded(self.access(), "1.2.3", lambda: Texts("en"))
        account_routes(api, self.accounts)
        return api

    def client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.api, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    async def member(self, name: str, role: Role, password: str = PASSWORD) -> SignedInMember:
        """A member who accepted the invitation."""
        made = await self.accounts.members.add(name, name.title(), role)
        invitation = await self.accounts.members.invite(made.id)
        return SignedInMember(made, await self.accounts.accept(invitation.secret, password, None, HERE))

    async def settle(self) -> None:
        """Wait until all uses of sessions and tokens are noted."""
        for notes in (self.accounts.sessions._notes, self.accounts.tokens._notes):
            for note in list(notes):
                await note


@dataclass(frozen=True)
class SignedInMember:
    member: Member
    opened: OpenedSession

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Session {self.opened.key}"}
