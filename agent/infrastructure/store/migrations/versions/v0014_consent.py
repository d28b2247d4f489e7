"""What people agreed to, and since when a person may no longer be recognised because they didn't."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
kind = "expand"


def upgrade() -> None:
    op.add_column("person", sa.Column("lapsed_at", sa.BigInteger))
    some = sa.text("lapsed_at IS NOT NULL")
    op.create_index("person_by_lapsed", "person", ["lapsed_at"], sqlite_where=some, postgresql_where=some)
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_uid", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("basis", sa.String),
        sa.Column("given_on", sa.Date, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("guardian", sa.String, nullable=False, server_default=""),
        sa.Column("document", sa.String, nullable=False, server_default=""),
        sa.Column("entered_by", sa.String(32), nullable=False),
        sa.Column("entered_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("consent_of_person", "consent", ["person_uid", "purpose", "id"])
