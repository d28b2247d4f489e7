"""A stand-in for the packaged program: a script that runs this checkout as another version, in one file as an AppImage is.

The agent, its store, its migrations and its processes are real; only the packaging is not.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from agent.infrastructure.core.package_info import Build
from agent.infrastructure.store import migrator
from agent.infrastructure.store.schema import REVISION
from tests.support.real_program import CHECKOUT, RealProgram

NEW_REVISION = "9000"

_SCRIPT = """#!{python}
import os, sys
from pathlib import Path
os.environ["APPIMAGE"] = os.path.abspath(__file__)  # as the AppImage's runtime does
sys.path.insert(0, {checkout!r})
import agent
agent.__version__ = {version!r}
import agent.infrastructure.core.package_info
agent.infrastructure.core.package_info.resource = lambda _: Path({build!r})
{code}
from agent.__main__ import main
sys.exit(main())
"""

_STEP = f'''"""A step that no released version has."""

import sqlalchemy as sa
from alembic import op

revision = "{NEW_REVISION}"
down_revision = "{REVISION}"


def upgrade() -> None:
    op.create_table("novelty", sa.Column("id", sa.Integer, primary_key=True))
'''

_MIGRATES = """
from agent.infrastructure.store import migrator, schema
schema.REVISION = migrator.REVISION = {revision!r}
migrator._MIGRATIONS = Path({migrations!r})
"""
CRASHES_AT_ONCE = "sys.exit(3)"
# The library is open, and migrated, when the agent begins to run.
CRASHES_LATER = "import agent.app.agent_loop; agent.app.agent_loop.AgentLoop.run = lambda self, stop: os._exit(9)"
HANGS_LATER = "import time, agent.app.agent_loop; agent.app.agent_loop.AgentLoop.run = lambda self, stop: time.sleep(1000)"


def script(folder: Path, version: str, build: Build, *, migrates: bool = False, code: str = "") -> bytes:
    """The program of that version; `code` runs before it."""
    word = folder / f"build-{version}"
    word.mkdir(exist_ok=True)
    (word / "build.json").write_text(json.dumps(build.model_dump(mode="json")), encoding="utf-8")
    if migrates:
        migrations = folder / "migrations"
        if not migrations.exists():
            shutil.copytree(migrator._MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
            (migrations / "versions" / "v9000_novelty.py").write_text(_STEP, encoding="utf-8")
        code = _MIGRATES.format(revision=NEW_REVISION, migrations=str(migrations)) + code
    text = _SCRIPT.format(python=sys.executable, checkout=str(CHECKOUT), version=version, build=str(word), code=code)
    return text.encode()


class Packaged:
    """A program in one file, started as the user starts it."""

    def __init__(self, program: RealProgram, folder: Path, content: bytes) -> None:
        self.program = program
        self.file = folder / "AI-Popup.AppImage"
        self.file.write_bytes(content)
        self.file.chmod(0o755)

    def start(self, *, wait: bool = True) -> None:
        none = subprocess.DEVNULL
        with (self.program.home / "errors.txt").open("ab") as errors:
            self.program.process = subprocess.Popen(
                [str(self.file), "run", "--no-tray"], stdin=none, stdout=none, stderr=errors, env=self.program.environment
            )
        if wait:
            self.program.until(lambda _: True)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """A command of this program beside it."""
        return subprocess.run(
            [str(self.file), *words], env=self.program.environment, capture_output=True, text=True, timeout=90, check=False
        )
