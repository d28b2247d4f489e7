"""How the program stands: what it needs and finds, what it is made of, what it takes of the disk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from agent.domain.errors import AgentError, EngineOpen, FilingDue, NoDisplay, NoTray, NotRunning, SettingsError, Unexpected, UpdatesOff
from agent.people.duties import FILING_PEOPLE, FILING_WORKING_DAYS, filing_due
from agent.redaction.queries.redaction_queries import RedactionQueries

# Looks at one thing and says in a few words what it found; blocks; raises AgentError when something is wrong with it.
Check: TypeAlias = Callable[[], str]


_ABSENT = (NoTray, NoDisplay, NotRunning, EngineOpen, FilingDue, UpdatesOff)


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a check: its words, or the error."""

    name: str
    text: str = ""
    error: AgentError | None = None

    @property
    def state(self) -> Literal["ok", "absent", "warning", "failed"]:
        """What is merely absent (a tray, a running agent) is no failure, nor is a duty. Photos decoded without a wall are a warning."""
        if self.error is None:
            return "ok"
        if isinstance(self.error, EngineOpen) and "network" not in self.error.params:
            return "warning"
        return "absent" if isinstance(self.error, _ABSENT) else "failed"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model of the manifest."""

    name: str
    role: str
    state: str  # "present", "missing" or "damaged"
    licence: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """Bytes: free where the library lies, and what the program's own files take."""

    free: int
    library: int
    thumbnails: int
    backups: int


@dataclass(frozen=True, slots=True)
class Health:
    """The ways to ask. All block."""

    checks: Mapping[str, Check]
    models: Callable[[], tuple[ModelFacts, ...]]
    disk: Callable[[], DiskFacts]
    last_backup: Callable[[], datetime | None]
    bundle: Callable[[Sequence[Finding]], bytes]  # a zip for whoever helps


def to_file(library: RedactionQueries) -> FilingDue | None:
    """What the law asks for if so many people's face prints are kept; None below that. Blocks; raises StoreError."""
    people = library.people_kept(least=FILING_PEOPLE)  # there can't be more people than prints
    return FilingDue(people=people, days=FILING_WORKING_DAYS) if filing_due(people) else None


def examine(checks: Mapping[str, Check]) -> list[Finding]:
    """Look at everything, in order. Blocks; never raises. Much stands on the settings: that they can't be read is said once."""
    found: list[Finding] = []
    for name, check in checks.items():
        finding = _look(name, check)
        if not (isinstance(finding.error, SettingsError) and any(isinstance(other.error, SettingsError) for other in found)):
            found.append(finding)
    return found


def _look(name: str, check: Check) -> Finding:
    try:
        return Finding(name, check())
    except AgentError as error:
        return Finding(name, error=error)
    except Exception as error:  # a check that fails by itself is a finding too: the others are still wanted
        return Finding(name, error=Unexpected(kind=type(error).__name__))
