"""What the database knows of members, their invitations, sessions and tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.interfaces.web.access import Role

# How a session was opened.
PASSWORD: Final = "password"
PASSKEY: Final = "passkey"
PROVIDER: Final = "provider"


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    name: str
    display_name: str
    role: Role
    created_at: datetime
    locked_at: datetime | None
    password_hash: str | None
    password_changed_at: datetime | None
    totp_secret: bytes | None
    totp_confirmed_at: datetime | None
    totp_step: int | None
    passkeys: int = 0
    links: int = 0
    """accounts at an OpenID provider"""

    @property
    def second_factor(self) -> bool:
        """Whether an authenticator app is in use."""
        return self.totp_confirmed_at is not None

    @property
    def needs_second_factor(self) -> bool:
        """Whether a password alone does not sign in."""
        return self.second_factor or self.passkeys > 0

    @property
    def joined(self) -> bool:
        """Whether the member has any way to sign in."""
        return self.password_hash is not None or self.passkeys > 0 or self.links > 0


@dataclass(frozen=True, slots=True)
class MemberOverview:
    member: Member
    invited_until: datetime | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """`cookie_sha256` belongs to the ticket."""

    id: int
    member: Member
    key_sha256: str
    ticket_sha256: str
    cookie_sha256: str
    browser: str
    address: str
    opened_at: datetime
    seen_at: datetime
    means: str = PASSWORD
    provider_session: str | None = None
    """a digest of the provider's own session"""


@dataclass(frozen=True, slots=True)
class TokenRecord:
    id: str
    member: Member
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Passkey:
    """`host` is the server's name that it was made for."""

    id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    host: str
    name: str
    synced: bool
    created_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProviderLink:
    """An account at a provider; `label` is what the member knows it by."""

    issuer: str
    subject: str
    label: str
    created_at: datetime
    used_at: datetime | None = None
