"""A team server's members and how they sign in."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.encrypted_types import EncryptedName, SealedText
from agent.infrastructure.store.tables.base import metadata

# The members of a team server; empty on the desktop.
member = Table(
    "member",
    metadata,
    Column("id", String(32), primary_key=True),  # random
    Column("name", EncryptedName("member"), nullable=False, unique=True),  # to sign in with, as `sign_in_names.folded` writes it
    Column("display_name", SealedText("display_name"), nullable=False),
    Column("role", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("locked_at", Instant),
    Column("password_hash", String),  # argon2id; None until the invitation is accepted
    Column("password_changed_at", Instant),
    Column("totp_secret", LargeBinary),  # encrypted: see `agent.server.accounts.second_factor`
    Column("totp_confirmed_at", Instant),  # None: begun, and not in use
    Column("totp_step", BigInteger),  # of the last code used: no code works twice
)

# Of the second factor: each works once.
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
)

# Links by which members set their password: one for each member, deleted with its use.
invitation = Table(
    "invitation",
    metadata,
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("expires_at", Instant, nullable=False),
)

member_session = Table(
    "member_session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
    Column("key_sha256", String(64), nullable=False, unique=True),
    Column("ticket_sha256", String(64), nullable=False, unique=True),
    Column("cookie_sha256", String(64), nullable=False),
    Column("browser", String, nullable=False),
    Column("address", String, nullable=False),
    Column("means", String, nullable=False, server_default="password"),  # how it was opened: "password", "passkey" or "provider"
    Column("opened_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("provider_session", String(64)),  # a digest with a key of the provider's own session that opened it
    Index("session_by_member", "member_id"),
    sqlite_autoincrement=True,
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", String(32), primary_key=True),  # random
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
    Column("name", String, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("token_by_member", "member_id"),
)

# Public keys of passkeys (WebAuthn): what is secret of them never leaves the member's device.
passkey = Table(
    "passkey",
    metadata,
    Column("id", String(32), primary_key=True),  # random
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
    Column("credential_sha256", String(64), nullable=False, unique=True),
    Column("credential_id", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("host", String, nullable=False),  # the server's name that it was made for: browsers offer it under no other
    Column("name", SealedText("passkey_name"), nullable=False),
    Column("synced", Boolean, nullable=False),  # kept in more than one device
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("passkey_by_member", "member_id"),
)

# Accounts at an OpenID provider that sign in as a member: at most one of each provider.
provider_link = Table(
    "provider_link",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("subject", EncryptedName("provider_subject"), primary_key=True),
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
    Column("label", SealedText("provider_label"), nullable=False),  # what the member knows it by
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("provider_link_by_member", "member_id", "issuer", unique=True),
)

# Attempts to sign in, by digests with a key of accounts and addresses: how many failed, and until when others are refused. So are other
# limited requests of members and addresses: how many there were, and until when they count.
sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("who", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

# Challenges and states that were handed out and not used yet: each works once, for one purpose, and for a few minutes. Of logout tokens, on
# the contrary, those that were used: none works twice.
ceremony = Table(
    "ceremony",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("kind", String, nullable=False),
    Column("about", String(64), nullable=False),  # the member, invitation or page that it was handed to; empty: any
    Column("expires_at", Instant, nullable=False),
)
