"""Signing in by an OpenID provider: from the button to a session, a link, or an accepted invitation."""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from agent.domain.errors import (
    LastAdministrator,
    LogoutTokenInvalid,
    MemberNameTaken,
    NotAllowedHere,
    NotAMember,
    ProviderOff,
    ProviderRefused,
)
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.core.server_settings import OidcSettings
from agent.server.accounts.challenges import CeremonyKind, ChallengeStore
from agent.server.accounts.members import Members
from agent.server.accounts.oidc.auth_request import Request
from agent.server.accounts.oidc.claims import Statement
from agent.server.accounts.oidc.queries import ProviderQueries
from agent.server.accounts.records import PROVIDER, Member, ProviderLink
from agent.server.accounts.secret_tokens import new_id, new_secret, sha256_of
from agent.server.accounts.sessions import Sessions
from agent.server.accounts.sign_in_names import LONGEST_NAME

if TYPE_CHECKING:
    from agent.server.accounts.oidc.provider import Provider

_TRIES: Final = 20
ANOTHER: Final = "login"
"""what is asked of the provider before an account is linked: an account that is signed in there is not taken silently"""


@dataclass(frozen=True, slots=True)
class Begun:
    """`keep` stays in the page that began: only it can finish."""

    address: str
    keep: str


@dataclass(frozen=True, slots=True)
class Back:
    """What the browser came back with, and what its page kept. `iss` is the provider's own word of who answers, if it gives it."""

    state: str
    keep: str
    code: str = ""
    error: str = ""
    iss: str = ""


@dataclass(frozen=True, slots=True)
class Second:
    """The provider has signed the member in, and their second factor is still missing."""

    state: str
    keep: str
    member: str
    session: str = ""
    """a digest of the provider's own session"""


