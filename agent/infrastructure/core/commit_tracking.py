"""Whether the request under way has changed the database, so that it must not be done again by itself."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class CommitTracker:
    """`begun` is set before the first commit: a connection that breaks under a commit doesn't say whether it was made."""

    begun: bool = False


commits: ContextVar[CommitTracker | None] = ContextVar("commits", default=None)
"""None outside of requests; threads of `asyncio.to_thread` and new tasks share the request's"""


def mark_commit_started() -> None:
    """Note that a commit begins."""
    if (current := commits.get()) is not None:
        current.begun = True
