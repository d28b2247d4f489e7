"""Whether the agent works: read by tasks that wait for an idle moment, or pause with the work."""

from dataclasses import dataclass


@dataclass(slots=True)
class WorkState:
    """Written by the indexer alone."""

    paused: bool = False  # by the user
    held: bool = False  # paused automatically: the battery is low
    running: int = 0  # running jobs

    @property
    def resting(self) -> bool:
        return self.paused or self.held
