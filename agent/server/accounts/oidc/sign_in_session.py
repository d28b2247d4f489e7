"""What signing in by a provider opens: a session, after the member's second factor where the provider asked for none."""

from dataclasses import dataclass

from agent.domain.errors import CeremonyGone, IdTokenInvalid, NotAllowedHere, NotAMember
from agent.server.accounts.challenges import CeremonyKind
from agent.server.accounts.oidc.sign_in import Back, Begun, ProviderSignIn, Second
from agent.server.accounts.records import PROVIDER, Member
from agent.server.accounts.secret_tokens import sha256_of
from agent.server.accounts.service import Accounts, Caller, SignInProof
from agent.server.accounts.sessions import OpenedSession


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The member's second factor is missing."""

    second: Second
    member: Member


class ProviderEntry:
    def __init__(self, accounts: Accounts, provider: ProviderSignIn) -> None:
        self._accounts = accounts
        self._provider = provider

    async def sign_in(self, back: Back, origin: str, caller: Caller) -> OpenedSession | SecondFactorNeeded:
        """Raises what `ProviderSignIn.finish` raises, NotAMember, and CeremonyGone."""
        try:
            link, said = await self._provider.finish(CeremonyKind.PROVIDER_SIGN_IN, back, origin)
            member = await self._provider.member(link, said)
        except (IdTokenInvalid, NotAllowedHere, NotAMember):
            await self._accounts.note_failed(None, caller)
            raise
        if member.locked_at is not None:
            await self._accounts.note_failed(member.id, caller)
            raise NotAMember
        if member.needs_second_factor and not said.by_two_factors:
            return SecondFactorNeeded(await self._provider.ask_second(member, self._provider.session_of(said), caller.address), member)
        return await self._open(member, caller, self._provider.session_of(said))

    async def second(self, second: Second, code: str | None, caller: Caller, passkey: SignInProof | None = None) -> OpenedSession:
        """Raises CeremonyGone, SecondFactorRequired, CodeWrong, NotAMember, TooManyAttempts. A wrong code may be tried again."""
        await self._provider.check_second(second)
        member = await self._accounts.members.get(second.member)
        if member.locked_at is not None:
            raise NotAMember
        await self._accounts.check_second(member, code, caller, passkey)
        await self._provider.use_second(second)
        return await self._open(member, caller, second.session or None)

    async def begin_invited(self, token: str, code: str | None, origin: str, caller: Caller, passkey: SignInProof | None = None) -> Begun:
        """Begin to accept an invitation; a member with a second factor shows it first.

        Raises InvitationGone, SecondFactorRequired, CodeWrong, TooManyAttempts, and what `ProviderSignIn.begin` raises.
        """
        member, _ = await self._accounts.invitation(token, caller)
        await self._accounts.check_second(member, code, caller, passkey)
        return await self._provider.begin(CeremonyKind.PROVIDER_INVITATION, origin, caller.address, sha256_of(token))

    async def accept(self, token: str, back: Back, origin: str, caller: Caller) -> OpenedSession:
        """Raises InvitationGone, IdentityTaken, CeremonyGone, and what `ProviderSignIn.finish` raises."""
        await self._accounts.invitation(token, caller)
        link, said = await self._provider.finish(CeremonyKind.PROVIDER_INVITATION, back, origin, sha256_of(token))
        session = self._provider.session_of(said)
        return await self._lasting(await self._accounts.accept_by_link(token, link, caller, session), session)

    async def _open(self, member: Member, caller: Caller, session: str | None) -> OpenedSession:
        """Raises CeremonyGone."""
        opened = await self._accounts.sessions.open(member, caller.browser, caller.address, PROVIDER, session)
        return await self._lasting(opened, session)

    async def _lasting(self, opened: OpenedSession, session: str | None) -> OpenedSession:
        """Raises CeremonyGone if the provider ended `session` while the member was signing in.

        Looked for after opening: an end that comes later finds the opened session in the database.
        """
        if session and await self._provider.has_ended(session):
            await self._accounts.sessions.end(opened.session.member_id, number=opened.session.record.id)
            raise CeremonyGone
        return opened
