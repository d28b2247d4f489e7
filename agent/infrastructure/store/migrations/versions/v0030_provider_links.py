"""Accounts at an OpenID provider that sign in as a member."""

import sqlalchemy as sa
from alembic import op

from agent.infrastructure.store.columns import Name

revision = "0030"
down_revision = "0029"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "provider_link",
        sa.Column("issuer", sa.String, primary_key=True),
        sa.Column("subject", Name, primary_key=True),
        sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_index("provider_link_by_member", "provider_link", ["member_id", "issuer"], unique=True)
