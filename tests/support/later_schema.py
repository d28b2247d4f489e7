"""Two steps that no release has, after the newest: an `expand` step, and a deferred `contract` step that makes a table anew.

They show on both databases that migrations work, whether or not a real step follows the baseline.
"""

import shutil
from pathlib import Path

import pytest

from agent.infrastructure.store import migrator
from agent.infrastructure.store.schema import REVISION

EXPAND, CONTRACT = "9001", "9002"

_EXPAND = f'''"""Photos know their number of pixels, and have comments."""

import sqlalchemy as sa
from alembic import op

revision = "{EXPAND}"
down_revision = "{REVISION}"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("image_id", sa.Integer, sa.ForeignKey("image.id", ondelete="CASCADE"), nullable=False),
        sa.Column("text", sa.String, nullable=False),
    )
    op.add_column("image", sa.Column("pixels", sa.Integer))
    op.execute("UPDATE image SET pixels = width * height")
'''

# SQLite can't change what is unique: the table is made anew. Rows that refer to it would go with it, so they are put aside.
_CONTRACT = f'''"""The same path may be there once for each volume."""

import sqlalchemy as sa
from alembic import op

revision = "{CONTRACT}"
down_revision = "{EXPAND}"
kind = "contract"
works_from = "{EXPAND}"
deferred = True


def upgrade() -> None:
    tx = op.get_bind()
    sqlite = tx.dialect.name == "sqlite"
    if sqlite:
        last = tx.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'place'"))
        op.execute("CREATE TEMPORARY TABLE job_aside AS SELECT * FROM job")
        op.execute("DELETE FROM job")
    with op.batch_alter_table("place", table_kwargs={{"sqlite_autoincrement": True}}) as place:
        place.add_column(sa.Column("volume", sa.String, nullable=False, server_default=""))
        place.drop_constraint("place_of_source", type_="unique")
        place.create_unique_constraint("place_of_volume", ["path", "source", "host", "volume"])
    if sqlite:
        op.execute("INSERT INTO job SELECT * FROM job_aside")
        op.execute("DROP TABLE job_aside")
        # Ids are never used twice, not even those of rows that are gone.
        tx.execute(sa.text("UPDATE sqlite_sequence SET seq = :last WHERE name = 'place'"), {{"last": last}})
'''

_PROCESS = """
import sys
from pathlib import Path
from agent.infrastructure.store import migrator, schema
schema.REVISION = migrator.REVISION = migrator.SERVES_FROM = {revision!r}
schema.WORKS_FROM = migrator.WORKS_FROM = {works_from!r}
migrator._MIGRATIONS = Path({migrations!r})
from agent.__main__ import main
sys.exit(main())
"""


def write_steps(folder: Path) -> Path:
    """Write all steps and the two into a new folder; returns it."""
    migrations = folder / "migrations"
    shutil.copytree(migrator._MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    for revision, text in ((EXPAND, _EXPAND), (CONTRACT, _CONTRACT)):
        (migrations / "versions" / f"v{revision}_later.py").write_text(text, encoding="utf-8")
    return migrations


def become_later(migrations: Path, patch: pytest.MonkeyPatch, *, serves_from: str = CONTRACT) -> None:
    """Let this process be the program that came with the two steps."""
    patch.setattr(migrator, "_MIGRATIONS", migrations)
    patch.setattr(migrator, "REVISION", CONTRACT)
    patch.setattr(migrator, "SERVES_FROM", serves_from)
    patch.setattr(migrator, "WORKS_FROM", EXPAND)


def later_program(migrations: Path) -> str:
    """Return Python code that runs the program that came with the two steps."""
    return _PROCESS.format(revision=CONTRACT, works_from=EXPAND, migrations=str(migrations))
