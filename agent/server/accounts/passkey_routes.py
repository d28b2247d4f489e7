"""Routes of passkeys: signing in by one, and a member's own."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import SignedIn
from agent.server.accounts.callers import SELF, From, HexId, MemberId, OwnSession, signed_in
from agent.server.accounts.challenges import CeremonyKind
from agent.server.accounts.passkeys import NewPasskey, PasskeySite
from agent.server.accounts.schemas import (
    Confirmation,
    PasskeyAsk,
    PasskeyMake,
    PasskeyName,
    PasskeyOptions,
    PasskeyOut,
    PasskeyShow,
    PasskeysOut,
)
from agent.server.accounts.secret_tokens import sha256_of
from agent.server.accounts.service import Accounts, SignInProof


def site_of(request: Request) -> PasskeySite:
    """Where the page is open; the guard lets no other names in."""
    return PasskeySite(f"https://{request.headers.get('host', '').lower()}", request.url.hostname or "")


Here = Annotated[PasskeySite, Depends(site_of)]


def passkey_routes(api: FastAPI, accounts: Accounts) -> None:
    """Add all of them to `api`."""
    passkeys = accounts.passkeys

    @api.post("/api/account/passkey-challenge", openapi_extra=needs(Scope.OPEN))
    async def ask(wanted: PasskeyAsk, site: Here, caller: From) -> PasskeyOptions:
        """Begin to sign in by a passkey. The challenge works once, for five minutes."""
        return PasskeyOptions(public_key=await passkeys.ask(site, caller.address, second=wanted.second))

    @api.post("/api/account/passkey-sign-in", openapi_extra=needs(Scope.OPEN))
    async def sign_in(wanted: PasskeyShow, request: Request, response: Response, site: Here, caller: From) -> SignedIn:
        """Sign in by a passkey alone."""
        return signed_in(await accounts.sign_in_by_passkey(SignInProof(wanted.passkey, site), caller), request, response)

    @api.post("/api/invitations/{token}/passkey-challenge", openapi_extra=needs(Scope.OPEN))
    async def ask_invited(token: str, site: Here, caller: From) -> PasskeyOptions:
        """Begin to make a passkey in place of a password."""
        member, _ = await accounts.invitation(token, caller)
        return PasskeyOptions(
            public_key=await passkeys.begin(member, CeremonyKind.PASSKEY_INVITATION, sha256_of(token), site, caller.address)
        )

    @api.get("/api/account/passkeys", openapi_extra=SELF)
    async def own(member: MemberId, site: Here) -> PasskeysOut:
        items = tuple(PasskeyOut.from_record(each) for each in await passkeys.of(member))
        known = await accounts.members.get(member)
        return PasskeysOut(items=items, possible=site.has_name, password=known.password_hash is not None)

    @api.post("/api/account/passkeys/challenge", openapi_extra=SELF)
    async def begin(wanted: Confirmation, who: MemberId, session: OwnSession, site: Here, caller: From) -> PasskeyOptions:
        """Begin to make a passkey."""
        member = await accounts.prove(who, wanted.password, session, caller)
        return PasskeyOptions(public_key=await passkeys.begin(member, CeremonyKind.PASSKEY_ADD, who, site, caller.address))

    @api.post("/api/account/passkeys", openapi_extra=SELF)
    async def add(wanted: PasskeyMake, member: MemberId, site: Here) -> PasskeyOut:
        made = await passkeys.made(NewPasskey(wanted.name, wanted.credential), CeremonyKind.PASSKEY_ADD, member, site)
        await passkeys.keep(member, made)
        return PasskeyOut.from_record(made)

    @api.patch("/api/account/passkeys/{passkey_id}", status_code=204, openapi_extra=SELF)
    async def rename(passkey_id: HexId, wanted: PasskeyName, member: MemberId) -> None:
        await passkeys.rename(member, passkey_id, wanted.name)

    @api.delete("/api/account/passkeys/{passkey_id}", status_code=204, openapi_extra=SELF)
    async def remove(passkey_id: HexId, wanted: Confirmation, who: MemberId, session: OwnSession, caller: From) -> None:
        """Remove one; not the last way to sign in."""
        await passkeys.remove(await accounts.prove(who, wanted.password, session, caller), passkey_id)
