"""What a member of a team learns of the server's state and of what happens: only of the libraries within their reach."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from agent.app.app import App
from agent.domain.events import StoredEvent
from agent.domain.jobs import JobState
from agent.domain.path_text import printable
from agent.features.library.records import Counts
from agent.features.library.status import AgentStatus
from agent.infrastructure.core.access_scope import reaching
from agent.interfaces.web.access import Principal, Scope
from agent.interfaces.web.schemas import FolderState, Status

_WAITING = (JobState.QUEUED, JobState.LEASED)
_FAILED = (JobState.FAILED, JobState.QUARANTINED)
# Of the machine, and of all libraries together.
_NOT_THEIRS = {"burst": None, "finished": None, "problem": None, "warning": None, "device_note": None, "update": None, "taken_back": None}


FolderName: TypeAlias = Callable[[str], str | None]


class MemberView:
    """Changes nothing but names of folders for those who see everything."""

    def __init__(self, app: App, who: Principal, folder_name: FolderName = lambda _: None) -> None:
        """`folder_name` returns what a folder is to be called, if not by its own name."""
        self._app = app
        self._who = who
        self._folder_name = folder_name
        self._reach = who.reach(Scope.STATUS_READ)

    async def events(self, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        """Return those that are within reach. Raises StoreError."""
        if self._reach is None or not events:
            return events
        with reaching(self._reach):
            seen = await self._app.event_reach.within([each.id for each in events])
        return [each for each in events if each.id in seen]

    async def status(self, now: AgentStatus, whole: Status) -> Status:
        """Return the part of the status that they may see: without folders for those who may see no photo. Raises StoreError."""
        if self._reach is None:
            folders = self._named(now, whole) if Scope.PHOTOS_READ in self._who.scopes else ()
            return whole.model_copy(update={"folders": folders})
        with reaching(self._reach):
            counts = await self._app.counts.within_reach()
        return whole.model_copy(update=_NOT_THEIRS | _numbers(counts) | {"folders": self._folders(now, whole)})

    def _named(self, now: AgentStatus, whole: Status) -> tuple[FolderState, ...]:
        names = {printable(folder.path): self._folder_name(folder.root) for folder in now.settings.folders}
        return tuple(each.model_copy(update={"name": names.get(each.path) or each.name}) for each in whole.folders)

    def _folders(self, now: AgentStatus, whole: Status) -> tuple[FolderState, ...]:
        shown = {each.path: printable(each.shown) for each in self._who.roots}
        problems = {each.path: each.problem for each in whole.folders}
        return tuple(
            FolderState(path=shown[folder.root], name=shown[folder.root], problem=problems.get(printable(folder.path)))
            for folder in now.settings.folders
            if folder.root in shown
        )


def _numbers(counts: Counts) -> dict[str, object]:
    jobs = counts.jobs
    return {
        "images": counts.images,
        "faces": counts.faces,
        "people": counts.people,
        "doubts": counts.doubts,
        "queued": sum(jobs.get(each, 0) for each in _WAITING),
        "failed": sum(jobs.get(each, 0) for each in _FAILED),
        "online_only": jobs.get(JobState.DEFERRED, 0),
    }
