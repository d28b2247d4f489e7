"""The API schema of the update state."""

from datetime import datetime
from typing import Literal

from agent.web.schemas import Problem, Schema


class UpdateOut(Schema):
    step: Literal["off", "current", "available", "ready", "managed"]
    """off: this build has no update server; ready: it is installed at the next quit; managed: `command` installs it"""
    wanted: bool
    """looked for without being asked"""
    channel: Literal["stable", "beta"]
    version: str | None
    """the newer one"""
    news: str | None
    """what is new, in the program's language"""
    command: str | None
    checked_at: datetime | None
    problem: Problem | None
    """why it could not be checked or downloaded"""
    outcome: Problem | None
    """of the last installation, if it was taken back"""
