"""Whether the agent works: read by what waits for a calm moment, or rests with the work."""

from dataclasses import dataclass


@dataclass(slots=True)
class WorkState:
    """Written by the indexer alone."""

    paused: bool = False  # by the user
    held: bool = False  # as paused, but not by the user: the battery is low
    running: int = 0  # jobs under way

    @property
    def resting(self) -> bool:
        return self.paused or self.held
