"""Which worker holds a lease."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
kind = "contract"


def upgrade() -> None:
    op.add_column("job", sa.Column("lease_worker", sa.String))
    # There was one worker before: the desktop agent, which gives its leases back at its next start.
    op.execute("UPDATE job SET lease_worker = 'agent' WHERE state = 'leased'")
