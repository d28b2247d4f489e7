"""Passkeys, and the challenges that they answer."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
kind = "expand"


def upgrade() -> None:
    # Sessions that are open now were opened by a password.
    op.add_column("member_session", sa.Column("means", sa.String, nullable=False, server_default="password"))
    op.create_table(
        "passkey",
        sa.Column("id", sa.String(32), primary_key=True),
        _member(),
        sa.Column("credential_sha256", sa.String(64), nullable=False, unique=True),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("credential_id", "public_key")),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("host", "name")),
        sa.Column("synced", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_index("passkey_by_member", "passkey", ["member_id"])
    op.create_table(
        "ceremony",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )


def _member() -> sa.Column[str]:
    return sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), nullable=False)
