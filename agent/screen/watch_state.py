"""What watching the screen has to show: whether it goes on, and what was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.core.i18n import Texts
from agent.domain.errors import AgentError
from agent.screen.sightings import Kind


class WatchState(StrEnum):
    OFF = "off"
    ON = "on"
    PAUSED = "paused"  # with all other work
    SNOOZED = "snoozed"
    BATTERY = "battery"  # it is nearly empty
    LOCKED = "locked"
    CALL = "call"  # one is in front
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said. Who it is stands as an id: somebody who is forgotten is not named here either."""

    number: int
    at: datetime
    kind: Kind
    person_id: int | None = None

    def text(self, texts: Texts, names: Mapping[int, str]) -> str:
        """In words; `names` are of those who may be named now."""
        if self.person_id is None:
            return texts(f"watch.{self.kind}")
        name = names.get(self.person_id)
        return texts("watch.somebody") if name is None else texts("watch.person", name=name)


@dataclass(frozen=True, slots=True)
class WatchShown:
    """What the status says of it."""

    state: WatchState = WatchState.OFF
    until: datetime | None = None  # it is snoozed until then
    said: int = 0
    problem: AgentError | None = None
