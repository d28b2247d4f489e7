"""The program's health: its checks, components and disk usage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from agent.domain.errors import (
    AgentError,
    CertificateEnds,
    DatabaseUnreachable,
    EngineMemory,
    EngineOpen,
    FilingDue,
    NoDisplay,
    NoTray,
    NotRunning,
    OffsiteLate,
    OffsiteNotSet,
    ProcessMemory,
    ServerStopped,
    SettingsError,
    StoreBusy,
    StoreDamaged,
    StoreUnreachable,
    Unexpected,
    UpdatesOff,
)
from agent.features.people.legal_thresholds import FILING_PEOPLE, FILING_WORKING_DAYS, filing_due
from agent.features.redaction.queries.redaction_queries import RedactionQueries

# Checks one thing and returns a short finding; blocks; raises AgentError if it is wrong.
Check: TypeAlias = Callable[[], str]


class NotConfigured(Exception):
    """The settings name nothing that this check could try: it finds nothing."""


_ONCE = (SettingsError, StoreDamaged, NotRunning, ServerStopped)
_SILENT = (DatabaseUnreachable, StoreBusy, StoreUnreachable)
_WARNINGS = (ProcessMemory, OffsiteLate, CertificateEnds)
_ABSENT = (NoTray, NoDisplay, NotRunning, ServerStopped, EngineOpen, FilingDue, UpdatesOff, OffsiteNotSet)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check: its text, or the error."""

    name: str
    text: str = ""
    error: AgentError | None = None

    @property
    def state(self) -> Literal["ok", "absent", "warning", "failed"]:
        """The severity. An absent part (a tray, a running agent) or a legal duty is no failure. Decoding without a sandbox, a process
        that took too much memory, a second place that gets no backups and a certificate that ends soon are warnings."""
        if self.error is None:
            return "ok"
        if isinstance(self.error, ProcessMemory | OffsiteLate | CertificateEnds) or (
            self.name == "memory" and isinstance(self.error, EngineMemory)
        ):
            return "warning"
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
    """Bytes: free on the library's disk, and used by the program's own files."""

    free: int
    library: int
    thumbnails: int
    backups: int


@dataclass(frozen=True, slots=True)
class Health:
    """Functions that return the health data. All block."""

    checks: Mapping[str, Check]
    models: Callable[[], tuple[ModelFacts, ...]]
    disk: Callable[[], DiskFacts]
    last_backup: Callable[[], datetime | None]
    bundle: Callable[[Sequence[Finding]], bytes]  # a zip for support


def to_file(library: RedactionQueries) -> FilingDue | None:
    """The legal filing duty above a number of people with stored face embeddings; None below it. Blocks; raises StoreError."""
    people = library.people_kept(least=FILING_PEOPLE)  # a person has at least one embedding
    return FilingDue(people=people, days=FILING_WORKING_DAYS) if filing_due(people) else None


def examine(checks: Mapping[str, Check]) -> list[Finding]:
    """Run all checks in order. Blocks; never raises."""
    return list(findings(checks))


def findings(checks: Mapping[str, Check]) -> Iterator[Finding]:
    """Run the checks in order and yield what each finds. Blocks; never raises.

    Many depend on the settings, on the library or on a running program: that one of them is missing is reported once.
    """
    found: list[Finding] = []
    for name, check in checks.items():
        # The library's database would be waited for as long again, only to be told of once.
        if name == "filing" and any(each.name == "library" and isinstance(each.error, _SILENT) for each in found):
            continue
        try:
            finding = _look(name, check)
        except NotConfigured:
            continue
        if not any(_same(finding, other) for other in found):
            found.append(finding)
            yield finding


def _same(one: Finding, other: Finding) -> bool:
    if one.error is None or other.error is None or isinstance(one.error, Unexpected):
        return False
    failed = one.state == other.state == "failed"
    return (failed and (one.error.code, one.error.params) == (other.error.code, other.error.params)) or any(
        isinstance(one.error, once) and isinstance(other.error, once) for once in _ONCE
    )


def _look(name: str, check: Check) -> Finding:
    try:
        return Finding(name, check())
    except AgentError as error:
        return Finding(name, error=error)
    except NotConfigured:
        raise
    except Exception as error:  # a check that fails itself is a finding too: the others still run
        return Finding(name, error=Unexpected(kind=type(error).__name__))
