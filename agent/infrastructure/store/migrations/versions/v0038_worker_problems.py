"""Why a worker of a server is blocked."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
kind = "expand"


def upgrade() -> None:
    op.add_column("worker", sa.Column("error_code", sa.String))
    op.add_column("worker", sa.Column("error_params", sa.JSON))
