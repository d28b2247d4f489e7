"""Accounts of a team server: signing in, invitations, and what members change of their own accounts."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from agent.accounts.footprints import Footprints
from agent.accounts.members import Members
from agent.accounts.names import folded
from agent.accounts.passwords import Passwords, checked
from agent.accounts.queries import NO_SECOND_FACTOR, AccountQueries
from agent.accounts.rates import Rates
from agent.accounts.records import Member
from agent.accounts.second_factor import SecondFactor, compact, new_recovery_codes
from agent.accounts.secret_words import sha256_of
from agent.accounts.sessions import Opened, Sessions
from agent.accounts.sign_in_attempts import Attempts, network_of
from agent.accounts.tokens import Tokens
from agent.domain.errors import (
    CodeWrong,
    InvitationGone,
    MemberNameInvalid,
    OldPasswordWrong,
    SecondFactorOn,
    SecondFactorRequired,
    WrongSignIn,
)

_INVITATIONS: Final = ""  # what attempts to use made-up ones are counted by: no member has this name


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from."""

    browser: str
    address: str


class Accounts:
    """All that a server's routes need of accounts."""

    def __init__(
        self, queries: AccountQueries, passwords: Passwords, second_factor: SecondFactor, attempts: Attempts, clock: Callable[[], datetime]
    ) -> None:
        self._queries = queries
        self._passwords = passwords
        self._second_factor = second_factor
        self._attempts = attempts
        self._clock = clock
        self.sessions = Sessions(queries, clock)
        self.tokens = Tokens(queries, clock)
        self.footprints = Footprints(queries, Rates(), clock)
        self.members = Members(queries, self.sessions, self.tokens, clock)

    async def sign_in(self, name: str, password: str, code: str | None, caller: Caller) -> Opened:
        """Raises WrongSignIn, SecondFactorRequired, TooManyAttempts."""
        try:
            account = folded(name)
        except MemberNameInvalid:
            account = ""
        self._attempts.begin(account, caller.address)
        member = await asyncio.to_thread(self._queries.by_name, account)
        right = await self._passwords.matches(password, member.password_hash if member else None)
        if member is None or not right or member.locked_at is not None:
            await self._failed(account, caller, member.id if member else None)
            raise WrongSignIn
        if member.second_factor:
            if code is None:
                raise SecondFactorRequired
            if not await self._code_is_right(member, code):
                await self._failed(account, caller, member.id)
                raise WrongSignIn
        self._attempts.succeeded(account, caller.address)
        if member.password_hash is not None and self._passwords.is_outdated(member.password_hash):
            anew = await self._passwords.hash(password)
            await asyncio.to_thread(self._queries.rehash, member.id, member.password_hash, anew)
            member = replace(member, password_hash=anew)
        return await self.sessions.open(member, caller.browser, caller.address)

    async def invitation(self, secret: str, caller: Caller) -> tuple[Member, datetime]:
        """The invited member, and until when. Raises InvitationGone, TooManyAttempts."""
        self._attempts.begin(_INVITATIONS, caller.address)
        found = await asyncio.to_thread(self._queries.invited, sha256_of(secret), self._clock())
        if found is None:
            self._attempts.failed(_INVITATIONS, caller.address)
            raise InvitationGone
        self._attempts.succeeded(_INVITATIONS, caller.address)
        return found

    async def accept(self, secret: str, password: str, code: str | None, caller: Caller) -> Opened:
        """Set the password, end the member's other sessions, and sign in.

        A member with a second factor shows its code, too: the link alone must not take over the account.

        Raises InvitationGone, PasswordShort and its siblings, SecondFactorRequired, CodeWrong, TooManyAttempts.
        """
        member, _ = await self.invitation(secret, caller)
        checked(password, member.name, member.display_name)
        if member.second_factor:
            if code is None:
                raise SecondFactorRequired
            await self._check_code(member, code, caller)
        anew = await self._passwords.hash(password)
        accepted = await asyncio.to_thread(self._queries.accept, sha256_of(secret), anew, self._clock())
        if accepted is None:
            raise InvitationGone
        self.sessions.reload(accepted.id)
        return await self.sessions.open(accepted, caller.browser, caller.address)

    async def change_password(self, member_id: str, old: str, new: str, *, keep: int | None, caller: Caller) -> None:
        """Also ends the member's other sessions: all but number `keep`. Raises OldPasswordWrong, PasswordShort, …, TooManyAttempts."""
        member = await self.members.get(member_id)
        self._attempts.begin(member.name, caller.address)
        if member.password_hash is None or not await self._passwords.matches(old, member.password_hash):
            await self._failed(member.name, caller, member.id)
            raise OldPasswordWrong
        self._attempts.succeeded(member.name, caller.address)
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
        self._attempts.begin(member.name, caller.address)
        step = member.totp_secret and self._second_factor.step(member.totp_secret, member.id, code, now, None)
        if not isinstance(step, int):
            await self._failed(member.name, caller, member.id)
            raise CodeWrong
        self._attempts.succeeded(member.name, caller.address)
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

    async def _check_code(self, member: Member, code: str, caller: Caller) -> None:
        """Raises CodeWrong, TooManyAttempts."""
        self._attempts.begin(member.name, caller.address)
        if not await self._code_is_right(member, code):
            await self._failed(member.name, caller, member.id)
            raise CodeWrong
        self._attempts.succeeded(member.name, caller.address)

    async def _code_is_right(self, member: Member, code: str) -> bool:
        """Whether it is the app's code or a recovery code; either is used up."""
        if member.totp_secret is None:
            return False
        step = self._second_factor.step(member.totp_secret, member.id, code, self._clock(), member.totp_step)
        if step is not None:
            return await asyncio.to_thread(self._queries.use_step, member.id, step)
        return await asyncio.to_thread(self._queries.use_recovery_code, member.id, sha256_of(compact(code)))

    async def _failed(self, account: str, caller: Caller, member_id: str | None) -> None:
        """Count and record a failed attempt to show who one is."""
        self._attempts.failed(account, caller.address)
        await asyncio.to_thread(self._queries.sign_in_failed, member_id, self._clock(), network_of(caller.address))
