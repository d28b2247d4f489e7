"""What every service of the agent works in: the settings in force, the clocks and the event bus."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agent.infrastructure.core.bus import Bus
from agent.infrastructure.core.observable import Observable
from agent.infrastructure.core.settings import Settings


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Environment:
    settings: Observable[Settings]
    clock: Callable[[], datetime]
    """the time of day, with its zone"""
    monotonic: Callable[[], float]
    """seconds, from any start"""
    bus: Bus = field(default_factory=Bus)
