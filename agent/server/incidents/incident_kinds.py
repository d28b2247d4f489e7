"""What an incident can be about, how urgent it is, and what is done first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from agent.domain.severity import Severity


class IncidentKind(StrEnum):
    """Each has a page `docs/runbook/KIND.md` in both languages, with hyphens for underscores."""

    FAILED_SIGN_INS = "failed_sign_ins"
    MASS_EXPORT = "mass_export"
    NIGHT_SEARCH = "night_search"
    RAISED_ROLE = "raised_role"
    TWO_NETWORKS = "two_networks"
    WITHDRAWN_AFTER_PUBLISHING = "withdrawn_after_publishing"
    RECORD_BROKEN = "record_broken"
    MANY_REFUSALS = "many_refusals"

    @property
    def page(self) -> str:
        """The name of its page in the runbook."""
        return self.value.replace("_", "-")


class FirstStep(StrEnum):
    """What stops the harm at once. Only a lock can be undone."""

    LOCK = "lock"
    END_SESSIONS = "end_sessions"
    END_SESSION = "end_session"
    REVOKE_TOKEN = "revoke_token"


class IncidentState(StrEnum):
    OPEN = "open"
    SEEN = "seen"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why an incident was closed. A choice, because free text would hold names."""

    HANDLED = "handled"
    EXPECTED = "expected"
    FALSE_ALARM = "false_alarm"


SESSION, TOKEN = "session", "token"  # the first word of `about`

_STEPS: Final[Mapping[IncidentKind, FirstStep]] = {
    IncidentKind.FAILED_SIGN_INS: FirstStep.LOCK,
    IncidentKind.MASS_EXPORT: FirstStep.LOCK,
    IncidentKind.NIGHT_SEARCH: FirstStep.END_SESSIONS,
    IncidentKind.RAISED_ROLE: FirstStep.LOCK,
    IncidentKind.MANY_REFUSALS: FirstStep.LOCK,
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found. Two with the same key are the same incident."""

    kind: IncidentKind
    severity: Severity
    key: str
    at: datetime
    subject: str | None
    """the random id of the member or person concerned"""
    number: int
    evidence: tuple[int, ...]
    """entries of the record"""
    about: str = ""
    """the session or token concerned: `session 12`, `token 0a1b…`"""


def first_step(kind: IncidentKind, subject: str | None, about: str) -> FirstStep | None:
    """What the button of an incident does; None: the runbook says what to do."""
    if kind is IncidentKind.TWO_NETWORKS:
        return FirstStep.REVOKE_TOKEN if about.startswith(TOKEN) else FirstStep.END_SESSION
    return _STEPS.get(kind) if subject else None
