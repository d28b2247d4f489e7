"""The environment of a service under test: settings that a test changes, and clocks that stand still unless it moves them."""

from collections.abc import Callable
from datetime import UTC, datetime

from agent.infrastructure.core.observable import Observable
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def environment(
    settings: Settings | None = None, *, clock: Callable[[], datetime] = lambda: NOW, monotonic: Callable[[], float] = lambda: 0.0
) -> Environment:
    return Environment(Observable(settings or Settings()), clock, monotonic)
