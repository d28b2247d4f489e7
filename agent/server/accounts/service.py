"""Accounts of a team server: signing in, invitations, and what members change of their own accounts."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from limits import RateLimitItemPerMinute

from agent.domain.errors import (
    CodeWrong,
    InvitationGone,
    MemberNameInvalid,
    OldPasswordWrong,
    PasskeyWrong,
    SecondFactorOn,
    SecondFactorRequired,
    SignInAgain,
    WrongSignIn,
)
from agent.interfaces.web.client_address import network_of
from agent.server.accounts.challenges import CeremonyKind, ChallengeStore
from agent.server.accounts.members import Members
from agent.server.accounts.passkeys import Credential, NewPasskey, Passkeys, PasskeySite
from agent.server.accounts.passwords import Passwords, checked
from agent.server.accounts.queries import NO_SECOND_FACTOR, AccountQueries
from agent.server.accounts.rate_limits import AddressLimit, RateLimits, RateStorage
from agent.server.accounts.records import PASSKEY, PASSWORD, PROVIDER, Member, ProviderLink
from agent.server.accounts.second_factor import SecondFactor, compact, new_recovery_codes
from agent.server.accounts.secret_tokens import sha256_of
from agent.server.accounts.sessions import MemberSession, OpenedSession, Sessions
from agent.server.accounts.sign_in_names import folded
from agent.server.accounts.sign_in_throttle import SignInAttempts
from agent.server.accounts.tokens import Tokens
from agent.server.accounts.usage_audit import UsageAudit

_INVITATIONS: Final = ""  # what attempts to use made-up ones are counted by: no member has this name
FRESH: Final = timedelta(minutes=10)
REFUSED_LOGOUTS: Final = RateLimitItemPerMinute(60, 1, "refused logouts")


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from."""

    browser: str
    address: str


@dataclass(frozen=True, slots=True)
class SignInProof:
    """A passkey's answer to a challenge, as the browser gave it, and at which address."""

    credential: Credential
    site: PasskeySite


