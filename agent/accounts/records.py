"""What the database knows of members, their invitations, sessions and tokens."""

from dataclasses import dataclass
from datetime import datetime

from agent.web.access import Role


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

    @property
    def second_factor(self) -> bool:
        return self.totp_confirmed_at is not None


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


@dataclass(frozen=True, slots=True)
class TokenRecord:
    id: str
    member: Member
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
