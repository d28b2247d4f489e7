"""The first schema: images, places, jobs, faces, people, events."""

import sqlalchemy as sa
from alembic import op

from agent.infrastructure.store.columns import LargeInteger, Name

revision = "0001"
down_revision = None
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", LargeInteger, nullable=False),
    )
    op.create_table(
        "image",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("format", sa.String, nullable=False),
        sa.Column("detector", sa.String, nullable=False),
        sa.Column("embedder", sa.String),
        sa.Column("precision", sa.String, nullable=False),
        sa.Column("ms_decode", sa.Float, nullable=False),
        sa.Column("ms_detect", sa.Float, nullable=False),
        sa.Column("ms_align", sa.Float, nullable=False),
        sa.Column("ms_embed", sa.Float, nullable=False),
        sa.Column("indexed_at", sa.BigInteger, nullable=False),
        sa.Column("left_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("image_by_size", "image", ["size"])
    op.create_index(
        "image_by_left_at",
        "image",
        ["left_at"],
        sqlite_where=sa.text("left_at IS NOT NULL"),
        postgresql_where=sa.text("left_at IS NOT NULL"),
    )
    op.create_table(
        "place",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("path", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("folder", sa.LargeBinary),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("image_id", sa.Integer, sa.ForeignKey("image.id", ondelete="SET NULL")),
        sa.Column("noted_at", sa.BigInteger, nullable=False),
        sa.Column("missing_since", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("place_by_image", "place", ["image_id"])
    op.create_index(
        "place_by_missing_since",
        "place",
        ["missing_since"],
        sqlite_where=sa.text("missing_since IS NOT NULL"),
        postgresql_where=sa.text("missing_since IS NOT NULL"),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("place_id", sa.Integer, sa.ForeignKey("place.id", ondelete="CASCADE"), nullable=False, unique=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("error_code", sa.String),
        sa.Column("error_params", sa.JSON),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("job_by_turn", "job", ["state", "priority", "attempts", "id"])
    op.create_index("job_by_change", "job", ["state", "changed_at"])
    op.create_table(
        "face",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("image_id", sa.Integer, sa.ForeignKey("image.id", ondelete="CASCADE"), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("x", sa.Float, nullable=False),
        sa.Column("y", sa.Float, nullable=False),
        sa.Column("w", sa.Float, nullable=False),
        sa.Column("h", sa.Float, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("landmarks", sa.JSON, nullable=False),
        sa.Column("size", sa.Float, nullable=False),
        sa.Column("sharpness", sa.Float, nullable=False),
        sa.Column("yaw", sa.Float, nullable=False),
        sa.Column("roll", sa.Float, nullable=False),
        sa.UniqueConstraint("image_id", "ordinal", name="face_in_image"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "embedding",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("embedder", sa.String, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_index("embedding_by_embedder", "embedding", ["embedder", "face_id"])
    op.create_table(
        "chip",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", Name, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "identity",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
        sa.Column("certainty", sa.String, nullable=False),
        sa.Column("distance", sa.Float, nullable=False),
        sa.Column("agree", sa.Integer, nullable=False),
        sa.Column("refs", sa.Integer, nullable=False),
    )
    op.create_index("identity_by_person", "identity", ["person_id"])
    op.create_index("identity_by_certainty", "identity", ["certainty"])
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
