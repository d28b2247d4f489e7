"""Members of a team server: their passwords, second factors, invitations, sessions and tokens."""

import sqlalchemy as sa
from alembic import op

from agent.infrastructure.store.columns import Name

revision = "0012"
down_revision = "0011"
kind = "expand"


def _of_member(*, key: bool = False) -> sa.Column[str]:
    return sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), primary_key=key, nullable=False)


def upgrade() -> None:
    op.create_table(
        "member",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", Name, nullable=False, unique=True),
        sa.Column("display_name", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("locked_at", sa.BigInteger),
        sa.Column("password_hash", sa.String),
        sa.Column("password_changed_at", sa.BigInteger),
        sa.Column("totp_secret", sa.LargeBinary),
        sa.Column("totp_confirmed_at", sa.BigInteger),
        sa.Column("totp_step", sa.BigInteger),
    )
    op.create_table("recovery_code", _of_member(key=True), sa.Column("sha256", sa.String(64), primary_key=True))
    op.create_table(
        "invitation",
        _of_member(key=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "member_session",
        sa.Column("id", sa.Integer, primary_key=True),
        _of_member(),
        sa.Column("key_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("ticket_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("cookie_sha256", sa.String(64), nullable=False),
        sa.Column("browser", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("session_by_member", "member_session", ["member_id"])
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(32), primary_key=True),
        _of_member(),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_index("token_by_member", "api_token", ["member_id"])
