"""Work on the photos of shared folders, in the order of their numbers."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping

import structlog

from agent.desktop.team_client.retry_policy import repeat
from agent.domain.errors import AgentError, Forbidden, TeamMayNotShare
from agent.domain.events import ImageIndexed, LocationAdded, LocationMoved, StoredEvent
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings, Share
from agent.infrastructure.store.path_index import FolderArea

log = structlog.get_logger()


class FolderWork:
    """For use in the event loop. What of a folder is not shared is not even read."""

    def __init__(self, environment: Environment, event: str) -> None:
        """`event`: how a problem is logged."""
        self.changed = ChangeSignal()
        """what `state` says may be different"""
        self.problem: AgentError | None = None
        self._environment = environment
        self._event = event
        self._wake = asyncio.Event()
        self._after: dict[str, int] = {}  # by library: the last image that was dealt with
        environment.settings.subscribe(lambda _: self.begin_anew())

    def begin_anew(self) -> None:
        """Look at all photos again."""
        self._after = {}  # a batch under way must not set what it began with
        self._wake.set()

    def happened(self, recorded: StoredEvent) -> None:
        """Take note of an event of the library."""
        if isinstance(recorded.event, LocationAdded | LocationMoved):
            self.begin_anew()  # an older image may be in a shared folder now
        elif isinstance(recorded.event, ImageIndexed):
            self._wake.set()

    async def _repeat(self, step: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled. Raises SignInRequired."""
        self.begin_anew()
        await repeat(step, self._found)

    def _found(self, error: AgentError | None) -> None:
        problem = TeamMayNotShare() if isinstance(error, Forbidden) else error
        if (problem and problem.code) != (self.problem and self.problem.code):
            if problem is not None:
                log.warning(self._event, code=problem.code)
            self.problem = problem
            self.changed.notify()


def shared_areas(settings: Settings, *among: Share) -> Mapping[str, list[FolderArea]]:
    """Return the folders that are shared so, by the library they go to. A folder inside one has its own setting."""
    roots = [folder.root for folder in settings.folders]
    found: dict[str, list[FolderArea]] = {}
    for folder in settings.folders:
        if folder.share in among:
            inside = tuple(other for other in roots if other.startswith(folder.root.rstrip(os.sep) + os.sep))
            found.setdefault(folder.share_into, []).append(FolderArea(folder.root, inside))
    return found
