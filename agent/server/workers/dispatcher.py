"""A server's side of the work: queued photos become batches for workers."""

from collections.abc import Sequence
from typing import Any

from agent.domain.events import StoredEvent
from agent.domain.jobs import Job
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings
from agent.server.workers.queries.handout_rows import HandoutQueries

# The sections by which photos are analysed: all workers follow the server's, whatever their own say.
SHARED = ("detection", "folders", "recognition")


class Dispatcher:
    """A JobQueue: the server's indexer decides when, and this hands the jobs out instead of taking them."""

    def __init__(self, batches: HandoutQueries, environment: Environment) -> None:
        self._batches = batches
        self._environment = environment

    def take(self, limit: int) -> tuple[list[Job], list[StoredEvent]]:
        self._batches.hand_out(shared_of(self._environment.settings.value))
        return [], []

    def give_back(self, jobs: Sequence[Job]) -> None:
        """Nothing was taken."""

    def ended(self, job: Job) -> None:
        """Nothing was taken."""


def shared_of(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", include=set(SHARED))


def following(own: Settings, shared: dict[str, Any]) -> Settings:
    """Return a worker's settings with the server's sections in them."""
    return type(own).model_validate({**own.model_dump(mode="json"), **{name: shared[name] for name in SHARED}})
