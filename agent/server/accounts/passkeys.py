"""Passkeys: making them, and what one that is shown proves."""

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.domain.errors import PasskeysNeedName, PasskeyUnusable, PasskeyWrong
from agent.server.accounts import passkey_checks
from agent.server.accounts.challenges import CeremonyKind, ChallengeStore
from agent.server.accounts.passkey_queries import PasskeyQueries
from agent.server.accounts.records import Member, Passkey
from agent.server.accounts.secret_tokens import new_id
from agent.server.accounts.sign_in_names import shown as tidy

Credential = dict[str, Any]  # as the browser's `toJSON` gives it


@dataclass(frozen=True, slots=True)
class PasskeySite:
    """The address at which a page is open, such as `https://photos.example:8443`, which the guard has checked."""

    origin: str
    host: str

    @property
    def has_name(self) -> bool:
        """Whether browsers make passkeys for it: they do for names, never for addresses."""
        try:
            ipaddress.ip_address(self.host.strip("[]"))
        except ValueError:
            return bool(self.host)
        return False

    def named(self) -> str:
        """Raises PasskeysNeedName."""
        if not self.has_name:
            raise PasskeysNeedName
        return self.host


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What the browser made, and how the member calls it."""

    name: str
    credential: Credential


class Passkeys:
    def __init__(self, queries: PasskeyQueries, ceremonies: ChallengeStore, clock: Callable[[], datetime]) -> None:
        self._queries = queries
        self._ceremonies = ceremonies
        self._clock = clock

    async def of(self, member_id: str) -> tuple[Passkey, ...]:
        return await asyncio.to_thread(self._queries.passkeys, member_id)

    async def ask(self, site: PasskeySite, address: str, *, second: bool) -> Credential:
        """Options for signing in: by a passkey alone, or by one as the `second` factor. Raises PasskeysNeedName, TooManyAttempts."""
        host = site.named()
        secret = await self._ceremonies.begin(CeremonyKind.PASSKEY_SECOND if second else CeremonyKind.PASSKEY_SIGN_IN, address)
        return passkey_checks.request_options(host, secret, verified=not second)

    async def begin(self, member: Member, kind: CeremonyKind, about: str, site: PasskeySite, address: str) -> Credential:
        """Options for a new passkey. Raises PasskeysNeedName, TooManyAttempts."""
        host = site.named()
        secret = await self._ceremonies.begin(kind, address, about)
        return passkey_checks.creation_options(host, secret, member, await self.of(member.id))

    async def made(self, new: NewPasskey, kind: CeremonyKind, about: str, site: PasskeySite) -> Passkey:
        """A passkey to be kept. Raises PasskeysNeedName, PasskeyUnusable, CeremonyGone, MemberNameInvalid."""
        host, name = site.named(), tidy(new.name)
        try:
            challenge = passkey_checks.challenge_of(new.credential)
            await self._ceremonies.use(kind, challenge, about)
            facts = await asyncio.to_thread(passkey_checks.made, new.credential, challenge, host, site.origin)
        except passkey_checks.Refused as error:
            raise PasskeyUnusable from error
        return Passkey(new_id(), facts.credential_id, facts.public_key, facts.sign_count, host, name, facts.synced, self._clock())

    async def keep(self, member_id: str, made: Passkey) -> None:
        """Raises PasskeysTooMany, PasskeyUnusable."""
        await asyncio.to_thread(self._queries.keep_passkey, member_id, made)

    async def rename(self, member_id: str, passkey_id: str, name: str) -> None:
        """Raises NotFound, MemberNameInvalid."""
        await asyncio.to_thread(self._queries.rename_passkey, member_id, passkey_id, tidy(name))

    async def remove(self, member: Member, passkey_id: str) -> None:
        """Raises NotFound, LastWayIn."""
        await asyncio.to_thread(self._queries.remove_passkey, member, passkey_id, self._clock())

    async def claimed(self, credential: Credential) -> "Claim":
        """Which passkey an answer claims to be of. Raises PasskeyWrong."""
        try:
            answer = passkey_checks.shown(credential)
        except passkey_checks.Refused as error:
            raise PasskeyWrong from error
        return Claim(answer, await asyncio.to_thread(self._queries.passkey_by_credential, answer.credential_id))

    async def proves(self, claim: "Claim", kind: CeremonyKind, site: PasskeySite) -> str | None:
        """The id of the member whose passkey it is; None if it is not valid. Raises CeremonyGone, PasskeysNeedName."""
        host = site.named()
        await self._ceremonies.use(kind, claim.answer.challenge)
        if claim.found is None:
            return None
        member_id, passkey = claim.found
        if claim.answer.member_id not in (None, member_id) or passkey.host != host:
            return None
        verified = kind is CeremonyKind.PASSKEY_SIGN_IN
        try:
            count = await asyncio.to_thread(passkey_checks.count_after, claim.answer, passkey, host, site.origin, verified=verified)
        except passkey_checks.Refused:
            return None
        return member_id if await asyncio.to_thread(self._queries.use_passkey, passkey, count, self._clock()) else None


@dataclass(frozen=True, slots=True)
class Claim:
    """An answer, and the member's id with the passkey that it claims to be of."""

    answer: passkey_checks.ShownPasskey
    found: tuple[str, Passkey] | None

    @property
    def member_id(self) -> str | None:
        return self.found[0] if self.found else None
