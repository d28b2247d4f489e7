"""The state of screen watching, for the status."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.domain.errors import AgentError


class WatchState(StrEnum):
    OFF = "off"
    ON = "on"
    PAUSED = "paused"  # with all other work
    SNOOZED = "snoozed"
    BATTERY = "battery"  # it is nearly empty
    LOCKED = "locked"
    CALL = "call"  # a call is in front
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WatchShown:
    """The state for the status page."""

    state: WatchState = WatchState.OFF
    until: datetime | None = None  # it is snoozed until then
    said: int = 0
    problem: AgentError | None = None