class ProviderSignIn:
    """`provider` returns the one that the settings name now; None if there is none. `key` derives the secrets of each sign-in."""

    def __init__(
        self,
        queries: ProviderQueries,
        ceremonies: ChallengeStore,
        members: Members,
        sessions: Sessions,
        provider: "Callable[[], Provider | None]",
        key: bytes,
        clock: Callable[[], datetime],
    ) -> None:
        self._queries = queries
        self._ceremonies = ceremonies
        self._members = members
        self._sessions = sessions
        self._provider = provider
        self._key = key
        self._clock = clock

    @property
    def settings(self) -> OidcSettings | None:
        """Of the provider; None if there is none."""
        found = self._provider()
        return found.settings if found else None

    async def begin(self, kind: CeremonyKind, origin: str, address: str, about: str = "") -> Begun:
        """Raises ProviderOff, ProviderUnreachable, ProviderInvalid, TooManyAttempts."""
        provider, keep = self._required(), new_secret()
        await provider.metadata()
        state = await self._ceremonies.begin(kind, address, _bound(keep, about, provider.settings.issuer, origin))
        prompt = ANOTHER if kind is CeremonyKind.PROVIDER_LINK else ""
        return Begun(await provider.address(Request.of(self._key, state, origin), prompt), keep)

    async def finish(self, kind: CeremonyKind, back: Back, origin: str, about: str = "") -> tuple[ProviderLink, Statement]:
        """The account at the provider, and what is said about it.

        Raises CeremonyGone, ProviderOff, ProviderUnreachable, ProviderInvalid, ProviderRefused, IdTokenInvalid, NotAllowedHere.
        """
        provider = self._required()
        await self._ceremonies.use(kind, back.state, _bound(back.keep, about, provider.settings.issuer, origin))
        if back.error or not back.code:
            raise ProviderRefused(error=back.error or "unknown")
        claims = await provider.claims(Request.of(self._key, back.state, origin), back.code, back.iss)
        said, now = Statement(provider.settings, claims), self._clock()
        if not said.may_enter:
            raise NotAllowedHere
        return ProviderLink(said.issuer, said.subject, said.label, now, now), said

    async def member(self, link: ProviderLink, said: Statement) -> Member:
        """Who signs in by the account, in the role of its groups. Raises NotAMember, NotAllowedHere, IdTokenInvalid."""
        member = await asyncio.to_thread(self._queries.linked, link.issuer, link.subject)
        if member is None:
            return await self._made(link, said)
        if member.locked_at is not None:
            return member
        await asyncio.to_thread(self._queries.link_used, link)
        if said.role is None or said.role is member.role:
            return member
        try:
            with acting_as(member.id):
                return await self._members.change(member.id, role=said.role)
        except LastAdministrator:
            return member

    async def ask_second(self, member: Member, session: str | None, address: str) -> Second:
        """Raises TooManyAttempts."""
        keep, named = new_secret(), session or ""
        state = await self._ceremonies.begin(CeremonyKind.PROVIDER_SECOND, address, _bound(keep, member.id, named))
        return Second(state, keep, member.id, named)

    async def check_second(self, second: Second) -> None:
        """Raises CeremonyGone."""
        await self._ceremonies.known(CeremonyKind.PROVIDER_SECOND, second.state, _bound(second.keep, second.member, second.session))

    async def use_second(self, second: Second) -> None:
        """Raises CeremonyGone."""
        await self._ceremonies.use(CeremonyKind.PROVIDER_SECOND, second.state, _bound(second.keep, second.member, second.session))

    async def of(self, member_id: str) -> tuple[ProviderLink, ...]:
        return await asyncio.to_thread(self._queries.links, member_id)

    async def add(self, member_id: str, link: ProviderLink) -> None:
        """Raises IdentityTaken, NotFound."""
        await asyncio.to_thread(self._queries.link, member_id, link)

    async def remove(self, member_id: str, *, issuer: str | None = None, but: int | None = None) -> None:
        """Unlink it, and end the sessions that were opened by it, `but` one. Raises NotFound, LastWayIn."""
        await asyncio.to_thread(lambda: self._queries.unlink(member_id, self._clock(), issuer=issuer))
        await self._sessions.end(member_id, means=PROVIDER, but=but)

    async def sign_out(self, origin: str) -> str | None:
        """Where the browser ends the provider's session, too."""
        provider = self._provider()
        return await provider.sign_out(f"{origin}/") if provider else None

    def session_of(self, said: Statement) -> str | None:
        """What is kept of the provider's own session, by which it ends ours; None if it names none."""
        return self._digest("session", said.issuer, said.session) if said.session else None

    async def has_ended(self, session: str) -> bool:
        """Whether the provider said a short while ago that this session ended."""
        return await asyncio.to_thread(self._queries.ceremony, session, self._clock()) is not None

    async def log_out(self, token: str) -> int:
        """End the sessions that a logout token names; returns how many.

        Raises ProviderOff, ProviderUnreachable, ProviderInvalid, LogoutTokenInvalid.
        """
        over, now = await self._required().ended(token), self._clock()
        session = self._digest("session", over.issuer, over.session) if over.session else None
        used = self._digest("logout token", over.issuer, over.id)
        until = now + timedelta(seconds=over.accepted_s)
        ended = await asyncio.to_thread(self._queries.log_out, used, until, now, issuer=over.issuer, subject=over.subject, session=session)
        if ended is None:
            raise LogoutTokenInvalid(claim="jti")
        self._sessions.ended(ended)
        return len(ended)

    def _digest(self, *words: str) -> str:
        return hmac.digest(self._key, "\n".join(words).encode("utf-8", "surrogatepass"), "sha256").hex()

    async def _made(self, link: ProviderLink, said: Statement) -> Member:
        """A new member. Never one that exists: a name or an e-mail address at the provider proves nothing here."""
        if not said.settings.create_members:
            raise NotAMember
        if not said.may_join:
            raise NotAllowedHere
        name, shown = said.name(), said.display_name()
        for number in range(1, _TRIES + 1):
            called = name if number == 1 else f"{name[: LONGEST_NAME - 3]}-{number}"
            new = Member(new_id(), called, shown, said.first_role, self._clock(), None, None, None, None, None, None)
            try:
                return await asyncio.to_thread(self._queries.add_linked, new, link)
            except MemberNameTaken:
                continue
        raise NotAMember

    def _required(self) -> "Provider":
        found = self._provider()
        if found is None:
            raise ProviderOff
        return found


def _bound(*parts: str) -> str:
    """One hash of all that a state was handed out for; none of the parts holds a line break."""
    return sha256_of("\n".join(parts))
