"""The schema of the first release."""

revision = "0040"
down_revision = None
kind = "expand"


def upgrade() -> None:
    """Never run: `schema.create` makes the tables of a new library, and every other library that gets here has them."""
    raise NotImplementedError
