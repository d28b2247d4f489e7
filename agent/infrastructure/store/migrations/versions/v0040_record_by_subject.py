"""The entries of the record about one person or member are found without reading all."""

from alembic import op

revision = "0040"
down_revision = "0039"
kind = "expand"


def upgrade() -> None:
    op.create_index("audit_by_subject", "audit", ["subject", "id"])
