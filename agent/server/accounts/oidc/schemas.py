"""The API schemas of signing in by an OpenID provider."""

from datetime import datetime
from typing import Annotated, Self, TypeAlias

from pydantic import Field

from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import SignedIn
from agent.server.accounts.oidc.sign_in import Back, Second
from agent.server.accounts.schemas import Code, Credential

Word: TypeAlias = Annotated[str, Field(pattern=r"^[\w-]{1,100}$")]


class ProviderOut(Schema):
    name: str | None
    """what its button says; null if there is no provider"""


class ProviderBegun(Schema):
    address: str
    """where the browser goes"""
    keep: str
    """for this page alone: it proves who began"""


class ProviderBack(Schema):
    """What the provider sent the browser back with, and what the page kept."""

    state: Word
    keep: Word
    code: Annotated[str, Field(max_length=4_000)] = ""
    error: Annotated[str, Field(max_length=100)] = ""
    iss: Annotated[str, Field(max_length=1_000)] = ""

    def back(self) -> Back:
        return Back(self.state, self.keep, self.code, self.error, self.iss)


class SecondFactorWanted(Schema):
    """What is sent back with the code or the passkey."""

    state: str
    keep: str
    member: str
    code: bool
    """the app's code will do"""
    passkey: bool
    session: str


class ProviderEntered(Schema):
    """One of the two."""

    signed_in: SignedIn | None = None
    second_factor: SecondFactorWanted | None = None


class ProviderSecond(Schema):
    state: Word
    keep: Word
    member: Word
    session: Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")] = ""
    code: Code | None = None
    passkey: Credential | None = None

    def second(self) -> Second:
        return Second(self.state, self.keep, self.member, self.session)


class ProviderInvited(Schema):
    """The second factor, if the invited member has one."""

    code: Code | None = None
    passkey: Credential | None = None


class ProviderLinkOut(Schema):
    issuer: str
    label: str
    """what the account is called at the provider"""
    created_at: datetime
    used_at: datetime | None
    current: bool
    """of the provider that the server signs in by now"""

    @classmethod
    def of(cls, link: object, current: bool) -> Self:
        return cls.from_record(link, current=current)


class ProviderLinks(Schema):
    items: tuple[ProviderLinkOut, ...]
    name: str | None
    """of the provider that the server signs in by now; null if there is none"""
    password: bool
    """the member has one, which is asked for before a change"""


class SignedOut(Schema):
    address: str | None
    """where the browser ends the provider's own session; null if it can't"""
