"""Routes of a server's accounts: signing in, one's own account, and the members."""

from fastapi import FastAPI, Request, Response

from agent.domain.errors import NotFound
from agent.interfaces.web.access import TOKEN_SCOPES, Scope, needs
from agent.interfaces.web.schemas import AccountOut, Id, SessionsEnded, SignedIn
from agent.interfaces.web.scoped_route import Who
from agent.server.accounts.callers import MANAGE, SELF, From, Here, HexId, MemberId, OwnSession, Secret, signed_in
from agent.server.accounts.members import Members
from agent.server.accounts.passkey_routes import passkey_routes, site_of
from agent.server.accounts.passkeys import NewPasskey
from agent.server.accounts.records import MemberOverview
from agent.server.accounts.schemas import (
    AccountSessionOut,
    AccountSessions,
    AccountSignIn,
    InvitationAccept,
    InvitationMade,
    InvitationOut,
    MemberAdd,
    MemberChange,
    MemberName,
    MemberNames,
    MemberOut,
    MembersOut,
    OwnChange,
    PasswordChange,
    SecondFactorEnd,
    SecondFactorOut,
    SecondFactorStep,
    TokenMade,
    TokenMake,
    TokenOut,
    Tokens,
)
from agent.server.accounts.service import Accounts, SignInProof
from agent.server.accounts.sessions import Sessions


def account_routes(api: FastAPI, accounts: Accounts) -> None:
    """Add all of them to `api`."""
    _sign_in_routes(api, accounts)
    _own_routes(api, accounts)
    _own_session_routes(api, accounts.sessions)
    _second_factor_routes(api, accounts)
    _token_routes(api, accounts)
    passkey_routes(api, accounts)
    member_routes(api, accounts.members)


def _sign_in_routes(api: FastAPI, accounts: Accounts) -> None:
    @api.post("/api/account/sign-in", openapi_extra=needs(Scope.OPEN))
    async def sign_in(wanted: AccountSignIn, request: Request, response: Response, caller: From) -> SignedIn:
        """Sign in with name and password, and with a code or a passkey if the account asks for more."""
        proof = SignInProof(wanted.passkey, site_of(request)) if wanted.passkey else None
        return signed_in(await accounts.sign_in(wanted.name, wanted.password, wanted.code, caller, proof), request, response)

    @api.get("/api/invitations/{token}", openapi_extra=needs(Scope.OPEN))
    async def invitation(token: Secret, caller: From) -> InvitationOut:
        member, expires_at = await accounts.invitation(token, caller)
        return InvitationOut.from_record(member, expires_at=expires_at, reset=member.joined)

    @api.post("/api/invitations/{token}", openapi_extra=needs(Scope.OPEN))
    async def accept(token: Secret, wanted: InvitationAccept, request: Request, response: Response, caller: From) -> SignedIn:
        """Set the password or keep the new passkey, and sign in. The invitation is used up; other sessions end."""
        site, new = site_of(request), wanted.new_passkey
        proof = SignInProof(wanted.passkey, site) if wanted.passkey else None
        if new is not None:
            opened = await accounts.accept_by_passkey(token, NewPasskey(new.name, new.credential), site, caller, wanted.code, proof)
        else:
            opened = await accounts.accept(token, wanted.password or "", wanted.code, caller, proof)
        return signed_in(opened, request, response)


def _own_routes(api: FastAPI, accounts: Accounts) -> None:
    @api.get("/api/account", openapi_extra=needs(Scope.STATUS_READ))
    async def own_account(who: Who) -> AccountOut:
        """Who asks, and what they may do."""
        known = AccountOut.of(who)
        if who.kind == "local":
            return known
        member = await accounts.members.get(who.id)
        return known.model_copy(
            update={
                "display_name": member.display_name,
                "second_factor": member.second_factor,
                "recovery_codes": await accounts.recovery_codes(member),
                "password": member.password_hash is not None,
                "password_changed_at": member.password_changed_at,
            }
        )

    @api.patch("/api/account", status_code=204, openapi_extra=SELF)
    async def change(wanted: OwnChange, member: MemberId) -> None:
        """Change what others see of the account."""
        await accounts.members.change(member, display_name=wanted.display_name)

    @api.post("/api/account/sign-out", status_code=204, openapi_extra=SELF)
    async def sign_out(member: MemberId, here: Here) -> None:
        if here is not None:
            await accounts.sessions.end(member, number=here)

    @api.post("/api/account/password", status_code=204, openapi_extra=SELF)
    async def password(wanted: PasswordChange, member: MemberId, here: Here, caller: From) -> None:
        """Change it; the member's other sessions end."""
        await accounts.change_password(member, wanted.old, wanted.new, keep=here, caller=caller)


