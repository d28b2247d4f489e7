"""The life of a job: queued, leased to a worker, then done, failed or quarantined."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from agent.domain.errors import AgentError, EngineError, EngineKilled, ImageChanged, ImageOnlineOnly, ModelError, StoreError

# A file that crashes or hangs the engine is tried twice. If the engine was killed from outside, the file is hardly to blame, so it gets
# more attempts; but the system may have killed it because the file needs too much memory, so their number is limited.
MAX_ATTEMPTS = 2
MAX_ATTEMPTS_KILLED = 6
# The name under which this installation's agent leases jobs. It is the same at every start, so that the agent can give its leases back.
AGENT = "agent"


class JobState(StrEnum):
    QUEUED = "queued"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"  # the file is at fault: it waits until it changes or the user retries it
    DEFERRED = "deferred"  # its content is in a cloud: it is read on request, or once it has been downloaded
    QUARANTINED = "quarantined"  # it crashed or hung the engine too often: set aside with its reason


class Priority(IntEnum):
    """Lower values go first."""

    ASKED = 0  # the user waits for it
    NEW = 10  # just appeared in a watched folder
    BACKLOG = 20  # found by a rescan


@dataclass(frozen=True, slots=True)
class Job:
    """One file to analyse. `attempts` includes the current one: it is written before the work starts."""

    id: int
    place_id: int
    path: str
    attempts: int
    priority: int = Priority.NEW
    request_id: str = ""
    """of the request that made it; empty if none did"""


def after_error(attempts: int, error: AgentError) -> JobState:
    """Return the state of a leased job after its attempt ended with `error`; `attempts` includes that attempt."""
    match error:
        case EngineKilled():
            return JobState.QUEUED if attempts < MAX_ATTEMPTS_KILLED else JobState.QUARANTINED
        case EngineError():
            return JobState.QUEUED if attempts < MAX_ATTEMPTS else JobState.QUARANTINED
        case ModelError() | StoreError():
            return JobState.QUEUED  # not the file's fault: it waits until the cause is fixed
        case ImageOnlineOnly():
            return JobState.DEFERRED
        case ImageChanged():
            return JobState.QUEUED if attempts < MAX_ATTEMPTS_KILLED else JobState.FAILED
        case _:
            return JobState.FAILED
