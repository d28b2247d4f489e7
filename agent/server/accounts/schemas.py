"""The API schemas of accounts and members."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from agent.interfaces.web.access import Role, Scope
from agent.interfaces.web.schema_base import Schema
from agent.server.accounts.records import MemberOverview, SessionRecord, TokenRecord

# Longer than any that is accepted: what is wrong with a name or a password is said by the accounts.
Name: TypeAlias = Annotated[str, Field(max_length=400)]
Password: TypeAlias = Annotated[str, Field(max_length=1_000)]
Code: TypeAlias = Annotated[str, Field(max_length=40)]


Credential: TypeAlias = Annotated[dict[str, Any], Field(max_length=12)]
"""what the browser made of a challenge, by `toJSON`"""


class PasskeyOptions(Schema):
    """For `navigator.credentials`, as JSON."""

    public_key: dict[str, Any]


class PasskeyAsk(Schema):
    second: bool = False
    """as the second factor beside a password"""


class PasskeyShow(Schema):
    passkey: Credential


class Confirmation(Schema):
    """Before a change of how one signs in; a member without a password signed in just now."""

    password: Password | None = None


class PasskeyMake(Schema):
    name: Name
    credential: Credential


class PasskeyName(Schema):
    name: Name


class PasskeyOut(Schema):
    id: str
    name: str
    host: str
    """the server's name that it was made for"""
    synced: bool
    """kept in more than one device"""
    created_at: datetime
    used_at: datetime | None


class PasskeysOut(Schema):
    items: tuple[PasskeyOut, ...]
    possible: bool
    """the page is open under a name, so that browsers make passkeys for it"""
    password: bool
    """the member has one, which is asked for before a change"""


class AccountSignIn(Schema):
    name: Name
    password: Password
    code: Code | None = None
    """of the second factor: the app's six digits, or a recovery code"""
    passkey: Credential | None = None
    """in place of the code"""


class InvitationOut(Schema):
    name: str
    display_name: str
    role: Role
    expires_at: datetime
    reset: bool
    """the member had a password before"""
    second_factor: bool
    """its code is needed, too"""
    passkeys: int
    """of the member; one of them will do in place of the code"""
    joined: bool
    """the member signed in before"""


class InvitationAccept(Schema):
    """A password, or a new passkey."""

    password: Password | None = None
    new_passkey: PasskeyMake | None = None
    code: Code | None = None
    passkey: Credential | None = None
    """as the second factor, in place of the code"""

    @model_validator(mode="after")
    def one_way(self) -> Self:
        if (self.password is None) is (self.new_passkey is None):
            raise ValueError("one of the two")
        return self


class PasswordChange(Schema):
    old: Password
    new: Password


class AccountSessionOut(Schema):
    number: int
    browser: str
    """such as "Firefox"; empty if unknown"""
    address: str
    opened_at: datetime
    seen_at: datetime
    here: bool

    @classmethod
    def of(cls, session: SessionRecord, here: int | None) -> Self:
        return cls.from_record(session, number=session.id, here=session.id == here)


class AccountSessions(Schema):
    items: tuple[AccountSessionOut, ...]


class SecondFactorStep(Confirmation):
    """Without a code it begins; with a code of the app it is confirmed."""

    code: Code | None = None


class SecondFactorOut(Schema):
    secret: str | None = None
    uri: str | None = None
    """what an authenticator app reads as a QR code"""
    recovery_codes: tuple[str, ...] = ()
    """shown this once, after the confirmation"""


class SecondFactorEnd(Schema):
    code: Code


class TokenMake(Confirmation):
    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=len(Scope))
    days: int = Field(default=90, ge=1, le=366)
    """until it expires"""


class TokenOut(Schema):
    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None

    @classmethod
    def of(cls, token: TokenRecord) -> Self:
        return cls.from_record(token)


class TokenMade(TokenOut):
    token: str
    """shown this once"""


class Tokens(Schema):
    items: tuple[TokenOut, ...]
    scopes: tuple[Scope, ...]
    """that a new one can have"""


class MemberOut(Schema):
    id: str
    name: str
    display_name: str
    role: Role
    state: Literal["invited", "active", "locked"]
    second_factor: bool
    provider: bool = False
    """an account at an OpenID provider signs in as this member"""
    created_at: datetime
    seen_at: datetime | None
    """when a session that is still open was last used"""
    invited_until: datetime | None
    """of an invitation that was not used yet"""

    @classmethod
    def of(cls, known: MemberOverview, now: datetime) -> Self:
        member = known.member
        state = "locked" if member.locked_at else "active" if member.joined else "invited"
        invited = known.invited_until if known.invited_until and known.invited_until > now else None
        known_by = {"second_factor": member.needs_second_factor, "provider": member.links > 0}
        return cls.from_record(member, state=state, seen_at=known.seen_at, invited_until=invited, **known_by)


class MembersOut(Schema):
    items: tuple[MemberOut, ...]


class MemberName(Schema):
    id: str
    name: str
    display_name: str


class MemberNames(Schema):
    items: tuple[MemberName, ...]


class MemberAdd(Schema):
    name: Name
    """to sign in with"""
    display_name: Name | None = None
    role: Role


class OwnChange(Schema):
    display_name: Name


class MemberChange(Schema):
    """What is left out stays as it is."""

    role: Role | None = None
    display_name: Name | None = None
    locked: bool | None = None
    second_factor: Literal[False] | None = None
    """switches it off, for a lost phone"""


class InvitationMade(Schema):
    token: str
    path: str
    """after the server's address: `/#invitation/…`"""
    expires_at: datetime