class Accounts:
    """All that a server's routes need of accounts."""

    def __init__(
        self,
        queries: AccountQueries,
        passwords: Passwords,
        second_factor: SecondFactor,
        attempts: SignInAttempts,
        clock: Callable[[], datetime],
    ) -> None:
        self._queries = queries
        self._passwords = passwords
        self._second_factor = second_factor
        self._attempts = attempts
        self._clock = clock
        self.sessions = Sessions(queries, clock)
        self.tokens = Tokens(queries, clock)
        counted = RateStorage(queries, clock)
        self.refused_logouts = AddressLimit(counted, REFUSED_LOGOUTS, clock)
        self.usage_audit = UsageAudit(queries, RateLimits(counted, clock), clock)
        self.members = Members(queries, self.sessions, self.tokens, clock)
        self.ceremonies = ChallengeStore(queries, counted, clock)
        self.passkeys = Passkeys(queries, self.ceremonies, clock)

    async def sign_in(
        self, name: str, password: str, code: str | None, caller: Caller, passkey: SignInProof | None = None
    ) -> OpenedSession:
        """By a password, and a code or a passkey where the account asks for more.

        Raises WrongSignIn, CodeWrong, SecondFactorRequired, TooManyAttempts, CeremonyGone.
        """
        try:
            account = folded(name)
        except MemberNameInvalid:
            account = ""
        await self._begin(account, caller)
        member = await asyncio.to_thread(self._queries.by_name, account)
        right = await self._passwords.matches(password, member.password_hash if member else None)
        if member is None or not right or member.locked_at is not None:
            await self._failed(account, caller, member.id if member else None)
            raise WrongSignIn
        if not await self._second_is_right(member, code, passkey):
            await self._failed(account, caller, member.id)
            raise WrongSignIn if passkey is not None else CodeWrong  # that the password is right was said when the code was asked for
        await self._attempts.succeeded(account, caller.address)
        if member.password_hash is not None and self._passwords.is_outdated(member.password_hash):
            anew = await self._passwords.hash(password)
            await asyncio.to_thread(self._queries.rehash, member.id, member.password_hash, anew)
            member = replace(member, password_hash=anew)
        return await self.sessions.open(member, caller.browser, caller.address)

    async def sign_in_by_passkey(self, passkey: SignInProof, caller: Caller) -> OpenedSession:
        """By a passkey alone: its device has checked who holds it. Raises PasskeyWrong, TooManyAttempts, CeremonyGone."""
        claim = await self.passkeys.claimed(passkey.credential)
        account = f"\0{claim.answer.credential_id.hex()}"  # no member has this name; one bad passkey does not hold up an office
        await self._begin(account, caller)
        proven = await self.passkeys.proves(claim, CeremonyKind.PASSKEY_SIGN_IN, passkey.site)
        member = await asyncio.to_thread(self._queries.member_if_any, proven) if proven else None
        if member is None or member.locked_at is not None:
            await self._failed(account, caller, claim.member_id)
            raise PasskeyWrong
        await self._attempts.succeeded(account, caller.address)
        return await self.sessions.open(member, caller.browser, caller.address, PASSKEY)

    async def invitation(self, secret: str, caller: Caller) -> tuple[Member, datetime]:
        """The invited member, and until when. Raises InvitationGone, TooManyAttempts."""
        await self._attempts.begin(_INVITATIONS, caller.address)
        found = await asyncio.to_thread(self._queries.invited, sha256_of(secret), self._clock())
        if found is None:
            await self._attempts.failed(_INVITATIONS, caller.address)
            raise InvitationGone
        await self._attempts.succeeded(_INVITATIONS, caller.address)
        return found

    async def accept(
        self, secret: str, password: str, code: str | None, caller: Caller, passkey: SignInProof | None = None
    ) -> OpenedSession:
        """Set the password, end the member's other sessions, and sign in.

        A member with a second factor shows it, too: the link alone must not take over the account.

        Raises InvitationGone, PasswordShort and its siblings, SecondFactorRequired, CodeWrong, TooManyAttempts.
        """
        member, _ = await self.invitation(secret, caller)
        checked(password, member.name, member.display_name)
        await self.check_second(member, code, caller, passkey)
        anew = await self._passwords.hash(password)
        return await self._accepted(secret, caller, PASSWORD, password_hash=anew)

    async def accept_by_passkey(
        self, secret: str, new: NewPasskey, site: PasskeySite, caller: Caller, code: str | None = None, passkey: SignInProof | None = None
    ) -> OpenedSession:
        """Make a passkey in place of a password, end the member's other sessions, and sign in.

        Raises InvitationGone, SecondFactorRequired, CodeWrong, PasskeyUnusable, CeremonyGone, TooManyAttempts.
        """
        member, _ = await self.invitation(secret, caller)
        await self.check_second(member, code, caller, passkey)
        made = await self.passkeys.made(new, CeremonyKind.PASSKEY_INVITATION, sha256_of(secret), site)
        return await self._accepted(secret, caller, PASSKEY, new_passkey=made)

    async def accept_by_link(self, secret: str, link: ProviderLink, caller: Caller, provider_session: str | None) -> OpenedSession:
        """Link an account at a provider in place of a password, the second factor being shown. Raises InvitationGone, IdentityTaken."""
        return await self._accepted(secret, caller, PROVIDER, provider_session, link=link)

    async def _accepted(self, secret: str, caller: Caller, means: str, provider_session: str | None = None, **ways: Any) -> OpenedSession:
        accept = partial(self._queries.accept, sha256_of(secret), ways.pop("password_hash", None), self._clock(), **ways)
        accepted = await asyncio.to_thread(accept)
        if accepted is None:
            raise InvitationGone
        self.sessions.reload(accepted.id)
        return await self.sessions.open(accepted, caller.browser, caller.address, means, provider_session)

    async def prove(self, member_id: str, password: str | None, session: MemberSession, caller: Caller) -> Member:
        """Before a change of how one signs in, or a new token: the password, or for a member without one a session opened just now.

        Raises OldPasswordWrong, SignInAgain, TooManyAttempts.
        """
        member = await self.members.get(member_id)
        if member.password_hash is None:
            if self._clock() - session.record.opened_at > FRESH:
                raise SignInAgain
            return member
        await self._begin(member.name, caller)
        if not await self._passwords.matches(password or "", member.password_hash):
            await self._failed(member.name, caller, member.id)
            raise OldPasswordWrong
        await self._attempts.succeeded(member.name, caller.address)
        return member

    async def change_password(self, member_id: str, old: str, new: str, *, keep: int | None, caller: Caller) -> None:
        """Also ends the member's other sessions: all but number `keep`. Raises OldPasswordWrong, PasswordShort, …, TooManyAttempts."""
        member = await self.members.get(member_id)
        await self._begin(member.name, caller)
        if member.password_hash is None or not await self._passwords.matches(old, member.password_hash):
            await self._failed(member.name, caller, member.id)
            raise OldPasswordWrong
        await self._attempts.succeeded(member.name, caller.address)
        checked(new, member.name, member.display_name)
        anew = await self._passwords.hash(new)
        if not await asyncio.to_thread(self._queries.set_password, member.id, member.password_hash, anew, self._clock()):
            raise OldPasswordWrong  # by another request meanwhile
        await self.sessions.end(member.id, but=keep)

    # -- the second factor -------------------------------------------------------------------------------------------------------
    async def begin_second_factor(self, member_id: str) -> tuple[str, str]:
        """A secret and its address for authenticator apps; in use only once confirmed. Raises SecondFactorOn."""
        member = await self.members.get(member_id)
        if member.second_factor:
            raise SecondFactorOn
        secret, stored = self._second_factor.new_secret(member.id)
        await asyncio.to_thread(self._queries.begin_second_factor, member.id, stored)
        return secret, self._second_factor.uri(secret, member.name)

    async def confirm_second_factor(self, member_id: str, code: str, caller: Caller) -> tuple[str, ...]:
        """Put it in use; returns the recovery codes, shown this once. Raises CodeWrong, SecondFactorOn, TooManyAttempts."""
        member, now = await self.members.get(member_id), self._clock()
        if member.second_factor:
            raise SecondFactorOn
        await self._begin(member.name, caller)
        step = member.totp_secret and self._second_factor.step(member.totp_secret, member.id, code, now, None)
        if not isinstance(step, int):
            await self._failed(member.name, caller, member.id)
            raise CodeWrong
        await self._attempts.succeeded(member.name, caller.address)
        codes = new_recovery_codes()
        hashes = [sha256_of(compact(each)) for each in codes]
        await asyncio.to_thread(self._queries.confirm_second_factor, member.id, step, hashes, now)
        return codes

    async def end_second_factor(self, member_id: str, code: str, caller: Caller) -> None:
        """Switch it off, with one of its codes. Raises CodeWrong, TooManyAttempts."""
        member = await self.members.get(member_id)
        if not member.second_factor:
            return
        await self._check_code(member, code, caller)
        await asyncio.to_thread(self._queries.change, member.id, NO_SECOND_FACTOR, self._clock())

    async def recovery_codes(self, member: Member) -> int:
        """How many of them are left."""
        return await asyncio.to_thread(self._queries.recovery_codes, member.id) if member.second_factor else 0

    async def _check_code(self, member: Member, code: str, caller: Caller) -> None:
        """Raises CodeWrong, TooManyAttempts."""
        await self._begin(member.name, caller)
        if not await self._code_is_right(member, code):
            await self._failed(member.name, caller, member.id)
            raise CodeWrong
        await self._attempts.succeeded(member.name, caller.address)

    async def check_second(self, member: Member, code: str | None, caller: Caller, passkey: SignInProof | None) -> None:
        """Raises SecondFactorRequired, CodeWrong, TooManyAttempts, CeremonyGone."""
        if not member.needs_second_factor:
            return
        if code is None and passkey is None:
            raise _required(member)
        await self._begin(member.name, caller)
        if not await self._second_is_right(member, code, passkey):
            await self._failed(member.name, caller, member.id)
            raise CodeWrong
        await self._attempts.succeeded(member.name, caller.address)

    async def _second_is_right(self, member: Member, code: str | None, passkey: SignInProof | None) -> bool:
        """Whether a code or a passkey shows what the account asks for beside the password. Raises SecondFactorRequired, CeremonyGone."""
        if not member.needs_second_factor:
            return True
        if passkey is not None:
            claim = await self.passkeys.claimed(passkey.credential)
            return await self.passkeys.proves(claim, CeremonyKind.PASSKEY_SECOND, passkey.site) == member.id
        if code is None or not member.second_factor:
            raise _required(member)
        return await self._code_is_right(member, code)

    async def _code_is_right(self, member: Member, code: str) -> bool:
        """Whether it is the app's code or a recovery code; either is used up."""
        if member.totp_secret is None:
            return False
        step = self._second_factor.step(member.totp_secret, member.id, code, self._clock(), member.totp_step)
        if step is not None:
            return await asyncio.to_thread(self._queries.use_step, member.id, step)
        return await asyncio.to_thread(self._queries.use_recovery_code, member.id, sha256_of(compact(code)))

    async def _begin(self, account: str, caller: Caller) -> None:
        """Count an attempt; one that is slowed down is recorded as failed, because it may be a guess. Raises TooManyAttempts."""

        async def slowed() -> None:
            member = await asyncio.to_thread(self._queries.by_name, account)
            self.usage_audit.slowed(member.id if member else None, network_of(caller.address))

        await self._attempts.begin(account, caller.address, slowed)

    async def _failed(self, account: str, caller: Caller, member_id: str | None) -> None:
        """Count and record a failed attempt to show who one is."""
        await self._attempts.failed(account, caller.address)
        await self.note_failed(member_id, caller)

    async def note_failed(self, member_id: str | None, caller: Caller) -> None:
        """Record a failed sign-in; `member_id` is None if the account is unknown."""
        await asyncio.to_thread(self._queries.sign_in_failed, member_id, self._clock(), network_of(caller.address))


def _required(member: Member) -> SecondFactorRequired:
    return SecondFactorRequired(code=int(member.second_factor), passkey=int(member.passkeys > 0))
