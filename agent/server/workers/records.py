"""What is known of workers and of the work that waits."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.domain.errors import AgentError


class WorkerState(StrEnum):
    IDLE = "idle"
    WORKING = "working"
    BLOCKED = "blocked"  # an engine, a model or the database is missing: it gave its photos back
    DRAINING = "draining"  # it finishes its current photos, then ends
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker says of itself every few seconds."""

    state: WorkerState
    done: int
    errors: int
    rate: float  # photos per minute
    batches: tuple[int, ...]
    problem: AgentError | None = None  # why it is blocked


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    name: str
    host: str
    state: WorkerState
    since: datetime
    seen_at: datetime
    done: int
    errors: int
    rate: float
    draining: bool
    problem: AgentError | None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The jobs of one priority."""

    priority: int
    waiting: int
    running: int
    failed: int
    oldest: datetime | None  # since when the oldest waiting one waits