def _own_session_routes(api: FastAPI, sessions: Sessions) -> None:
    @api.get("/api/account/sessions", openapi_extra=SELF)
    async def own_sessions(member: MemberId, here: Here) -> AccountSessions:
        return AccountSessions(items=tuple(AccountSessionOut.of(each, here) for each in await sessions.of(member)))

    @api.delete("/api/account/sessions", openapi_extra=SELF)
    async def end_everywhere(member: MemberId) -> SessionsEnded:
        """End all of the member's sessions, this one too."""
        return SessionsEnded(count=await sessions.end(member))

    @api.delete("/api/account/sessions/{number}", openapi_extra=SELF)
    async def end_one(number: Id, member: MemberId) -> SessionsEnded:
        count = await sessions.end(member, number=number)
        if count == 0:
            raise NotFound
        return SessionsEnded(count=count)


def _second_factor_routes(api: FastAPI, accounts: Accounts) -> None:
    @api.post("/api/account/second-factor", openapi_extra=SELF)
    async def second_factor(wanted: SecondFactorStep, member: MemberId, session: OwnSession, caller: From) -> SecondFactorOut:
        """Begin with a new secret, or confirm that the app makes its codes."""
        if wanted.code is not None:
            return SecondFactorOut(recovery_codes=await accounts.confirm_second_factor(member, wanted.code, caller))
        await accounts.prove(member, wanted.password, session, caller)
        secret, uri = await accounts.begin_second_factor(member)
        return SecondFactorOut(secret=secret, uri=uri)

    @api.delete("/api/account/second-factor", status_code=204, openapi_extra=SELF)
    async def end_second_factor(wanted: SecondFactorEnd, member: MemberId, caller: From) -> None:
        await accounts.end_second_factor(member, wanted.code, caller)


def _token_routes(api: FastAPI, accounts: Accounts) -> None:
    tokens = accounts.tokens

    @api.get("/api/account/tokens", openapi_extra=SELF)
    async def own_tokens(member: MemberId, who: Who) -> Tokens:
        items = tuple(map(TokenOut.of, await tokens.of(member)))
        return Tokens(items=items, scopes=tuple(each for each in Scope if each in who.scopes & TOKEN_SCOPES))

    @api.post("/api/account/tokens", openapi_extra=SELF)
    async def make_token(wanted: TokenMake, who: MemberId, session: OwnSession, caller: From) -> TokenMade:
        """Make one; it outlives the session, so the password is asked for."""
        member = await accounts.prove(who, wanted.password, session, caller)
        made, secret = await tokens.add(member, wanted.name, wanted.scopes, wanted.days)
        return TokenMade.from_record(made, token=secret)

    @api.delete("/api/account/tokens/{token_id}", status_code=204, openapi_extra=SELF)
    async def remove_token(token_id: HexId, member: MemberId) -> None:
        await tokens.remove(member, token_id)


def member_routes(api: FastAPI, members: Members) -> None:
    """Add the routes of administrators to `api`."""

    async def out(member_id: str) -> MemberOut:
        return next(each for each in (await everyone()).items if each.id == member_id)

    @api.get("/api/members", openapi_extra=MANAGE)
    async def everyone() -> MembersOut:
        now = members.now()
        return MembersOut(items=tuple(MemberOut.of(each, now) for each in await members.list()))

    @api.get("/api/members/names", openapi_extra=needs(Scope.RECORD_READ))
    async def names() -> MemberNames:
        """Return the members behind the ids in the record; to the auditor of one library, those in its entries."""
        return MemberNames(items=tuple(MemberName.from_record(each.member) for each in await members.recorded()))

    @api.post("/api/members", openapi_extra=MANAGE)
    async def add(wanted: MemberAdd) -> MemberOut:
        """Add a member, who can sign in once invited."""
        made = await members.add(wanted.name, wanted.display_name or wanted.name, wanted.role)
        return MemberOut.of(MemberOverview(made, None, None), made.created_at)

    @api.patch("/api/members/{member_id}", openapi_extra=MANAGE)
    async def change(member_id: HexId, wanted: MemberChange) -> MemberOut:
        """Change role, display name or lock. It holds from the member's next request on, and open streams end."""
        await members.change(member_id, **wanted.model_dump())
        return await out(member_id)

    @api.delete("/api/members/{member_id}", status_code=204, openapi_extra=MANAGE)
    async def remove(member_id: HexId) -> None:
        await members.remove(member_id)

    @api.post("/api/members/{member_id}/invitation", openapi_extra=MANAGE)
    async def invite(member_id: HexId) -> InvitationMade:
        """A link to set the password, for a new member or one who forgot it."""
        made = await members.invite(member_id)
        return InvitationMade(token=made.secret, path=made.path, expires_at=made.expires_at)
