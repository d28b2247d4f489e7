"""A confirmed face repeats its image and how well it serves as a portrait, so that the list of people reads no faces."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
kind = "contract"

_SHARP, _LEAST_SHARPNESS = 1e6, 80.0


def upgrade() -> None:
    op.add_column("identity", sa.Column("image_id", sa.Integer))
    op.add_column("identity", sa.Column("fit", sa.Float))
    identity = sa.table("identity", *map(sa.column, ("face_id", "certainty", "image_id", "fit")))
    face = sa.table("face", *map(sa.column, ("id", "image_id", "size", "sharpness")))
    fit = face.c.size + sa.case((face.c.sharpness >= _LEAST_SHARPNESS, _SHARP), else_=0.0)
    mine = face.c.id == identity.c.face_id
    values = {column: sa.select(value).where(mine).scalar_subquery() for column, value in (("image_id", face.c.image_id), ("fit", fit))}
    op.get_bind().execute(sa.update(identity).where(identity.c.certainty == "confirmed").values(values))
    some = sa.text("fit IS NOT NULL")
    op.create_index("identity_confirmed", "identity", ["person_id", "image_id", "face_id", "fit"], sqlite_where=some, postgresql_where=some)
