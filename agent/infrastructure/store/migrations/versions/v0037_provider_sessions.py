"""Which session at the provider opened a member's session, so that the provider can end it. Sessions opened so far do not know theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
kind = "expand"


def upgrade() -> None:
    op.add_column("member_session", sa.Column("provider_session", sa.String(64)))
