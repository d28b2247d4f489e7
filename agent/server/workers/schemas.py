"""The API schemas of a team server's workers and its queue; `workers list --json` prints the same."""

from datetime import datetime
from typing import Literal, Self

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Problem
from agent.server.workers.records import WorkerStatus


class WorkerOut(Schema):
    """One run of a worker; those that ended stay for a day."""

    name: str
    host: str
    """the name of its computer"""
    state: Literal["idle", "working", "blocked", "draining", "gone"]
    """`blocked`: it can't work now, and gave its photos back"""
    since: datetime
    """when it started"""
    seen_at: datetime
    done: int
    """photos it has finished"""
    errors: int
    """photos that failed or were set aside"""
    rate: float
    """photos in the last minute"""
    draining: bool
    """it was asked to finish and end"""
    problem: Problem | None
    """why it is blocked"""

    @classmethod
    def of(cls, seen: WorkerStatus, texts: Texts) -> Self:
        return cls.from_record(seen, state=seen.state.value, problem=Problem.maybe(seen.problem, texts))


class Workers(Schema):
    items: tuple[WorkerOut, ...]


class QueuePart(Schema):
    """The photos of one priority."""

    priority: int
    """lower ones go first: 0 a person waits for them, 10 they are new, 20 they are from an archive"""
    waiting: int
    running: int
    failed: int
    oldest: datetime | None
    """since when the oldest waiting one waits"""


class Queue(Schema):
    items: tuple[QueuePart, ...]
