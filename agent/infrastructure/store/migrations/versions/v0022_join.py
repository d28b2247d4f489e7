"""Desktop agents that join a team's server: what both sides remember of each other."""

import sqlalchemy as sa
from alembic import op

from agent.infrastructure.store.columns import Name

revision = "0022"
down_revision = "0021"
kind = "expand"


def upgrade() -> None:
    _server()
    _desktop()


def _server() -> None:
    op.create_table(
        "desk_feed",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_uid", sa.String(32), nullable=False, unique=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "desk_operation",
        sa.Column("uid", sa.String(32), primary_key=True),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
    )


def _desktop() -> None:
    op.create_table(
        "team_link",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", sa.String(32), nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("address", "name", "fingerprint", "authority", "member")),
        sa.Column("may_name", sa.Integer, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("generation", "cursor", "joined_at")),
    )
    op.create_table(
        "team_person",
        sa.Column("uid", sa.String(32), primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id", ondelete="SET NULL")),
        sa.Column("name", Name, nullable=False),
        sa.Column("shown", Name, nullable=False),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("own", Name, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
    )
    op.create_index("team_person_by_person", "team_person", ["person_id"])
    op.create_table(
        "team_reference",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("uid", sa.String(32), sa.ForeignKey("team_person.uid", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("embedder", sa.String, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("size", "sharpness", "yaw", "roll", "covered")),
        sa.UniqueConstraint("uid", "number", name="reference_of_person"),
    )
    op.create_table(
        "team_outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", sa.String(32), nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("person_uid", sa.String(32), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("conflict", sa.JSON),
        sqlite_autoincrement=True,
    )
