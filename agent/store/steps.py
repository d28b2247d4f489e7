"""The migrations as data: what each does, and which programs work after it. Loads Alembic."""

from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Step:
    """`about` is its sentence in English; `works_from` the oldest program that works after it, None for an `expand` step."""

    revision: str
    kind: str
    about: str
    works_from: str | None
    deferred: bool = False
    """a `contract` step without which the program that ships it works too"""


def steps(after: str | None = None) -> list[Step]:
    """Return all steps after that revision, the oldest first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    found = []
    for script in ScriptDirectory.from_config(config).walk_revisions():
        kind = str(getattr(script.module, "kind", "contract"))  # unknown is taken for the worse
        works_from = str(getattr(script.module, "works_from", script.revision)) if kind == "contract" else None
        deferred = kind == "contract" and bool(getattr(script.module, "deferred", False))
        found.append(Step(script.revision, kind, (script.doc or "").strip(), works_from, deferred))
    return [step for step in reversed(found) if after is None or step.revision > after]


def works_from(pending: list[Step]) -> str | None:
    """Return the oldest program that works after all of them; None if each does."""
    return max((step.works_from for step in pending if step.works_from is not None), default=None)
