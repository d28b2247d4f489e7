"""A meter of memory in place of the system's: the process takes as much as the test says."""

import pytest

from agent.app import memory_limits
from agent.infrastructure.core import memory_guard
from agent.infrastructure.core.memory_guard import MB
from agent.infrastructure.core.sd_notify import SUPERVISED

STEP_MB, LIMIT_MB = 200, 1_000


class Meter:
    """The resident bytes of this process as the guard reads them: `STEP_MB` more at each look, once it `grows`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In a program that something starts again, whose guard looks all the time."""
        self.grows = False
        self.megabytes = LIMIT_MB - 4 * STEP_MB
        monkeypatch.setattr(memory_limits, "memory_of", self)
        monkeypatch.setattr(memory_guard, "LOOK_S", 0.05)
        monkeypatch.setenv(SUPERVISED, "1")

    def __call__(self, _: int) -> int:
        self.megabytes += STEP_MB * self.grows
        return self.megabytes * MB
