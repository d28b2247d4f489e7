"""The members of a team: who is one, in which role, and their invitations."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from agent.infrastructure.core.access_scope import current_scope
from agent.interfaces.web.access import Role
from agent.server.accounts.queries import NO_SECOND_FACTOR, MemberQueries
from agent.server.accounts.records import Member, MemberOverview
from agent.server.accounts.secret_tokens import new_id, new_secret, sha256_of
from agent.server.accounts.sessions import Sessions
from agent.server.accounts.sign_in_names import folded, shown
from agent.server.accounts.tokens import Tokens

INVITED_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invitation:
    """`secret` is shown this once; `path` is what follows the server's address: a fragment, which no log sees."""

    secret: str
    expires_at: datetime

    @property
    def path(self) -> str:
        return f"/#invitation/{self.secret}"


class Members:
    def __init__(self, queries: MemberQueries, sessions: Sessions, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self._queries = queries
        self._sessions = sessions
        self._tokens = tokens
        self._clock = clock

    def now(self) -> datetime:
        return self._clock()

    async def list(self) -> tuple[MemberOverview, ...]:
        """All members by name."""
        return await asyncio.to_thread(self._queries.members)

    async def recorded(self) -> tuple[MemberOverview, ...]:
        """Return the members in the record that the caller may read: all, or those in the entries within reach."""
        reach, everyone = current_scope(), await self.list()
        if reach is None or reach.audits_all:
            return everyone
        met = await asyncio.to_thread(self._queries.recorded)
        return tuple(each for each in everyone if each.member.id in met)

    async def get(self, member_id: str) -> Member:
        """Raises NotFound."""
        return await asyncio.to_thread(self._queries.member, member_id)

    async def add(self, name: str, display_name: str, role: Role) -> Member:
        """A member who can sign in once invited. Raises MemberNameInvalid, MemberNameTaken."""
        new = Member(new_id(), folded(name), shown(display_name), role, self._clock(), None, None, None, None, None, None)
        await asyncio.to_thread(self._queries.add, new)
        return new

    async def change(
        self,
        member_id: str,
        *,
        role: Role | None = None,
        display_name: str | None = None,
        locked: bool | None = None,
        second_factor: bool | None = None,
    ) -> Member:
        """Change what is not None; it holds from the next request on. `second_factor` can only be False: for a lost phone.

        Raises NotFound, LastAdministrator, MemberNameInvalid.
        """
        values: dict[str, Any] = {}
        if role is not None:
            values["role"] = role.value
        if display_name is not None:
            values["display_name"] = shown(display_name)
        if locked is not None:
            values["locked_at"] = self._clock() if locked else None
        if second_factor is False:
            values |= NO_SECOND_FACTOR
        drop = second_factor is False  # passkeys are asked for beside a password, too
        changed = await asyncio.to_thread(lambda: self._queries.change(member_id, values, self._clock(), drop_passkeys=drop))
        self.reload(member_id)
        return changed

    async def remove(self, member_id: str) -> None:
        """Raises NotFound, LastAdministrator."""
        await asyncio.to_thread(self._queries.remove, member_id, self._clock())
        self.reload(member_id)

    async def invite(self, member_id: str) -> Invitation:
        """A link to set the password or make a passkey, for a new member or one who lost theirs; earlier links end. Raises NotFound."""
        now = self._clock()
        made = Invitation(new_secret(), now + INVITED_FOR)
        await asyncio.to_thread(self._queries.invite, member_id, sha256_of(made.secret), made.expires_at, now)
        return made

    def reload(self, member_id: str | None = None) -> None:
        """End what goes on with the rights that the member, or any, had before."""
        self._sessions.reload(member_id)
        self._tokens.reload(member_id)
